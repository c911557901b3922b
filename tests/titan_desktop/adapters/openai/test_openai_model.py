"""The model's adapter against a real HTTP server: what streams, what fails and how it is called, what hangs up."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.openai_server import OpenAIServer, serve
from titan_desktop.adapters.openai.model import OpenAIChatModel
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError, Text, Turn

TURNS = (Turn("system", "Be brief."), Turn("user", "Сколько?"))
TEXT = "one two three four five six"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serve(text=TEXT) as server:
        yield server


@pytest.fixture
async def model() -> AsyncIterator[OpenAIChatModel]:
    model = OpenAIChatModel(connect_timeout_s=2, first_token_timeout_s=2, idle_timeout_s=2)
    yield model
    await model.close()


def endpoint(server: OpenAIServer, key: str = "k") -> Endpoint:
    return Endpoint(base_url=server.base_url, model="m", key=key)


async def read(model: OpenAIChatModel, where: Endpoint) -> tuple[str, ModelError | None]:
    """All that was said, and what ended it."""
    said = ""
    try:
        async for part in model.stream(where, TURNS):
            said += part.text if isinstance(part, Text) else ""
    except ModelError as error:
        return said, error
    return said, None


async def test_an_answer_streams_and_the_prompt_arrives(model: OpenAIChatModel, server: OpenAIServer) -> None:
    assert await read(model, endpoint(server)) == (TEXT, None)
    [request] = server.chats
    assert request.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Сколько?"},
    ]
    assert request.body["model"] == "m"
    assert request.headers["authorization"] == "Bearer k"


async def test_a_server_without_a_key_is_asked_with_none(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    await read(model, endpoint(server, key=""))
    assert server.chats[0].headers["authorization"] == "Bearer none"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("invalid_api_key", Fault.WRONG_KEY),
        ("permission_denied", Fault.WRONG_KEY),
        ("model_not_found", Fault.MODEL_NOT_FOUND),
        ("ollama_model_not_found", Fault.MODEL_NOT_FOUND),
        ("rate_limit", Fault.RATE_LIMITED),
        ("insufficient_quota", Fault.QUOTA_EXCEEDED),
        ("context_length_exceeded", Fault.CONTEXT_TOO_LONG),
        ("content_policy_violation", Fault.REFUSED),
        ("bad_request", Fault.REFUSED),
        ("server_error", Fault.SERVER_ERROR),
        ("no_route", Fault.UNREACHABLE),
        ("html", Fault.UNREACHABLE),
        ("empty", Fault.SERVER_ERROR),
    ],
)
async def test_a_refusal_is_called_by_its_name_and_not_tried_again(
    model: OpenAIChatModel, server: OpenAIServer, fault: str, expected: Fault
) -> None:
    server.fault = fault
    said, error = await read(model, endpoint(server))
    assert error is not None
    assert (said, error.fault, len(server.chats)) == ("", expected, 1)
    assert error.detail


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("drop", Fault.UNREACHABLE),
        ("cut", Fault.UNREACHABLE),
        ("error_in_stream", Fault.SERVER_ERROR),
        ("content_filter", Fault.REFUSED),
    ],
)
async def test_what_was_said_before_the_break_has_been_yielded(
    model: OpenAIChatModel, server: OpenAIServer, fault: str, expected: Fault
) -> None:
    server.fault = fault
    said, error = await read(model, endpoint(server))
    assert error is not None
    assert (said, error.fault) == ("one two three ", expected)


@pytest.mark.parametrize(
    ("fault", "said", "first_s", "idle_s"),
    [("hang", "", 0.2, 30), ("hang_midway", "one two three ", 30, 0.5)],
)
async def test_silence_times_out_and_hangs_up(
    server: OpenAIServer, fault: str, said: str, first_s: float, idle_s: float
) -> None:
    impatient = OpenAIChatModel(first_token_timeout_s=first_s, idle_timeout_s=idle_s)
    server.fault = fault
    text, error = await read(impatient, endpoint(server))
    assert error is not None
    assert (text, error.fault) == (said, Fault.TIMED_OUT)
    assert await asyncio.to_thread(server.chats[0].left.wait, 5)
    await impatient.close()


async def test_nobody_at_the_address_is_unreachable(model: OpenAIChatModel) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = Endpoint(base_url=f"http://127.0.0.1:{free.getsockname()[1]}/v1", model="m")
        _, error = await read(model, nobody)
    assert error is not None
    assert error.fault is Fault.UNREACHABLE


@pytest.mark.parametrize(
    "base_url", ["", "localhost:11434", "ftp://x/v1", "http://", "http://[::1/v1", "http://x:y/v1"]
)
async def test_what_is_no_address_is_unreachable(model: OpenAIChatModel, base_url: str) -> None:
    _, error = await read(model, Endpoint(base_url=base_url, model="m"))
    assert error is not None
    assert error.fault is Fault.UNREACHABLE


@pytest.mark.parametrize("key", ["ключ", "two words", "line\nbreak"])
async def test_a_key_that_cannot_be_sent_is_a_wrong_key(
    model: OpenAIChatModel, server: OpenAIServer, key: str
) -> None:
    _, error = await read(model, endpoint(server, key))
    assert error is not None
    assert (error.fault, server.requests) == (Fault.WRONG_KEY, [])


async def test_no_key_stands_in_what_the_endpoint_said(model: OpenAIChatModel, server: OpenAIServer) -> None:
    server.fault = "invalid_api_key"
    _, error = await read(model, endpoint(server, key="You"))
    assert error is not None
    assert "sk-wrong" not in error.detail
    assert "You" not in error.detail
    assert "Incorrect API key" in error.detail


async def test_a_kept_connection_that_was_closed_costs_nobody_an_answer(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    server.faults = ["hangup"]
    assert await read(model, endpoint(server)) == (TEXT, None)
    assert len(server.chats) == 2


async def test_stopping_to_read_hangs_up(model: OpenAIChatModel, server: OpenAIServer) -> None:
    server.hold(after=2)
    said = ""
    async with contextlib.aclosing(model.stream(endpoint(server), TURNS)) as parts:
        async for part in parts:
            assert isinstance(part, Text)
            said += part.text
            if said == "one two ":
                break
    assert await asyncio.to_thread(server.chats[0].left.wait, 5)


async def test_cancelling_the_reader_hangs_up(model: OpenAIChatModel, server: OpenAIServer) -> None:
    server.hold()
    reader = asyncio.create_task(read(model, endpoint(server)))
    assert await asyncio.to_thread(server.holding.wait, 5)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert await asyncio.to_thread(server.chats[0].left.wait, 5)


async def test_new_settings_hold_for_the_next_answer_and_let_the_running_one_end(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    with serve(text="the other one") as other:
        server.hold(after=1)
        running = asyncio.create_task(read(model, endpoint(server)))
        assert await asyncio.to_thread(server.holding.wait, 5)
        assert await read(model, endpoint(other)) == ("the other one", None)
        server.release()
        assert await running == (TEXT, None)


async def test_a_server_that_never_says_done_does_not_hold_a_whole_answer_back(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    server.fault = "no_done"
    assert await read(model, endpoint(server)) == (TEXT, None)
