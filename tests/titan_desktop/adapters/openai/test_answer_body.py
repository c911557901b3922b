"""Bodies with status 200 as servers really send them: streams with all in them, whole answers, errors, pages."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

from tests.openai_server import OpenAIServer, Raw, serve
from titan_desktop.adapters.openai.model import OpenAIChatModel
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import (
    Endpoint,
    ModelError,
    Part,
    Reasoning,
    Text,
    Tool,
    Turn,
    Usage,
    WereThoughts,
)

TURNS = (Turn("system", "Be brief."), Turn("user", "Сколько?"))
TOOL = Tool("find", "Finds.", {"type": "object"})


def event(finish: str | None = None, **delta: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}, ensure_ascii=False).encode() + b"\n\n"


def several(first: str | None, second: str, finish: str | None = None) -> bytes:
    """An object with two answers, of which the first is read."""
    contents = ((0, first, None), (1, second, finish))
    choices = [
        {"index": index, "delta": {"content": content}, "finish_reason": reason}
        for index, content, reason in contents
        if content is not None
    ]
    return b"data: " + json.dumps({"choices": choices}).encode() + b"\n\n"


HALVES = ("a\\ud83d", "\\ude00b")
DONE = b"data: [DONE]\n\n"
ONE, TWO, STOP = event(content="раз "), event(content="два"), event("stop")


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serve(text="elsewhere") as server:
        yield server


@pytest.fixture
async def model() -> AsyncIterator[OpenAIChatModel]:
    model = OpenAIChatModel(connect_timeout_s=10, first_token_timeout_s=10, idle_timeout_s=10)
    yield model
    await model.close()


def endpoint(server: OpenAIServer, base_url: str = "") -> Endpoint:
    return Endpoint(base_url or server.base_url, "m", "k")


async def read(
    model: OpenAIChatModel, where: Endpoint, tools: Sequence[Tool] = ()
) -> tuple[str, str, ModelError | None]:
    """The thoughts, the answer, and what ended it."""
    parts: list[Part] = []
    error = None
    try:
        async for part in model.stream(where, TURNS, tools):
            parts.append(part)  # noqa: PERF401 - the list is wanted although the loop raises
    except ModelError as raised:
        error = raised
    thoughts = said = ""
    for part in parts:
        if isinstance(part, WereThoughts):
            thoughts, said = thoughts + said, ""
        thoughts += part.text if isinstance(part, Reasoning) else ""
        said += part.text if isinstance(part, Text) else ""
    return thoughts, said, error


@pytest.mark.parametrize(
    "body",
    [
        b"retry: 3000\n\n" + ONE + TWO + STOP + DONE,
        b"id: 1\n" + ONE + b"\n\n\nid\n\n" + TWO + b"\n" + STOP + DONE,
        b"event: ping\ndata:\n\n" + ONE + b"data: \n\n" + TWO + b"data\n\n" + STOP + DONE,
        b": OPENROUTER PROCESSING\n\n" + ONE + b":\n\n:\n" + TWO + STOP + DONE,
        b"\xef\xbb\xbf" + ONE + TWO + STOP + DONE,
        (ONE + TWO + STOP + DONE).replace(b"\n", b"\r\n"),
        (ONE + TWO + STOP + DONE).replace(b"\n", b"\r"),
        (ONE + TWO + STOP + DONE).replace(b"data: ", b"data:"),
        b"data: ping\n\n" + ONE + b"data: keep-alive\n\n" + TWO + STOP + DONE,
        b"event: message\n" + ONE + TWO + STOP + DONE,
        b"whatever: 1\n" + ONE + b"nothing\n" + TWO + STOP + DONE,
        ONE
        + b'data: {"choices": []}\n\ndata: {"choices": null}\n\ndata: {}\n\ndata: [1]\n\n'
        + TWO
        + STOP
        + DONE,
        ONE + b'data: {"choices": [null, 1, {"delta": null}], "error": null}\n\n' + TWO + STOP + DONE,
        ONE + TWO + STOP,
        ONE + TWO + STOP.rstrip(),
        ONE + TWO + DONE,
        ONE + TWO + DONE.lower(),
        ONE + TWO + DONE.rstrip(),
        ONE + STOP + TWO + DONE,
        event("stop", content="раз ") + event("stop", content="два") + DONE,
        several("раз ", "three ") + several(None, "four", "length") + TWO + STOP + DONE,
        b"".join(piece.removeprefix(b"data: ") for piece in (ONE, TWO, STOP)),
        ONE + TWO + event("eos") + DONE,
        b'\n\ndata: {"choices": [{"delta":\ndata: {"content": "\xd1\x80\xd0\xb0\xd0\xb7 "}}]}\n\n'
        + TWO
        + STOP
        + DONE,
    ],
)
async def test_what_means_nothing_harms_nothing(
    model: OpenAIChatModel, server: OpenAIServer, body: bytes
) -> None:
    """In one piece, and byte by byte."""
    server.raw = [Raw(body), Raw(body, cuts=tuple(range(1, len(body))))]
    for _ in range(2):
        assert await read(model, endpoint(server)) == ("", "раз два", None)


@pytest.mark.parametrize(
    ("body", "fault", "detail"),
    [
        (ONE + TWO, Fault.UNREACHABLE, "without a finish_reason"),
        (ONE + TWO + event("length") + DONE, Fault.CUT_OFF, "length"),
        (ONE + TWO + event("MAX_TOKENS") + DONE, Fault.CUT_OFF, "MAX_TOKENS"),
        (ONE + TWO + event("content_filter") + DONE, Fault.FILTERED, "content_filter"),
        (ONE + TWO + event("error") + DONE, Fault.SERVER_ERROR, "error"),
        (
            ONE + TWO + b'data: {"error": {"message": "CUDA out of memory"}}\n\n',
            Fault.SERVER_ERROR,
            "CUDA out",
        ),
        (ONE + TWO + b'data: {"error": "CUDA out of memory"}\n\n', Fault.SERVER_ERROR, "CUDA out"),
        (ONE + TWO + b'event: error\ndata: {"message": "CUDA out"}\n\n', Fault.SERVER_ERROR, "CUDA out"),
        (ONE + TWO + b"event: error\ndata: CUDA out\n\n", Fault.SERVER_ERROR, "CUDA out"),
        (ONE + TWO + b'error: {"code": 500, "message": "CUDA out"}\n\n', Fault.SERVER_ERROR, "CUDA out"),
        (ONE + TWO + b'data: {"object": "error", "message": "CUDA out"}\n\n', Fault.SERVER_ERROR, "CUDA out"),
        (
            ONE + TWO + b'data: {"error": {"code": 429, "message": "slow down"}, "choices": [{"delta":'
            b' {"content": ""}, "finish_reason": "error"}]}\n\n' + DONE,
            Fault.RATE_LIMITED,
            "slow down",
        ),
        (ONE + TWO + b'{"error": {"message": "CUDA out"}}\n', Fault.SERVER_ERROR, "CUDA out"),
        (ONE + TWO + b'{"error": "CUDA out"}\n' + DONE, Fault.SERVER_ERROR, "CUDA out"),
        (ONE + TWO + b"data: {broken\n\n", Fault.MALFORMED, "JSON"),
    ],
)
async def test_an_end_that_is_none_is_told_behind_what_was_said(
    model: OpenAIChatModel, server: OpenAIServer, body: bytes, fault: Fault, detail: str
) -> None:
    server.raw = [Raw(body)]
    _, said, error = await read(model, endpoint(server))
    assert error is not None
    assert (said, error.fault) == ("раз два", fault)
    assert detail in error.detail


def whole(**message: Any) -> bytes:
    usage = {"prompt_tokens": 7, "completion_tokens": 2}
    return json.dumps(
        {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
    ).encode()


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream", "text/plain"])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n \n"])
async def test_a_whole_answer_is_taken_as_one(
    model: OpenAIChatModel, server: OpenAIServer, kind: str, before: bytes
) -> None:
    """Whatever it says that it is; with its thoughts and its usage."""
    body = before + whole(role="assistant", content="<think>Hm.</think>раз два")
    server.raw = [
        Raw(body, kind=kind),
        Raw(body, kind=kind, cuts=(1, 2, 40)),
        Raw(b"data: " + body.strip() + b"\n\n"),
    ]
    assert await read(model, endpoint(server)) == ("Hm.", "раз два", None)
    parts = [part async for part in model.stream(endpoint(server), TURNS)]
    assert parts[-1] == Usage(prompt=7, answer=2)
    if not before:
        assert (await read(model, endpoint(server)))[:2] == ("Hm.", "раз два")


@pytest.mark.parametrize(
    ("body", "fault", "detail"),
    [
        (b'{"error": "model is loading"}', Fault.SERVER_ERROR, "model is loading"),
        (
            b'{"error": {"message": "no such model", "code": "model_not_found"}}',
            Fault.MODEL_NOT_FOUND,
            "no such model",
        ),
        (b'{"error": {"message": "slow down", "code": 429}}', Fault.RATE_LIMITED, "slow down"),
        (b'[{"error": {"message": "slow down", "code": 429}}]', Fault.RATE_LIMITED, "slow down"),
        (b'{"error":"Unexpected endpoint or method. (POST /x)"}', Fault.WRONG_ADDRESS, "Unexpected endpoint"),
        (
            b"<!DOCTYPE html><html><head><title>Open &amp; WebUI</title></head>",
            Fault.WRONG_ADDRESS,
            "Open & WebUI",
        ),
        (b"Ollama is running", Fault.WRONG_ADDRESS, "Ollama is running"),
        (b'{"message": "Welcome"}', Fault.WRONG_ADDRESS, "Welcome"),
        (b'{"error":"busy"}\n{"error":"busy"}\n', Fault.SERVER_ERROR, "busy"),
        (
            b'{"choices": null, "base_resp": {"status_code": 1008, "status_msg": "no balance"}}',
            Fault.SERVER_ERROR,
            "no balance",
        ),
        (b'{"broken', Fault.MALFORMED, "JSON"),
        (b"data: Internal Server Error\n\n", Fault.WRONG_ADDRESS, "Internal Server Error"),
        (b"", Fault.UNREACHABLE, "without a finish_reason"),
        (b"[" * 100_000, Fault.MALFORMED, ""),
    ],
)
@pytest.mark.parametrize("cuts", [(), (1, 3)])
async def test_what_is_no_answer_says_in_its_own_words_what_it_is(
    model: OpenAIChatModel,
    server: OpenAIServer,
    body: bytes,
    fault: Fault,
    detail: str,
    cuts: tuple[int, ...],
) -> None:
    server.raw = [Raw(body, cuts=cuts if len(body) > 3 else ())]
    thoughts, said, error = await read(model, endpoint(server))
    assert error is not None
    assert (thoughts, said, error.fault) == ("", "", fault)
    assert detail in error.detail


async def test_a_body_without_end_is_no_answer(model: OpenAIChatModel, server: OpenAIServer) -> None:
    """Neither one line nor one object may fill the memory."""
    server.raw = [Raw(b"data: " + b"x" * 3_000_000), Raw(b"{" + b" " * 3_000_000)]
    for _ in range(2):
        _, _, error = await read(model, endpoint(server))
        assert error is not None
        assert error.fault is Fault.MALFORMED


@pytest.mark.parametrize(
    "contents",
    [
        [
            [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}],
            [{"type": "text", "text": "раз два"}],
        ],
        [[{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "раз "}], "два"],
        [{"type": "reasoning", "text": "Hm."}, {"type": "text", "text": "раз два"}],
        [{"type": "reasoning", "content": "Hm."}, {"type": "output_text", "text": "раз два"}],
        [{"type": "reasoning", "summary": [{"text": "Hm."}]}, "раз два"],
        [[{"type": "reference", "reference_ids": [1]}, "<think>Hm.</think>раз ", {"text": "два"}], None, []],
    ],
)
async def test_a_content_of_typed_parts_is_thoughts_and_text(
    model: OpenAIChatModel, server: OpenAIServer, contents: list[Any]
) -> None:
    """A list of parts, as Mistral's reasoning models send it, or one part alone."""
    server.raw = [Raw(b"".join(event(content=content) for content in contents) + STOP + DONE)]
    assert await read(model, endpoint(server)) == ("Hm.", "раз два", None)


