"""Separates a model's thoughts from its answer where a server sends both in one text.

Many local servers pass on what the model wrote: thoughts between the tags of its family, then the answer.
Thoughts can begin only at the start of the answer: a tag further down belongs to an answer about tags. Some
templates put the opening tag into the prompt, so that the text has only the closing one; see `Splitter.opened`.
Models write tags in any case, and sometimes one of them twice.
"""

import re
from collections.abc import Callable, Iterator

from titan_desktop.ports.model import Part, Reasoning, Text, WereThoughts

_TAGS = {
    "<think>": "</think>",  # DeepSeek R1, Qwen 3, QwQ, GLM, MiniMax, Hunyuan, Nemotron and most others
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",  # EXAONE, Gemini's compatible endpoint
    "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>",  # Seed-OSS
    "[THINK]": "[/THINK]",  # Magistral
    "◁think▷": "◁/think▷",  # Kimi
    "<|START_THINKING|>": "<|END_THINKING|>",  # Cohere Command A, R7B
    "<|begin_of_thought|>": "<|end_of_thought|>",  # OpenThinker, Sky-T1
    "<|channel>thought": "<channel|>",  # Gemma 4
    "<unused94>thought": "<unused95>",  # MedGemma
    "Here is my thought process:": "Here is my response:",  # Granite 3.2
    "Here's my thought process:": "Here's my response:",
}
_CHANNELS = ("<|channel|>", "<|start|>assistant<|channel|>")
"""How gpt-oss begins: "harmony", https://cookbook.openai.com/articles/openai-harmony."""
_MESSAGE = "<|message|>"
_CHANNEL_ENDS = ("<|end|>", "<|return|>", "<|call|>")
_WRAPPERS = {
    "<answer>": "</answer>",  # Hunyuan
    "<response>": "</response>",  # Granite 3.3
    "<|START_RESPONSE|>": "<|END_RESPONSE|>",
    "<|START_TEXT|>": "<|END_TEXT|>",
    "<|begin_of_solution|>": "<|end_of_solution|>",
}
"""What some models put around the answer, behind their thoughts."""
_OPENERS = (*_TAGS, *_CHANNELS)
_BARE_FINAL = "assistantfinal"
_BARE_ANALYSIS = re.compile(r"\s*analysis(?=[A-Z])")
"""gpt-oss behind a server that drops its special tokens: "analysisWe need …assistantfinalThe answer"."""
_CLOSERS = (*(close for close in _TAGS.values() if not close.startswith("Here")), _BARE_FINAL)
"""What may close thoughts that never opened."""
_CLOSER = re.compile("|".join(map(re.escape, _CLOSERS)), re.IGNORECASE | re.ASCII)
_CLOSED_AGAIN = re.compile(rf"(?:(?:{_CLOSER.pattern})\s*+)++", re.IGNORECASE | re.ASCII)
"""Of thoughts that have ended already, or elsewhere."""
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
"""The Latin letters alone, so that a text keeps its length and marks keep their places."""
_CODE = re.compile(
    r"^ {0,3}(?P<fence>`{3,9}|~{3,9})[^\n]*\n(?:.*?^ {0,3}(?P=fence)|.*)|(?P<ticks>`{1,3})[^`\n]*(?P=ticks)",
    re.DOTALL | re.MULTILINE,
)
"""Fenced and inline code. The counts have bounds, so that a line of nothing but ticks costs no square of it."""
_QUOTES = ('"', "'", "«", "“", "„")
_SENTENCE_ENDS = (".", "!", "?", "…", "。")
_UNDECIDED_MAX = 1_000
"""So many characters wait at most for what follows them."""
_MENTIONS_MAX = 20
"""So many closing tags of one answer are looked at."""


