"""`errors.dlq`: what could not be handled, with its reason, its origin and its bytes as they were."""

import traceback
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from titan_bus import codec, names
from titan_bus.connection import Connection
from titan_bus.errors import EntryMalformedError
from titan_bus.event import Event, timestamp_now

LETTERS_MAX = 10_000
"""With their tracebacks some 100 MB as a rule: they live in the memory of the server."""
TRACEBACK_CHARS_MAX = 8_000
PAGE = 100
_INFO = b"d"
_ORIGINAL = b"raw:"
"""The entry's own fields follow under this prefix, byte for byte."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Why an entry became a dead letter, and where it was: stream, group and entry id."""

    error: str
    message: str
    traceback: str
    stream: str
    group: str
    entry_id: str
    at: str


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter. `event` is None when the entry was no event; `fields` has its bytes in any case."""

    letter_id: str
    origin: Origin
    fields: dict[str, bytes]
    event: Event | None


def origin_of(error: BaseException, stream: str, group: str, entry_id: bytes) -> Origin:
    """Describe the failure of an entry."""
    trace = "".join(traceback.format_exception(error))
    return Origin(
        error=type(error).__name__,
        message=str(error),
        traceback=trace[-TRACEBACK_CHARS_MAX:],
        stream=stream,
        group=group,
        entry_id=entry_id.decode(),
        at=timestamp_now(),
    )


def pack(origin: Origin, fields: Sequence[bytes]) -> list[bytes]:
    """Return the flat fields of a dead letter's entry."""
    packed = [_INFO, msgspec.json.encode(origin)]
    for name, value in zip(fields[::2], fields[1::2], strict=False):
        packed += [_ORIGINAL + name, value]
    return packed


class DeadLetters:
    """Reads `errors.dlq`. Consumers write it themselves, in one step with the acknowledgement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self, limit: int = 100) -> list[DeadLetter]:
        """Return the newest dead letters, newest first."""
        entries = await self._connection.call("XREVRANGE", names.DEAD_LETTERS, "+", "-", "COUNT", limit)
        return [_unpack(entry_id, fields) for entry_id, fields in entries]

    async def __aiter__(self) -> AsyncIterator[DeadLetter]:
        start = "-"
        while True:
            page: list[Any] = await self._connection.call(
                "XRANGE", names.DEAD_LETTERS, start, "+", "COUNT", PAGE
            )
            for entry_id, fields in page:
                yield _unpack(entry_id, fields)
            if len(page) < PAGE:
                return
            start = f"({page[-1][0].decode()}"


def _unpack(letter_id: bytes, packed: Sequence[bytes]) -> DeadLetter:
    pairs = dict(zip(packed[::2], packed[1::2], strict=False))
    origin = msgspec.json.decode(pairs.pop(_INFO), type=Origin)
    fields = {name.removeprefix(_ORIGINAL): value for name, value in pairs.items()}
    try:
        event = codec.decode([part for pair in fields.items() for part in pair])
    except EntryMalformedError:
        event = None
    return DeadLetter(
        letter_id=letter_id.decode(),
        origin=origin,
        fields={name.decode(errors="backslashreplace"): value for name, value in fields.items()},
        event=event,
    )
