"""The archive: segments and snapshots in a store.

`archiver` writes it, `replay` and `restore` read it. It knows names and formats, and never contacts the server.
"""

import asyncio
import heapq
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from titan_bus.archive.folder import FolderStore
from titan_bus.archive.segment import Segment
from titan_bus.archive.segment_name import SegmentName, folder_of, stream_of
from titan_bus.archive.storage import Store, Stored
from titan_bus.config import ArchiveConfig
from titan_bus.entry_id import LAST, EntryId
from titan_bus.event import new_ulid

RUN = 2_000
SNAPSHOT = "groups.jsonl.zst"
_ASIDE = re.compile(r"groups_(\d{1,20}-\d{1,20})\.jsonl\.zst")
"""A snapshot that was set aside, and the last archived id at that time."""
_STREAM = "stream"
"""Contains the stream's name when the folder's name is too short for it."""
ID_KEY = "=archive/id"
"""The archive's identity, independent of the path to it. No topic has a folder of this name."""


class StoredSegment(NamedTuple):
    """A segment in the store, and its length in bytes."""

    name: SegmentName
    size: int


class SnapshotName(NamedTuple):
    """A snapshot in the store: the newest of its stream, or one set aside when the archive ended at `aside`."""

    stream: str
    aside: EntryId | None = None

    def __str__(self) -> str:
        name = SNAPSHOT if self.aside is None else f"groups_{self.aside}.jsonl.zst"
        return f"{folder_of(self.stream)}/{name}"

    @classmethod
    def parse(cls, key: str, stream: str) -> "SnapshotName | None":
        """Parse a key; None when it is no snapshot of this stream."""
        found = _ASIDE.fullmatch(key.partition("/")[2])
        name = cls(stream, None if found is None else EntryId.parse(found[1]))
        return name if str(name) == key else None


class Archive:
    """The archive in one store. Every method raises StoreError when the store fails."""

    def __init__(self, store: Store, *, begins_anew: bool = False) -> None:
        self._store = store
        self._begins_anew = begins_anew
        self._named: dict[str, str] = {}

    @classmethod
    def open(cls, config: ArchiveConfig) -> "Archive":
        """Return the archive of a configuration. Nothing is read yet.

        Raises:
            ValueError: the target or an option is unknown.
            ExtraMissingError: the S3 extra is not installed.
        """
        return cls(open_store(config.target, config.options), begins_anew=config.begins_anew)

    @property
    def target(self) -> str:
        """The location of the archive."""
        return self._store.target

    async def identity(self) -> str | None:
        """Return the archive's identity; None when it was never written to."""
        found = await self._store.get(ID_KEY)
        return None if found is None else found.decode(errors="replace").strip()

    def is_of(self, identity: str, target: str, ours: str | None) -> bool:
        """Whether a server that names this identity and this target is archived here, where `ours` is found."""
        return identity == ours or (ours is None and self._begins_anew and target == self.target)

    async def identify(self, prefix: str) -> str:
        """Give the archive of the bus with this prefix an identity, and return it."""
        identity = f"{new_ulid()}|{prefix}" if prefix else new_ulid()
        await self._store.put(ID_KEY, identity.encode())
        return identity

    async def segments(self, stream: str = "") -> list[StoredSegment]:
        """Return the segments of a stream, or of all streams, ordered by their first entries."""
        found = await self._store.stored(folder_of(stream) if stream else "")
        return await asyncio.to_thread(_segments, found, await self._streams_of(found, stream))

    async def streams(self) -> list[str]:
        """Return the archived streams, sorted."""
        found = await self._store.stored()
        streams = await self._streams_of(found)
        segments = await asyncio.to_thread(_segments, found, streams)
        return sorted(
            {one.name.stream for one in segments} | {name.stream for name in _snapshots(found, streams)}
        )

    async def read(self, name: SegmentName) -> Segment | None:
        """Return a segment; None when retention has removed it meanwhile."""
        data = await self._store.get(str(name))
        return None if data is None else await asyncio.to_thread(Segment, name, data)

    async def write(self, name: SegmentName, data: bytes) -> None:
        """Write a segment. When this returns it is durable."""
        await self._write(name.stream, str(name), data)

    async def remove(self, objects: Iterable[SegmentName | SnapshotName]) -> None:
        """Remove segments and snapshots for good."""
        await self._store.delete([str(name) for name in objects])

    async def sweep(self, stream: str) -> None:
        """Remove the half-written objects of a stream that killed writers left."""
        await self._store.sweep(folder_of(stream))

    async def snapshots(self, stream: str = "") -> list[SnapshotName]:
        """Return the snapshots of a stream, or of all streams; the newest of each last."""
        found = await self._store.stored(folder_of(stream) if stream else "")
        return _snapshots(found, await self._streams_of(found, stream))

    async def read_snapshot(self, name: SnapshotName) -> bytes | None:
        """Return the stored bytes of a snapshot; None when it does not exist."""
        return await self._store.get(str(name))

    async def write_snapshot(self, name: SnapshotName, data: bytes) -> None:
        """Write a snapshot, replacing one of the same name."""
        await self._write(name.stream, str(name), data)

    async def _write(self, stream: str, key: str, data: bytes) -> None:
        folder = folder_of(stream)
        if stream_of(folder) is None and folder not in self._named:
            await self._store.put(f"{folder}/{_STREAM}", stream.encode(errors="surrogateescape"))
            self._named[folder] = stream
        await self._store.put(key, data)

    async def _streams_of(self, found: Sequence[Stored], stream: str = "") -> dict[str, str]:
        """Map folder names to streams; a folder whose stream is unknown is left out."""
        if stream:
            return {folder_of(stream): stream}
        streams: dict[str, str] = {}
        for folder in {key.partition("/")[0] for key, _ in found}:
            told = stream_of(folder)
            if told is None and folder not in self._named:
                named = await self._store.get(f"{folder}/{_STREAM}")
                told = None if named is None else named.decode(errors="surrogateescape")
                if told is None or folder_of(told) != folder:
                    continue
                self._named[folder] = told
            streams[folder] = told if told is not None else self._named[folder]
        return streams


