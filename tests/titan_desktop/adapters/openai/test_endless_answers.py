"""Claims about answers that do not end, or come in the smallest pieces: they cost no memory and no time."""

import asyncio
import contextlib
import time
import zlib
from collections.abc import AsyncIterator
from itertools import chain

import pytest

from tests.hostile import LIMIT_S
from titan_desktop.adapters.openai import server_events, transport
from titan_desktop.adapters.openai.answer_body import AnswerBody
from titan_desktop.adapters.openai.embedder import OpenAIEmbedder
from titan_desktop.adapters.openai.model import OpenAIChatModel
from titan_desktop.adapters.openai.server_events import EventDecoder, EventTooLongError
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError, Turn

ENDLESS_BYTES = 16_000_000
"""So much is sent when nobody hangs up; sockets hold a few megabytes of it."""


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


@contextlib.asynccontextmanager
async def endless(status: int, piece: bytes, *, packed: bool = False) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that answers anything with this piece over and over; yields its address and what it has sent."""
    sent = [0]
    packer = zlib.compressobj(wbits=31)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        encoding = "Content-Encoding: gzip\r\n" if packed else ""
        writer.write(f"HTTP/1.1 {status} Well\r\nConnection: close\r\n{encoding}\r\n".encode())
        with contextlib.suppress(ConnectionError):
            while sent[0] < ENDLESS_BYTES:
                writer.write(packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) if packed else piece)
                await writer.drain()
                sent[0] += len(piece)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", sent
    finally:
        server.close()


async def test_an_error_without_end_is_told_by_its_beginning() -> None:
    """An error's body is read whole by the package: the rest of it never arrives."""
    model = OpenAIChatModel()
    async with endless(500, b"no room left " * 80_000) as (address, sent):
        with pytest.raises(ModelError) as caught:
            async for _ in model.stream(Endpoint(address, "m", "k"), [Turn("user", "?")]):
                pass
        await model.close()
        assert caught.value.fault is Fault.SERVER_ERROR
        assert caught.value.detail.startswith("no room left")
        assert sent[0] < ENDLESS_BYTES


async def test_a_packed_error_is_not_unpacked_without_end() -> None:
    """Sixteen megabytes take sixteen kilobytes on the way."""
    async with endless(500, b"no room left " * 80_000, packed=True) as (address, _):
        client, _ = transport.http_client(address)
        async with client:
            assert len((await client.get(address)).content) == transport.REFUSAL_BYTES_MAX


@pytest.mark.parametrize("packed", [False, True])
async def test_vectors_without_end_are_none(monkeypatch: pytest.MonkeyPatch, *, packed: bool) -> None:
    """They are refused once they are more than any batch has."""
    monkeypatch.setattr(transport, "BODY_BYTES_MAX", 100_000)
    async with endless(200, b"[1," * 300_000, packed=packed) as (address, sent):
        embedder = OpenAIEmbedder(Endpoint(address, "m", "k"))
        with pytest.raises(ModelError) as caught:
            await embedder.embed_query("?")
        await embedder.close()
        assert (caught.value.fault, caught.value.detail) == (Fault.MALFORMED, "more than 100000 bytes")
        assert packed or sent[0] < ENDLESS_BYTES


async def test_a_list_of_models_without_end_tells_no_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """The question goes without it."""
    monkeypatch.setattr(transport, "BODY_BYTES_MAX", 100_000)
    model = OpenAIChatModel()
    async with endless(200, b"[1," * 300_000) as (address, sent):
        assert await model.context_tokens(Endpoint(address, "m", "k")) is None
        await model.close()
        assert sent[0] < ENDLESS_BYTES
