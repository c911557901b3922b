"""One suite for every ChatModel: what streams, what fails and how it is called, what hangs up."""

import asyncio
import contextlib
import socket

import pytest

from tests.contract.conftest import Served
from tests.openai_server import serve
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import ChatModel, Endpoint, ModelError, Text, Turn

TURNS = (Turn("system", "Be brief."), Turn("user", "Сколько?"))
TEXT = "one two three four five six"


async def read(model: ChatModel, where: Endpoint) -> tuple[str, ModelError | None]:
    """All that was said, and what ended it."""
    said = ""
    try:
        async for part in model.stream(where, TURNS):
            said += part.text if isinstance(part, Text) else ""
    except ModelError as error:
        return said, error
    return said, None


async def test_an_answer_streams_as_text(served: Served) -> None:
    assert await read(served.model, served.endpoint()) == (TEXT, None)


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
        ("no_route", Fault.WRONG_ADDRESS),
        ("html", Fault.WRONG_ADDRESS),
        ("empty", Fault.EMPTY),
    ],
)
async def test_a_refusal_is_called_by_its_name_and_not_tried_again(
    served: Served, fault: str, expected: Fault
) -> None:
    served.server.fault = fault
    said, error = await read(served.model, served.endpoint())
    assert error is not None
    assert (said, error.fault, len(served.server.chats)) == ("", expected, 1)
    assert error.detail or expected is Fault.EMPTY


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("drop", Fault.UNREACHABLE),
        ("cut", Fault.UNREACHABLE),
        ("error_in_stream", Fault.SERVER_ERROR),
        ("content_filter", Fault.FILTERED),
    ],
)
async def test_what_was_said_before_the_break_has_been_yielded(
    served: Served, fault: str, expected: Fault
) -> None:
    served.server.fault = fault
    said, error = await read(served.model, served.endpoint())
    assert error is not None
    assert (said, error.fault) == ("one two three ", expected)


async def test_an_answer_that_reached_its_length_is_yielded_and_told(served: Served) -> None:
    served.server.fault = "length"
    said, error = await read(served.model, served.endpoint())
    assert error is not None
    assert (said, error.fault, error.detail) == (TEXT, Fault.CUT_OFF, "finish_reason: length")


@pytest.mark.parametrize(
    ("fault", "said", "first_s", "idle_s"),
    [("hang", "", 0.2, 30), ("hang_midway", "one two three ", 30, 0.5)],
)
async def test_silence_times_out_and_hangs_up(
    served: Served, fault: str, said: str, first_s: float, idle_s: float
) -> None:
    impatient = served.impatient(first_s, idle_s)
    served.server.fault = fault
    text, error = await read(impatient, served.endpoint())
    assert error is not None
    assert (text, error.fault) == (said, Fault.TIMED_OUT)
    assert await asyncio.to_thread(served.server.chats[0].left.wait, 5)
    await impatient.close()


async def test_nobody_at_the_address_is_unreachable(served: Served) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = Endpoint(base_url=f"http://127.0.0.1:{free.getsockname()[1]}/v1", model="m")
        _, error = await read(served.model, nobody)
    assert error is not None
    assert error.fault is Fault.UNREACHABLE


@pytest.mark.parametrize(
    "base_url", ["", "localhost:11434", "ftp://x/v1", "http://", "http://[::1/v1", "http://x:y/v1"]
)
async def test_what_is_no_address_is_told_as_one(served: Served, base_url: str) -> None:
    _, error = await read(served.model, Endpoint(base_url=base_url, model="m"))
    assert error is not None
    assert error.fault is Fault.BAD_ADDRESS


@pytest.mark.parametrize("key", ["ключ", "two words", "line\nbreak"])
async def test_a_key_that_cannot_be_sent_is_a_wrong_key(served: Served, key: str) -> None:
    _, error = await read(served.model, served.endpoint(key))
    assert error is not None
    assert (error.fault, served.server.requests) == (Fault.WRONG_KEY, [])


async def test_stopping_to_read_hangs_up(served: Served) -> None:
    served.server.hold(after=2)
    said = ""
    async with contextlib.aclosing(served.model.stream(served.endpoint(), TURNS)) as parts:
        async for part in parts:
            assert isinstance(part, Text)
            said += part.text
            if said == "one two ":
                break
    assert await asyncio.to_thread(served.server.chats[0].left.wait, 5)


async def test_cancelling_the_reader_hangs_up(served: Served) -> None:
    served.server.hold()
    reader = asyncio.create_task(read(served.model, served.endpoint()))
    assert await asyncio.to_thread(served.server.holding.wait, 5)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert await asyncio.to_thread(served.server.chats[0].left.wait, 5)


async def test_new_settings_hold_for_the_next_answer_and_let_the_running_one_end(served: Served) -> None:
    with serve(text="the other one") as other:
        served.server.hold(after=1)
        running = asyncio.create_task(read(served.model, served.endpoint()))
        assert await asyncio.to_thread(served.server.holding.wait, 5)
        assert await read(served.model, Endpoint(base_url=other.base_url, model="m", key="k")) == (
            "the other one",
            None,
        )
        served.server.release()
        assert await running == (TEXT, None)