def _segments(found: Sequence[Stored], streams: dict[str, str]) -> list[StoredSegment]:
    """Parse and sort names; CPU work. One sort of 100,000 (a topic's year) would keep other threads waiting."""
    segments: list[StoredSegment] = []
    for key, size in found:
        stream = streams.get(key.partition("/")[0])
        name = None if stream is None else SegmentName.parse(key, stream)
        if name is not None:
            segments.append(StoredSegment(name, size))
    runs = (sorted(segments[start : start + RUN], key=_order) for start in range(0, len(segments), RUN))
    return list(heapq.merge(*runs, key=_order))


def _order(one: StoredSegment) -> tuple[EntryId, EntryId]:
    return one.name.first, one.name.last


def _snapshots(found: Sequence[Stored], streams: dict[str, str]) -> list[SnapshotName]:
    names = [
        SnapshotName.parse(key, streams[folder])
        for key, _ in found
        if (folder := key.partition("/")[0]) in streams and key.endswith(".jsonl.zst") and "/groups" in key
    ]
    return sorted((name for name in names if name is not None), key=lambda name: name.aside or LAST)


def open_store(target: str, options: dict[str, str]) -> Store:
    """Return the store of a configuration. Nothing is read or written yet.

    Raises:
        ValueError: the target is neither a folder nor `s3://bucket/prefix`, or an option is unknown.
        ExtraMissingError: the S3 extra is not installed.
    """
    scheme, separator, _ = target.partition("://")
    if not separator:
        if options:
            raise ValueError(f"archive options are for s3://, not for the folder {target}")
        return FolderStore(Path(target).expanduser().absolute())
    if scheme == "s3":
        from titan_bus.archive.s3 import S3Store

        return S3Store(target, options)
    raise ValueError(f"an archive is a folder or s3://bucket/prefix, not {target}")
