"""Thoughts within an answer's text: every family's tags, in any pieces; and answers that only speak of tags."""

import pytest

from titan_desktop.adapters.openai.thoughts import Splitter
from titan_desktop.ports.model import Part, Reasoning, Text, WereThoughts

HARMONY = "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>{}<|return|>"
FAMILIES = {
    "deepseek": "<think>\n{}\n</think>\n\n{}",
    "qwen without a line": "<think>{}</think>{}",
    "blanks before": "\n\n <think>{}</think>{}",
    "thinking": "<thinking>{}</thinking>{}",
    "exaone": "<thought>{}</thought>{}",
    "reasoning": "<reasoning>{}</reasoning>\n{}",
    "seed": "<seed:think>{}</seed:think>{}",
    "magistral": "[THINK]{}[/THINK]{}",
    "kimi": "◁think▷{}◁/think▷{}",
    "cohere": "<|START_THINKING|>{}<|END_THINKING|><|START_RESPONSE|>{}<|END_RESPONSE|>",
    "openthinker": "<|begin_of_thought|>{}<|end_of_thought|>\n<|begin_of_solution|>{}<|end_of_solution|>\n",
    "gemma": "<|channel>thought\n{}<channel|>{}",
    "granite 3.2": "Here is my thought process:\n{}\nHere is my response:\n{}",
    "granite 3.3": "<think>{}</think><response>{}</response>",
    "hunyuan": "<think>\n{}\n</think>\n<answer>\n{}\n</answer>",
    "gpt-oss": HARMONY,
    "gpt-oss with its head": "<|start|>assistant" + HARMONY,
    "shouted": "<THINK>{}</THINK>{}",
    "in two cases": "<Think>{}</think>{}",
    "closed twice": "<think>{}</think>\n</think>\n\n{}",
    "closed again and again": "<think>{}</think></think>\n[/THINK]</THINK>{}",
    "two of them": "<think>Let me</think>\n<think> {}</think>{}",
}
THOUGHT, ANSWER = "Is `x < y`? Perhaps </b> is meant.", "It is 42 < 43, **surely** [1]."


def parted(text: str, size: int = 1, *, opened: bool = False, cut: bool = False) -> tuple[str, str, Splitter]:
    """The thoughts and the answer of a text that comes in pieces of this size; as a chat service takes them."""
    splitter = Splitter(opened=opened)
    parts: list[Part] = []
    for start in range(0, len(text), size):
        parts += splitter.feed(text[start : start + size])
    parts += splitter.finish(cut=cut)
    thoughts = said = ""
    for part in parts:
        if isinstance(part, WereThoughts):
            thoughts, said = thoughts + said, ""
        else:
            assert isinstance(part, Text | Reasoning)
            assert part.text
            thoughts += part.text if isinstance(part, Reasoning) else ""
            said += part.text if isinstance(part, Text) else ""
    return thoughts.strip(), said, splitter


@pytest.mark.parametrize("family", FAMILIES)
def test_thoughts_are_parted_from_the_answer_wherever_the_text_is_cut(family: str) -> None:
    text = FAMILIES[family].format(THOUGHT, ANSWER)
    for size in range(1, len(text) + 1):
        thoughts, said, splitter = parted(text, size)
        assert (thoughts.removeprefix("Let me "), said.rstrip(), splitter.opened) == (THOUGHT, ANSWER, False)


@pytest.mark.parametrize("family", FAMILIES)
def test_thoughts_that_never_close_are_no_answer(family: str) -> None:
    text = FAMILIES[family].partition("{}")[0] + THOUGHT
    assert parted(text, cut=True)[:2] == parted(text)[:2]
    assert parted(text)[0].endswith(THOUGHT)
    assert parted(text)[1] == ""


