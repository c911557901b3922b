"""Prompts that fit: counted where the server tells how much it takes, tried with less where it refuses."""

import json

import pytest
from msgspec.structs import replace

from tests.chat_service import DEPOSIT, Memory, Window
from tests.openai_server import FENCED, OpenAIServer, Raw
from titan_desktop.contracts import chat
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Turn
from titan_desktop.services.chat import ChatService, prompt
from titan_desktop.services.chat.tokens import room_for_prompt, tokens_of, tokens_of_prompt

PASSAGE = "The deposit is 1,500 euros, says line {number}. " + "It is returned after two weeks. " * 20
HITS = tuple(
    replace(DEPOSIT, path=f"/d/{number}.txt", title=f"{number}.txt", passage=PASSAGE.format(number=number))
    for number in range(6)
)
VLLM = {
    "object": "error",
    "message": "This model's maximum context length is 1024 tokens. However, you requested 2048 tokens in the"
    " messages, Please reduce the length of the messages.",
    "type": "BadRequestError",
    "param": None,
    "code": 400,
}
SILENT = {
    "error": {"message": "prompt too long; exceeded max context length by 500 tokens", "type": "api_error"}
}


def sent(server: OpenAIServer) -> list[tuple[Turn, ...]]:
    """The prompts that arrived."""
    return [
        tuple(Turn(message["role"], message["content"]) for message in request.body["messages"])
        for request in server.chats
    ]


def titles(turns: tuple[Turn, ...]) -> list[str]:
    """The passages of a prompt, as far as they are there."""
    return [title for _, _, title, _ in FENCED.findall(turns[-1].text)]


@pytest.fixture
def hits(found: Memory) -> Memory:
    found.hits = HITS
    return found


async def test_a_prompt_is_made_to_fit_before_it_is_sent(
    hits: Memory, core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """The best passages first, whole, with the conversation as far as there is room: nobody else cuts anything."""
    server.models, server.lists, server.text = ("m",), {"max_model_len": 2_048}, "So it says [1]. " * 60
    await window.answer(await window.ask("What does the lease say about the deposit, please?"))
    await window.answer(await window.ask("And what does the other lease say about the rent?"))
    for turns in sent(server):
        assert tokens_of_prompt(turns) <= room_for_prompt(2_048)
        assert turns[0].role == "system"
        assert titles(turns) == [hit.title for hit in HITS][: len(titles(turns))]
        assert 1 <= len(titles(turns)) < 6
    assert len(server.chats) == 2


async def test_where_nobody_tells_a_length_everything_is_sent(
    hits: Memory, core: ChatService, window: Window, server: OpenAIServer
) -> None:
    await window.answer(await window.ask("What does the lease say about the deposit, please?"))
    assert titles(sent(server)[0]) == [hit.title for hit in HITS]


async def test_ollama_has_nothing_to_cut(
    hits: Memory, core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """It would cut the rules in silence; what it has loaded the model with is asked for before."""
    server.models, server.lists = ("m",), {"owned_by": "library"}
    server.pages = {"GET /api/ps": {"models": [{"name": "m", "context_length": 1_024}]}}
    await window.answer(await window.ask("What does the lease say about the deposit, please?"))
    assert tokens_of_prompt(sent(server)[0]) <= room_for_prompt(1_024)


@pytest.mark.parametrize("in_stream", [True, False])
@pytest.mark.parametrize("told", [VLLM, SILENT])
async def test_a_prompt_that_is_refused_as_too_long_is_sent_with_less(
    hits: Memory,
    core: ChatService,
    window: Window,
    server: OpenAIServer,
    told: dict[str, object],
    *,
    in_stream: bool,
) -> None:
    """By any server's words, with any status; and where it tells the length, with what fits into it."""
    body = json.dumps(told).encode()
    server.raw = [Raw(b"data: " + body + b"\n\n") if in_stream else Raw(body, 400, "application/json")]
    server.text = "It is 1,500 euros [1]."
    answer = await window.answer(await window.ask("What does the lease say about the deposit, please?"))
    assert (answer.text, answer.state) == (server.text, chat.State.COMPLETE)
    first, second = sent(server)
    assert titles(first) == [hit.title for hit in HITS]
    assert 1 <= len(titles(second)) < 3
    if told is VLLM:
        assert tokens_of_prompt(second) <= room_for_prompt(1_024)


async def test_what_is_too_long_in_any_form_is_told(
    hits: Memory, core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """After three tries at most, the last with the question and the best passage alone."""
    server.fault = "context_length_exceeded"
    await window.answer(await window.ask("One?"))
    server.requests.clear()
    answer = await window.answer(await window.ask("What does the lease say about the deposit, please?"))
    assert (answer.fault, "8192" in answer.fault_detail) == (Fault.CONTEXT_TOO_LONG, True)
    assert len(server.chats) <= 3
    assert titles(sent(server)[-1]) == ["0.txt"]


def test_a_passage_is_shortened_before_it_is_left_out() -> None:
    question = chat.Message(
        id="q",
        conversation_id="c",
        role=chat.Role.USER,
        text="Deposit?",
        state=chat.State.COMPLETE,
        created_at="",
    )
    long = replace(DEPOSIT, passage="The deposit is 1,500 euros. " * 1_000)
    turns = prompt.compose(question, (), (long,), 1_000)
    assert tokens_of_prompt(turns) <= 1_000
    assert "The deposit is 1,500 euros." in turns[-1].text
    assert titles(prompt.compose(question, (), (long,), 10)) == [
        "rental.pdf"
    ]  # there is no room, and less is nothing


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("The deposit is due. " * 50, 200, 320),
        ("Депозит составляет. " * 50, 300, 520),
        ("押金是四万五千。" * 50, 300, 420),
    ],
)
def test_tokens_are_estimated_on_the_safe_side(text: str, least: int, most: int) -> None:
    """Between what the usual tables count and twice of it."""
    assert least <= tokens_of(text) <= most