async def test_a_call_that_nobody_asked_for_is_no_answer(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    """Of a question without tools; beside an answer it is nothing."""
    call = event(tool_calls=[{"index": 0, "id": "x", "function": {"name": "find", "arguments": "{}"}}])
    server.raw = [Raw(call + event("tool_calls") + DONE), Raw(ONE + call + TWO + event("tool_calls") + DONE)]
    _, _, error = await read(model, endpoint(server))
    assert error is not None
    assert error.fault is Fault.EMPTY
    parts = [part async for part in model.stream(endpoint(server), TURNS)]
    assert [type(part) for part in parts] == [Text, Text]


async def test_all_so_far_beside_each_piece_is_read_once(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    choices: list[dict[str, Any]] = [
        {"delta": {"content": "раз "}, "message": {"content": "раз "}},
        {"delta": {"content": "два"}, "message": {"content": "раз два"}},
        {"delta": {}, "message": {"content": "раз два"}, "finish_reason": "stop"},
    ]
    body = b"".join(b"data: " + json.dumps({"choices": [each]}).encode() + b"\n\n" for each in choices)
    server.raw = [Raw(body + DONE)]
    assert await read(model, endpoint(server)) == ("", "раз два", None)


async def test_a_character_may_come_in_two_halves(model: OpenAIChatModel, server: OpenAIServer) -> None:
    """Servers that count in UTF-16 cut an emoji; a half without the other is a sign for one."""
    half, rest = (f'data: {{"choices":[{{"delta":{{"content":"{text}"}}}}]}}\n\n'.encode() for text in HALVES)
    server.raw = [Raw(half + rest + STOP + DONE), Raw(rest + STOP + DONE)]
    assert await read(model, endpoint(server)) == ("", "a😀b", None)
    assert await read(model, endpoint(server)) == ("", "\ufffdb", None)


async def test_a_stream_that_never_says_anything_ends(
    model: OpenAIChatModel, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects without a word keep a question waiting for so long, and not for ever."""
    monkeypatch.setattr("titan_desktop.adapters.openai.model.SILENCE_SHARE", 0)
    nothing = event(content=None) + event(content="") + event()
    server.raw = [Raw(nothing * 100, cuts=tuple(range(100, 100 * len(nothing), 100)))]
    _, _, error = await read(model, endpoint(server))
    assert error is not None
    assert error.fault is Fault.TIMED_OUT


async def test_thoughts_told_apart_by_the_server_leave_the_text_alone(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    """Its answer may speak of closing tags; blanks between the two belong to neither."""
    text = "It ends\n</think>\nthere."
    server.raw = [
        Raw(event(reasoning_content="Hm.") + event(content="\n\n") + event(content=text) + STOP + DONE)
    ]
    assert await read(model, endpoint(server)) == ("Hm.", text, None)


async def test_a_model_whose_thoughts_do_not_open_is_known_by_its_next_answer(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    body = event(content="Hm.\n") + event(content="</think>\n\nраз ") + TWO + STOP + DONE
    server.raw = [Raw(body), Raw(body)]
    assert await read(model, endpoint(server)) == ("Hm.\n", "раз два", None)
    parts = [type(part) async for part in model.stream(endpoint(server), TURNS)]
    assert (parts[0], WereThoughts in parts) == (Reasoning, False)


@pytest.mark.parametrize(
    "body",
    [
        event(content="<think>Hm.") + event("length") + DONE,
        event(reasoning="Hm.") + event("length") + DONE,
        event(reasoning={"summary": [{"type": "summary_text", "text": "Hm."}]}) + event("length") + DONE,
        event(reasoning_details=[{"type": "reasoning.text", "text": "Hm."}]) + event("length") + DONE,
    ],
)
async def test_thoughts_that_filled_the_length_are_told_as_cut(
    model: OpenAIChatModel, server: OpenAIServer, body: bytes
) -> None:
    server.raw = [Raw(body)]
    thoughts, said, error = await read(model, endpoint(server))
    assert error is not None
    assert (thoughts, said, error.fault) == ("Hm.", "", Fault.CUT_OFF)


async def test_connections_are_kept_over_answers(model: OpenAIChatModel, server: OpenAIServer) -> None:
    """A stream that has ended leaves its connection to the next one."""
    made: list[object] = []
    accept = server.get_request
    server.get_request = lambda: made.append(None) or accept()  # type: ignore[method-assign, func-returns-value]
    for _ in range(3):
        assert (await read(model, endpoint(server)))[1] == "elsewhere"
    assert len(made) == 1


# Addresses


@pytest.mark.parametrize(
    "elsewhere",
    [
        Raw(b"404 page not found", 404, "text/plain"),
        Raw(b'{"error":"Unexpected endpoint or method. (POST /chat/completions)"}', 200, "application/json"),
        Raw(b'{"detail":"Not Found"}', 404, "application/json"),
        Raw(b"<html><title>Home</title></html>", 200, "text/html"),
        Raw(b'{"detail":"Method Not Allowed"}', 405, "application/json"),
    ],
)
async def test_an_address_without_its_version_is_mended_once_and_remembered(
    model: OpenAIChatModel, server: OpenAIServer, elsewhere: Raw
) -> None:
    server.elsewhere = elsewhere
    base_url = server.base_url.removesuffix("/v1")
    assert model.answers_at(endpoint(server, base_url)) is None
    for address in (base_url, base_url, base_url + "/"):
        assert (await read(model, endpoint(server, address)))[1] == "elsewhere"
        assert model.answers_at(endpoint(server, address)) == server.base_url
    assert [request.path for request in server.requests] == [
        "/chat/completions",
        "/v1/chat/completions",
        "/v1/chat/completions",
        "/chat/completions",
        "/v1/chat/completions",
    ]


@pytest.mark.parametrize("method", ["/chat/completions", "/chat/completions/", "/models"])
async def test_the_address_of_a_method_is_taken_for_what_is_before_it(
    model: OpenAIChatModel, server: OpenAIServer, method: str
) -> None:
    """As a provider's page has it to be copied."""
    server.elsewhere = Raw(b"404 page not found", 404, "text/plain")
    for base_url in (server.base_url, server.base_url.removesuffix("/v1")):
        assert (await read(model, endpoint(server, base_url + method)))[1] == "elsewhere"
        assert model.answers_at(endpoint(server, base_url + method)) == server.base_url


async def test_a_refusal_from_behind_the_version_is_the_one_that_counts(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    server.key = "another"
    where = endpoint(server, server.base_url.removesuffix("/v1"))
    for _ in range(2):
        _, _, error = await read(model, where)
        assert error is not None
        assert error.fault is Fault.WRONG_KEY
    assert len(server.requests) == 3


async def test_where_nothing_answers_the_first_address_is_told(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    """In the server's own words; and nothing is remembered."""
    server.elsewhere = Raw(b"<html><title>My printer</title></html>", 200, "text/html")
    server.fault = "no_route"
    where = endpoint(server, server.base_url.removesuffix("/v1"))
    _, _, error = await read(model, where)
    assert error is not None
    assert (error.fault, error.detail) == (Fault.WRONG_ADDRESS, "My printer")
    server.fault = ""
    assert (await read(model, where))[1] == "elsewhere"


# What is not taken


async def test_rules_that_are_refused_as_a_system_turn_are_in_the_persons(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    server.refuses = ["system", "stream_options"]
    for _ in range(2):
        assert (await read(model, endpoint(server)))[1] == "elsewhere"
    assert len(server.chats) == 4
    assert server.chats[-1].body["messages"] == [{"role": "user", "content": "Be brief.\n\nСколько?"}]
    assert "stream_options" not in server.chats[-1].body


async def test_what_is_refused_within_a_stream_is_left_out_too(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    """LM Studio's way; an error behind the first word is none of that kind, whatever it says."""
    error = (
        b'event: error\ndata: {"error": {"message": "Error rendering prompt: System role not supported"}}\n\n'
    )
    server.raw = [Raw(error)]
    assert (await read(model, endpoint(server)))[1] == "elsewhere"
    assert [chat.body["messages"][0]["role"] for chat in server.chats] == ["system", "user"]
    server.raw = [Raw(ONE + error.replace(b"System", b"User"))]
    _, said, told = await read(model, endpoint(server))
    assert (said, told is not None, len(server.chats)) == ("раз ", True, 3)


async def test_an_error_about_an_address_behind_the_first_word_says_nothing_twice(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    server.elsewhere = Raw(ONE + b'data: {"error": "Invalid URL of an image"}\n\n')
    _, said, error = await read(model, endpoint(server, server.base_url.removesuffix("/v1")))
    assert error is not None
    assert (said, error.fault, len(server.requests)) == ("раз ", Fault.WRONG_ADDRESS, 1)


async def test_a_model_without_tools_is_asked_without(model: OpenAIChatModel, server: OpenAIServer) -> None:
    server.refuses = ["tools"]
    for _ in range(2):
        assert (await read(model, endpoint(server), [TOOL]))[1] == "elsewhere"
    assert ["tools" in chat.body for chat in server.chats] == [True, False, False]
