"""Erases events from the archive: writes a new segment without them, then removes the old one.

A kill in between leaves both, which readers tolerate (`spans`), and the next erasure finds the old one again. The
caller holds the archive's lease, so nothing else writes segments meanwhile.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

from titan_bus import names
from titan_bus.archive import snapshot
from titan_bus.archive.archive import Archive, SnapshotName
from titan_bus.archive.segment import Segment, SegmentWriter, id_of, unpack
from titan_bus.archive.segment_name import SegmentName
from titan_bus.erasure.wanted import Wanted
from titan_bus.errors import SegmentDamagedError

Step = Callable[[], Awaitable[None]]

logger = logging.getLogger("titan_bus")


class Segments:
    """The archive, searched for the wanted events.

    Args:
        archive: the archive.
        wanted: the events, and what was found.
        confirm: awaited before each change; raises when the lease was lost and another erasure has begun.
    """

    def __init__(self, archive: Archive, wanted: Wanted, confirm: Step) -> None:
        self._archive = archive
        self._wanted = wanted
        self._confirm = confirm
        self._searched: set[SegmentName] = set()
        self._letters: list[SegmentName] = []

    async def erase(self, streams: Iterable[str], *, everywhere: bool = False) -> None:
        """Erase them from these streams' segments, near their time or everywhere, and from the snapshots."""
        for stream in streams:
            await self._archive.sweep(stream)
            for name, _ in await self._archive.segments(stream):
                if name not in self._searched and (everywhere or self._wanted.near(name.first, name.last)):
                    await self._erase(name)
            if not everywhere:
                for one in await self._archive.snapshots(stream):
                    await self._erase_waiting(one)

    async def find_dead_letters(self) -> None:
        """Find out which of them were dead letters when the archive was written."""
        self._letters = []
        for name, _ in await self._archive.segments(names.DEAD_LETTERS):
            segment = await self._archive.read(name)
            if segment is None:
                continue
            _, found, damages = await asyncio.to_thread(self._part, segment)
            for line in found:
                self._wanted.note_dead_letter(unpack(line)[1])
            if found or damages:
                self._letters.append(name)

    async def erase_dead_letters(self) -> None:
        """Erase them from the dead letters' segments."""
        await self._archive.sweep(names.DEAD_LETTERS)
        for name in self._letters:
            await self._erase(name)

    async def _erase(self, name: SegmentName) -> None:
        self._searched.add(name)
        segment = await self._archive.read(name)
        if segment is None:  # removed by retention
            return
        left, found, damages = await asyncio.to_thread(self._part, segment)
        if damages and not found:
            self._wanted.unreadable += [str(damage) for damage in damages]
        if not found:
            return
        for damage in damages:
            logger.error("%s; what is whole of it is kept, without what was erased", damage)
        for line in found:
            event_id = self._wanted.which_of(unpack(line)[1])
            if event_id is not None:
                self._wanted.note(event_id, name.stream, "archive", id_of(line))
        await self._replace(name, left)

    async def _replace(self, old: SegmentName, lines: list[bytes]) -> None:
        gone = [old]
        while lines:
            name, data = await asyncio.to_thread(_packed, old.stream, lines)
            other = await self._archive.read(name) if name != old else None
            # A segment of the same length and ends exists: written before a kill, or with other entries by a
            # server that lost some (`spans`). Both are then merged under a new name.
            more, _, _ = ([], [], []) if other is None else await asyncio.to_thread(self._part, other)
            joined = sorted({*lines, *more}, key=id_of)
            if len(joined) == len(lines):
                await self._confirm()
                await self._archive.write(name, data)
                gone = [one for one in gone if one != name]
                break
            lines = joined
            gone.append(name)
        await self._confirm()
        await self._archive.remove(gone)

    def _part(self, segment: Segment) -> tuple[list[bytes], list[bytes], list[SegmentDamagedError]]:
        """Return the lines to keep, the wanted ones, and what cannot be read. CPU work, for a thread."""
        left: list[bytes] = []
        found: list[bytes] = []
        damages = [] if segment.damage is None else [segment.damage]
        for block in segment.blocks:
            try:
                lines = segment.lines(block)
            except SegmentDamagedError as damage:
                damages.append(damage)
                continue
            for line in lines:
                (left if self._wanted.which_of(unpack(line)[1]) is None else found).append(line)
        return left, found, damages

    async def _erase_waiting(self, name: SnapshotName) -> None:
        data = await self._archive.read_snapshot(name)
        if data is None:
            return
        try:
            rewritten, found = await asyncio.to_thread(self._without, name, data)
        except SegmentDamagedError as damage:
            self._wanted.unreadable.append(str(damage))
            return
        for event_id in found:
            self._wanted.note(event_id, name.stream, "snapshot")
        if found:
            await self._confirm()
            await self._archive.write_snapshot(name, rewritten)

    def _without(self, name: SnapshotName, data: bytes) -> tuple[bytes, list[str]]:
        """Return a snapshot without the wanted events, and their ids. CPU work, for a thread."""
        places, waiting = snapshot.read(str(name), data, name.stream)
        left: list[snapshot.Waiting] = []
        found: list[str] = []
        for one in waiting:
            event_id = self._wanted.which(one.event)
            if event_id is None:
                left.append(one)
            else:
                found.append(event_id)
        return (snapshot.write(places, left) if found else data), found


def _packed(stream: str, lines: Sequence[bytes]) -> tuple[SegmentName, bytes]:
    writer = SegmentWriter(stream)
    writer.extend([unpack(line) for line in lines])
    return writer.finish()