@pytest.mark.parametrize(
    "closer",
    ["\n</think>\n\n", "</think>", ".</think> ", "\n[/THINK]", "◁/think▷\n", " </think>\n", "</THINK>\n"],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_thoughts_that_never_opened_are_known_by_their_end(closer: str, size: int) -> None:
    """What was given as text was thoughts; the model's next answer begins as thoughts, and takes nothing back."""
    text = f"The person asks for {THOUGHT}{closer}{ANSWER}"
    thoughts, said, splitter = parted(text, size)
    assert (thoughts, said, splitter.opened) == (
        f"The person asks for {THOUGHT}{closer.partition('<')[0]}".strip()
        if closer.startswith(".")
        else f"The person asks for {THOUGHT}",
        ANSWER,
        True,
    )
    again = Splitter(opened=True)
    parts = [*again.feed(text), *again.finish()]
    assert WereThoughts() not in parts
    assert [type(part) for part in parts] == [Reasoning, Text]


def test_thoughts_that_end_with_a_sentence_may_have_blanks_around_their_end() -> None:
    assert parted(f"So it is. </think> {ANSWER}")[:2] == ("So it is.", ANSWER)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_end_of_thoughts_that_the_server_told_itself_is_no_answer(size: int) -> None:
    """It parted them, and left their closing tag in the text."""
    splitter = Splitter()
    splitter.thought_elsewhere()
    text = f"\n</think>\n\n{ANSWER}"
    parts = [part for at in range(0, len(text), size) for part in splitter.feed(text[at : at + size])]
    parts += splitter.finish()
    assert "".join(part.text for part in parts if isinstance(part, Text)) == ANSWER


def test_gpt_oss_without_its_special_tokens_is_known_by_its_end() -> None:
    assert parted(f"analysisWe need it.assistantfinal{ANSWER}")[:2] == ("analysisWe need it.", ANSWER)
    said = f"An analysis needs one word, assistantfinal, {ANSWER}"
    assert parted(said)[:2] == ("", said)


@pytest.mark.parametrize(
    "text",
    [
        "HTML has no <think>tag</think>, but custom elements may be called so.",
        "```html\n<think>\nHm.\n</think>\n```\nThat is how it looks.",
        "It looks so:\n\n```\nHm.\n</think>\nYes.\n```\n",
        "~~~~\n</think>\n~~~\n</think>\n",
        "Thoughts end with `</think>`; the answer follows.",
        "Thoughts end with </think> and the answer follows.",
        'Thoughts end with "</think>", says the manual.',
        "A [link] <b>bold</b> 1 < 2 <thi",
        "<thin>",
        "[1] says so.",
        "<",
        "   \n",
        "Here is my thought: none.",
        "",
    ],
)
def test_an_answer_about_tags_is_whole(text: str) -> None:
    for size in (1, 2, 5, 1000):
        assert parted(text, size)[:2] == ("", text)


def test_a_model_that_does_not_think_this_time_has_answered() -> None:
    """Its last answer began within thoughts, this one did not; of a cut answer nobody knows."""
    assert parted(ANSWER, opened=True)[1] == ANSWER
    assert not parted(ANSWER, opened=True)[2].opened
    assert parted(ANSWER, opened=True, cut=True)[:2] == (ANSWER, "")
    assert parted(f"<think>{THOUGHT}</think>{ANSWER}", opened=True)[:2] == (THOUGHT, ANSWER)


@pytest.mark.parametrize(
    "unit", ["</think>`", " ", "<think", "`", "```\n", "<|channel|>", "</answer>", "assistantfinal"]
)
def test_little_of_a_hostile_text_is_looked_at_again_and_again(unit: str) -> None:
    """Whatever comes, character by character: what waits, and is looked at with the next one, is short."""
    for start in ("", "<think>x</think><answer>", "<|channel|>analysis<|message|><|end|>"):
        splitter = Splitter()
        for character in start + unit * (5_000 // len(unit)):
            for _ in splitter.feed(character):
                pass
            assert splitter.waiting <= 1_100
        list(splitter.finish())
        assert splitter.waiting == 0