class Splitter:
    """Takes the text of one answer in any pieces, gives thoughts and text.

    Args:
        opened: the answer begins within thoughts, as this model's last one did.

    Attributes:
        opened: the next answer of this model will begin within thoughts: they were closed and had not been opened.
            What had been given as text until then were thoughts, and WereThoughts said so.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self.opened = opened
        self._held = ""
        self._state: Callable[[bool], Iterator[Part]] = self._beginning
        self._closers: tuple[str, ...] = ()
        self._given: list[str] = []
        """The thoughts that did not open, or the text while thoughts may still turn out not to have opened."""
        self._has_thought = False
        self._is_forced = False
        self._in_channels = False
        self._wrapper = ""
        self._mentions = 0

    @property
    def waiting(self) -> int:
        """How many characters wait for what follows them."""
        return len(self._held)

    def thought_elsewhere(self) -> None:
        """The server tells this answer's thoughts itself: what its text says of closing tags is text."""
        self._has_thought = True

    def feed(self, text: str) -> Iterator[Part]:
        """Yield what is decided with this piece."""
        self._held += text
        yield from self._run(final=False)

    def finish(self, *, cut: bool = False) -> Iterator[Part]:
        """Yield the rest. `cut`: the answer was cut off, so that thoughts may not have come to their end."""
        yield from self._run(final=True)
        self._held = ""
        if self._is_forced and not cut:
            # This time it began with the answer. It has been given as thoughts; now it is given as what it is.
            self.opened = False
            yield Text("".join(self._given).lstrip())

    def _run(self, *, final: bool) -> Iterator[Part]:
        state = None
        while self._held and state != self._state:
            state = self._state
            yield from state(final)

    # The states. Each takes from `_held` what it can decide on, and may change the state.

    def _beginning(self, final: bool) -> Iterator[Part]:  # noqa: FBT001  # called through `_state`
        """Before the first word, or behind thoughts: others may follow."""
        text = self._held.lstrip()
        if self._has_thought and (again := _CLOSED_AGAIN.match(text)):
            text = self._held = text[again.end() :]
        lower = _lower(text)
        opener = next((opener for opener in _OPENERS if lower.startswith(_lower(opener))), None)
        if opener is not None:
            self._has_thought = True
            self._in_channels = opener in _CHANNELS
            self._closers = () if self._in_channels else (_TAGS[opener],)
            self._held = text[len(opener) :]
            self._state = self._header if self._in_channels else self._thinking
        elif not final and len(self._held) <= _UNDECIDED_MAX and self._may_be_mark(lower):
            pass
        elif self.opened and not self._has_thought:
            self._is_forced = self._has_thought = True
            self._closers = _CLOSERS
            self._state = self._thinking
        else:
            if self._has_thought:  # blanks between thoughts and answer belong to neither
                self._held = text
            self._state = self._unwrapping if self._has_thought else self._answering
        yield from ()

    def _may_be_mark(self, text: str) -> bool:
        marks = (*_OPENERS, *_CLOSERS) if self._has_thought else _OPENERS
        return any(_lower(mark).startswith(text) for mark in marks)

    def _thinking(self, final: bool) -> Iterator[Part]:  # noqa: FBT001
        thought, closer = self._take(self._closers, final=final)
        if thought:
            if self._is_forced:
                self._given.append(thought)
            yield Reasoning(thought)
        if closer:
            self._is_forced = False
            self._state = self._between if self._in_channels else self._beginning

    def _header(self, final: bool) -> Iterator[Part]:  # noqa: FBT001
        """The name of one of gpt-oss's channels: "analysis", "commentary to=…", "final"."""
        name, found, rest = self._held.partition(_MESSAGE)
        if found:
            self._held = rest
            self._closers = _CHANNEL_ENDS
            self._state = self._in_final if name.strip().startswith("final") else self._thinking
        elif final:
            self._held = ""
        elif len(name) > _UNDECIDED_MAX:  # no name of a channel is that long
            self._closers = _CHANNEL_ENDS
            self._state = self._thinking
        yield from ()

    def _in_final(self, final: bool) -> Iterator[Part]:  # noqa: FBT001
        text, closer = self._take(self._closers, final=final)
        if text:
            yield Text(text)
        if closer:
            self._state = self._between

    def _between(self, final: bool) -> Iterator[Part]:  # noqa: FBT001
        """Between two of gpt-oss's messages."""
        _, found, rest = self._held.partition(_CHANNELS[0])
        if found:
            self._held = rest
            self._state = self._header
        else:
            self._held = "" if final else self._held[-len(_CHANNELS[0]) :]
        yield from ()

    def _unwrapping(self, final: bool) -> Iterator[Part]:  # noqa: FBT001
        """Behind thoughts: the answer may have tags of its own."""
        opener = next((opener for opener in _WRAPPERS if self._held.startswith(opener)), "")
        if opener and not self._wrapper:
            self._wrapper = _WRAPPERS[opener]
            self._held = self._held[len(opener) :]
        elif not final and not self._wrapper and any(o.startswith(self._held) for o in _WRAPPERS):
            return
        if self._wrapper:
            self._held = self._held.lstrip()
        if self._held:
            self._state = self._answering
        yield from ()

    def _answering(self, final: bool) -> Iterator[Part]:  # noqa: FBT001
        while not self._has_thought and self._mentions < _MENTIONS_MAX:
            found = _CLOSER.search(self._held)
            if found is None:
                yield from self._say(len(self._held) - _overlap(self._held, _CLOSERS, final=final))
                return
            if found.end() == len(self._held) and not final:  # what follows decides, too
                yield from self._say(found.start())
                return
            yield from self._say(found.start())
            closer, self._held = found[0], self._held[len(found[0]) :]
            if not self._is_mentioned(closer):
                self._has_thought = self.opened = True
                self._state = self._beginning
                yield WereThoughts()
                return
            self._mentions += 1
            self._given.append(closer)
            yield Text(closer)
        yield from self._say(self._unwrapped_chars(final=final))

    def _unwrapped_chars(self, *, final: bool) -> int:
        """Return how many characters can be given: the last tag of a wrapped answer is no part of it."""
        if not self._wrapper:
            return len(self._held)
        text = self._held.rstrip()
        if text.endswith(self._wrapper) and len(self._held) - len(text) <= _UNDECIDED_MAX:
            self._held = text if final else self._held
            return len(text) - len(self._wrapper)
        return len(self._held) - _overlap(self._held, (self._wrapper,), final=final)

    def _say(self, count: int) -> Iterator[Part]:
        if count > 0:
            text, self._held = self._held[:count], self._held[count:]
            if not self._has_thought:
                self._given.append(text)
            yield Text(text)

    def _take(self, closers: tuple[str, ...], *, final: bool) -> tuple[str, str]:
        """Take what stands before the first of these from `_held`, and that one; "" if there is none yet."""
        held = _lower(self._held)
        found = [(at, mark) for mark in closers if (at := held.find(_lower(mark))) >= 0]
        at, closer = min(found, default=(len(self._held) - _overlap(self._held, closers, final=final), ""))
        text, self._held = self._held[:at], self._held[at + len(closer) :]
        return text, closer

    def _is_mentioned(self, closer: str) -> bool:
        """Whether the answer speaks of a closing tag: in code, quoted, behind its opening tag, within a sentence.

        What comes before it is in `_given`, what follows in `_held`.
        """
        before = "".join(self._given)
        if closer.lower() == _BARE_FINAL:
            return _BARE_ANALYSIS.match(before) is None
        if before.endswith(_QUOTES) or _lower(closer).replace("/", "", 1) in _lower(before):
            return True
        is_in_sentence = before.endswith((" ", "\t")) and not before.rstrip(" \t").endswith(_SENTENCE_ENDS)
        if is_in_sentence and self._held[:1] not in {"", "\n", "\r"}:
            return True
        code = _CODE.finditer(before + closer + self._held)
        return any(found.start() <= len(before) < found.end() for found in code)


def _overlap(text: str, marks: tuple[str, ...], *, final: bool) -> int:
    """Return how many characters at the end may begin one of these."""
    longest = 0 if final else max(map(len, marks), default=1) - 1
    end, lower = _lower(text[-longest:]) if longest else "", [_lower(mark) for mark in marks]
    for count in range(len(end), 0, -1):
        if any(mark.startswith(end[-count:]) for mark in lower):
            return count
    return 0


def _lower(text: str) -> str:
    return text.translate(_LOWER)
