"""What is kept beyond the streams: segments and snapshots in a store.

`archiver` writes it, `replay` and `restore` read it. It knows names and formats, and asks no server.
"""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from titan_bus.archive.segment import Segment
from titan_bus.archive.segment_name import SegmentName, folder_of, stream_of
from titan_bus.archive.storage import Store, open_store
from titan_bus.config import ArchiveConfig

SNAPSHOT = "groups.jsonl.zst"


class Kept(NamedTuple):
    """A segment in the store, and its length in bytes."""

    name: SegmentName
    size: int


class Archive:
    """The archive in one store. Every method raises StoreError when that fails."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def open(cls, config: ArchiveConfig) -> "Archive":
        """Return the archive that a configuration names. Nothing is read yet.

        Raises:
            ValueError: the target or an option is none that is known.
            ExtraMissingError: S3 is not installed.
        """
        return cls(open_store(config.target, config.options))

    @property
    def target(self) -> str:
        """Where it is."""
        return self._store.target

    async def segments(self, stream: str = "") -> list[Kept]:
        """Return the segments of a stream, of all streams without one, in the order of their first entries."""
        found = await self._store.stored(folder_of(stream) if stream else "")
        kept = [Kept(name, size) for key, size in found if (name := SegmentName.parse(key)) is not None]
        return sorted(kept, key=lambda one: (one.name.first, one.name.last))

    async def streams(self) -> list[str]:
        """Return the streams of which something is kept, sorted."""
        keys = [key for key, _ in await self._store.stored()]
        found = {stream_of(key.partition("/")[0]) for key in keys if _is_ours(key)}
        return sorted(found)

    async def read(self, name: SegmentName) -> Segment | None:
        """Return a segment; None when retention has removed it meanwhile."""
        data = await self._store.get(str(name))
        return None if data is None else await asyncio.to_thread(Segment, name, data)

    async def write(self, name: SegmentName, data: bytes) -> None:
        """Keep a segment. When this returns it is durable."""
        await self._store.put(str(name), data)

    async def remove(self, segments: Iterable[SegmentName]) -> None:
        """Remove segments for good."""
        await self._store.delete([str(name) for name in segments])

    async def read_snapshot(self, stream: str) -> tuple[str, bytes | None]:
        """Return the name of a stream's snapshot and what is stored there, None when nothing is."""
        key = _snapshot_of(stream)
        return key, await self._store.get(key)

    async def write_snapshot(self, stream: str, data: bytes) -> None:
        """Replace a stream's snapshot."""
        await self._store.put(_snapshot_of(stream), data)


def _is_ours(key: str) -> bool:
    folder, _, name = key.partition("/")
    return SegmentName.parse(key) is not None or (name == SNAPSHOT and folder_of(stream_of(folder)) == folder)


def _snapshot_of(stream: str) -> str:
    return f"{folder_of(stream)}/{SNAPSHOT}"
