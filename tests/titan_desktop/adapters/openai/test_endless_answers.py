"""Claims about answers that do not end, or come in the smallest pieces: they cost no memory and no time."""

import time
from collections.abc import AsyncIterator
from itertools import chain

import pytest

from tests.hostile import LIMIT_S
from titan_desktop.adapters.openai import server_events
from titan_desktop.adapters.openai.answer_body import AnswerBody
from titan_desktop.adapters.openai.server_events import EventDecoder, EventTooLongError
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError


@pytest.mark.parametrize("piece", [b"data: x\n", b"data: x\r", b": ping\n", b"x"])
def test_an_event_without_end_is_none(monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    """Lines of one event, of comments, or one line: what would be kept of it is bounded."""
    monkeypatch.setattr(server_events, "EVENT_BYTES_MAX", 10_000)
    decoder = EventDecoder()
    with pytest.raises(EventTooLongError):
        list(chain.from_iterable(decoder.feed(piece) for _ in range(10_001)))


def test_many_events_are_not_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long answer has many events; the limit is for each."""
    monkeypatch.setattr(server_events, "EVENT_BYTES_MAX", 100)
    decoder = EventDecoder()
    found = [event.data for _ in range(1_000) for event in decoder.feed(b": ping\n\ndata: x\n\n")]
    assert found == ["x"] * 1_000


async def test_a_body_of_single_bytes_takes_time_in_proportion() -> None:
    """A hundred thousand pieces are counted once each."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"{"
        for _ in range(100_000):
            yield b" "

    began_s = time.thread_time()
    with pytest.raises(ModelError) as caught:
        async for _ in AnswerBody(Endpoint("http://localhost/v1", "m", "k"), pieces()).objects():
            pass
    assert caught.value.fault is Fault.MALFORMED
    assert time.thread_time() - began_s < LIMIT_S
