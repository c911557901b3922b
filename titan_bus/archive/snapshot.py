"""The positions of a topic's groups, and the events that wait for a retry: what a segment does not contain.

A failed event is acknowledged on its stream and is in a delayed set, then in a retry stream. It would be lost with
the server, so it is stored beside the segments. `archiver` takes snapshots, `restore` restores them.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import msgspec

from titan_bus import codec, names
from titan_bus.connections.connection import Connection
from titan_bus.entry_id import EntryId
from titan_bus.errors import EntryMalformedError, SegmentDamagedError, ServerRefusedError

VERSION = 1
PAGE = 100
LINE_BYTES_MAX = 64 * 1024 * 1024
"""An event has 32 KB at most, a group's position some 100 bytes: a longer line was not written by us."""


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: for each group the id up to which it had acknowledged everything."""

    version: int
    stream: str
    groups: dict[str, str]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A further line: an event that waits for a group until `due_ms` (since the epoch, the server's clock)."""

    group: str
    due_ms: int
    event: bytes


async def groups_of(connection: Connection, stream: str) -> dict[str, dict[str, Any]]:
    """Return the server's data on the groups of a stream; empty when there is no such stream."""
    try:
        rows = await connection.call("XINFO", "GROUPS", stream)
    except ServerRefusedError as error:
        if error.code != "ERR":  # XINFO returns ERR for a missing key
            raise
        return {}
    named = [{key.decode(): value for key, value in zip(row[::2], row[1::2], strict=True)} for row in rows]
    return {row["name"].decode(errors="backslashreplace"): row for row in named}


async def take(connection: Connection, stream: str) -> bytes | None:
    """Return the encoded snapshot of a stream; None when it has no group, and nothing to be published later."""
    import zstandard

    topic = names.topic_of(stream)
    # Positions first, then waiting events: an event that fails in between is in both; the other way round, in
    # none.
    places = await _places(connection, stream)
    if topic is None:
        return None
    later = _waiting(connection, topic, names.LATER)
    soonest = await anext(later, None)
    if not places and soonest is None:
        return None
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()
    head = msgspec.json.encode(Places(version=VERSION, stream=stream, groups=places))
    parts = [compressor.compress(head + b"\n")]
    if soonest is not None:
        parts.append(await asyncio.to_thread(_packed, compressor, soonest))
    for pages in (later, *(_waiting(connection, topic, group) for group in places)):
        parts += [await asyncio.to_thread(_packed, compressor, page) async for page in pages]
    parts.append(compressor.flush())
    return b"".join(parts)


def read(name: str, data: bytes, stream: str) -> tuple[Places, Iterator[Waiting]]:
    """Decode a stored snapshot. CPU work: call it, and step through the iterator, in a thread.

    Raises:
        SegmentDamagedError: it has changed; the iterator raises it, too.
    """
    import zstandard

    def damaged(error: Exception) -> SegmentDamagedError:
        return SegmentDamagedError(name, f"it is not what was written: {error}")

    lines = io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(data))

    def waiting() -> Iterator[Waiting]:
        try:
            while line := lines.readline(LINE_BYTES_MAX):
                yield msgspec.json.decode(line, type=Waiting)
        except (zstandard.ZstdError, msgspec.MsgspecError) as error:
            raise damaged(error) from error

    try:
        places = msgspec.json.decode(lines.readline(LINE_BYTES_MAX), type=Places)
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise damaged(error) from error
    if places.version != VERSION:
        raise SegmentDamagedError(name, f"it is of version {places.version}, this program reads {VERSION}")
    if places.stream != stream:
        raise SegmentDamagedError(name, f"it is a snapshot of {places.stream}: it was copied here")
    return places, waiting()


def write(places: Places, waiting: Sequence[Waiting]) -> bytes:
    """Encode a snapshot. CPU work, for a thread."""
    import zstandard

    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()
    head = compressor.compress(msgspec.json.encode(places) + b"\n")
    return head + _packed(compressor, waiting) + bytes(compressor.flush())


async def _places(connection: Connection, stream: str) -> dict[str, str]:
    places: dict[str, str] = {}
    for group, row in (await groups_of(connection, stream)).items():
        if group == names.ARCHIVE_GROUP:
            continue
        place = EntryId.parse(row["last-delivered-id"])
        summary = await connection.call("XPENDING", stream, row["name"])
        if summary[0]:
            place = min(place, EntryId.parse(summary[1]).previous())
        places[group] = str(place)
    return places


async def _waiting(connection: Connection, topic: str, group: str) -> AsyncIterator[list[Waiting]]:
    """Read the delayed set, the retry stream, and the set again: an event may move meanwhile."""
    seen: set[str | bytes] = set()

    def fresh(rows: Sequence[tuple[bytes, int]]) -> list[Waiting]:
        found: list[Waiting] = []
        for event, due in rows:
            try:
                event_id: str | bytes = codec.decode([codec.FIELD, event]).event_id
            except EntryMalformedError:
                event_id = event
            if event_id not in seen:
                seen.add(event_id)
                found.append(Waiting(group=group, due_ms=due, event=event))
        return found

    delayed, retries = names.delayed_of(group, topic), names.retries_of(group, topic)
    async for rows in _delayed(connection, delayed):
        yield await asyncio.to_thread(fresh, rows)
    async for bodies in _retried(connection, retries):
        yield await asyncio.to_thread(fresh, [(event, 0) for event in bodies])
    async for rows in _delayed(connection, delayed):
        yield await asyncio.to_thread(fresh, rows)


async def _delayed(connection: Connection, key: str) -> AsyncIterator[list[tuple[bytes, int]]]:
    cursor: Any = 0
    while True:
        cursor, flat = await connection.call("ZSCAN", key, cursor, "COUNT", PAGE)
        yield [(event, int(float(due))) for event, due in zip(flat[::2], flat[1::2], strict=True)]
        if int(cursor) == 0:
            return


async def _retried(connection: Connection, stream: str) -> AsyncIterator[list[bytes]]:
    start = "-"
    while page := await connection.call("XRANGE", stream, start, "+", "COUNT", PAGE):
        yield [fields[1] for _, fields in page if len(fields) > 1 and fields[0] == codec.FIELD]
        start = f"({page[-1][0].decode()}"


def _packed(compressor: Any, page: Sequence[Waiting]) -> bytes:
    return bytes(compressor.compress(b"".join(msgspec.json.encode(one) + b"\n" for one in page)))
