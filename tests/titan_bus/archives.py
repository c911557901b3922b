"""What the tests of the archive share: segments made by hand, and what the archive holds."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from titan_bus import Bus, BusConfig, Event, names
from titan_bus.archive.archive import Archive
from titan_bus.archive.folder import FolderStore
from titan_bus.archive.segment import SegmentWriter, id_of
from titan_bus.connections.connection import Connection

ALWAYS = "2000-01-01T00:00:00Z"


async def publish(bus: Bus, topic: str, count: int, start: int = 0) -> list[str]:
    """Publish so many numbered events, and return their ids."""
    return list(
        await asyncio.gather(*(bus.publish(topic, "e", {"n": n}) for n in range(start, start + count)))
    )


async def quiet(raw: Connection, config: BusConfig) -> None:
    """Let a bus of this configuration archive only when it is asked to, and to whatever folder it names."""
    assert config.archive is not None
    await raw.call("DEL", names.ARCHIVE_TARGET)
    await raw.call("SET", names.archive_done(config.archive.topics, config.archive.every_s), "1")


async def ids(events: AsyncIterator[Event]) -> list[str]:
    return [event.event_id async for event in events]


async def cut(raw: Connection, topic: str, keep: int) -> None:
    """Remove all but the newest entries from a stream, as trimming does when all groups are done."""
    await raw.call("XTRIM", names.stream_of(topic), "MAXLEN", keep)


async def archived(folder: Path, stream: str) -> list[bytes]:
    """Return the ids of all entries in the archive, in the order of the segments."""
    archive = Archive(FolderStore(folder))
    found: list[bytes] = []
    for name, _ in await archive.segments(stream):
        segment = await archive.read(name)
        assert segment is not None
        assert segment.damage is None
        for block in segment.blocks:
            found += [str(id_of(line)).encode() for line in segment.lines(block)]
    return found


async def entries(raw: Connection, stream: str) -> list[tuple[bytes, list[bytes]]]:
    return [(entry[0], entry[1]) for entry in await raw.call("XRANGE", stream, "-", "+")]


async def write_segment(folder: Path, stream: str, kept: Iterable[tuple[bytes, list[bytes]]]) -> Path:
    """Put a segment of these entries into an archive; returns its file."""
    writer = SegmentWriter(stream)
    writer.extend(kept)
    name, data = writer.finish()
    await Archive(FolderStore(folder)).write(name, data)
    return folder / str(name)
