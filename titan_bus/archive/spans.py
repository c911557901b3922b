"""Iterates over a stream's segments in spans, in order, each with the blocks that contain its entries.

Segments may overlap, and not only with the same entries: a server that lost its newest events and whose clock is
behind assigns new ones the ids in between. Used by `reader` and `restore`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import NamedTuple

from titan_bus.archive.archive import Archive, StoredSegment
from titan_bus.archive.segment import Block, Segment, id_of
from titan_bus.archive.segment_name import SegmentName
from titan_bus.entry_id import EntryId
from titan_bus.errors import SegmentDamagedError

Report = Callable[[SegmentDamagedError], None]


class Part(NamedTuple):
    """One segment's data on the entries behind `after`, up to `last`: a block, or nothing."""

    after: EntryId
    last: EntryId
    segment: Segment | None = None
    block: Block | None = None


class Span(NamedTuple):
    """The entries behind `after`, up to `last`. Without parts the archive does not know whether there are any."""

    after: EntryId
    last: EntryId
    parts: tuple[Part, ...] = ()

    def lines(self) -> tuple[list[bytes], list[SegmentDamagedError]]:
        """Return its lines in order, each once, and the damages. CPU work, for a thread."""
        found: list[list[bytes]] = []
        damages: list[SegmentDamagedError] = []
        for part in self.parts:
            if part.segment is None or part.block is None:
                continue
            try:
                lines = part.segment.lines(part.block)
            except SegmentDamagedError as damage:
                damages.append(damage)
                continue
            if EntryId.parse(part.block.first) <= self.after or part.last > self.last:
                lines = [line for line in lines if self.after < id_of(line) <= self.last]
            found.append(lines)
        if len(found) == 1:
            return found[0], damages
        # Two different entries of one id are both kept: each was written by another server.
        return sorted({line for lines in found for line in lines}, key=id_of), damages


async def spans(
    archive: Archive, stream: str, after: EntryId, until: EntryId, report: Report
) -> AsyncGenerator[Span, None]:
    """Yield the spans from `after` to the end of the last segment that begins before `until`.

    Args:
        archive: the archive.
        stream: the stream.
        after: the id to begin behind.
        until: the id to end at; the last span may go beyond it.
        report: called for each segment that is damaged, or was removed since they were listed.

    Raises:
        StoreError: the store cannot be read.
    """
    names = await asyncio.to_thread(_within, await archive.segments(stream), after, until)
    listed = set(names)
    opened: list[deque[Part]] = []
    while after < until:
        while names and names[0].first.previous() <= after:
            name = names.popleft()
            segment = await archive.read(name)
            if segment is None:
                # An erasure writes the new segment before it removes the old one.
                others = await asyncio.to_thread(_within, await archive.segments(stream), after, until)
                instead = [other for other in others if other not in listed]
                listed.update(instead)
                names = deque(sorted((*names, *instead), key=lambda other: (other.first, other.last)))
                if any(other.first <= name.last and other.last >= name.first for other in instead):
                    continue
            opened.append(_parts(name, segment, report))
        for parts in opened:
            while parts and parts[0].last <= after:
                parts.popleft()
        opened = [parts for parts in opened if parts]
        if not opened and not names:
            return
        span = _next(after, [parts[0] for parts in opened], names[0].first if names else None)
        yield span
        after = span.last


def _within(kept: Sequence[StoredSegment], after: EntryId, until: EntryId) -> deque[SegmentName]:
    return deque(name for name, _ in kept if name.last > after and name.first <= until)


def _next(after: EntryId, heads: list[Part], following: EntryId | None) -> Span:
    """Return the next span behind `after`, in which the set of parts does not change."""
    ends = [head.last if head.after <= after else head.after for head in heads]
    if following is not None:
        ends.append(following.previous())
    parts = tuple(head for head in heads if head.after <= after and head.block is not None)
    return Span(after, min(ends), parts)


def _parts(name: SegmentName, segment: Segment | None, report: Report) -> deque[Part]:
    """Return a segment's parts in order, from its first entry to its last."""
    damage = segment.damage if segment is not None else SegmentDamagedError(str(name), "it went meanwhile")
    if damage is not None:
        report(damage)
    parts: deque[Part] = deque()
    place = name.first.previous()
    for block in segment.blocks if segment is not None else ():
        first, last = EntryId.parse(block.first), EntryId.parse(block.last)
        if last <= place or first > last:
            continue
        if damage is not None and first.previous() > place:  # something may be lost here
            parts.append(Part(place, first.previous()))
            place = first.previous()
        parts.append(Part(place, last, segment, block))
        place = last
    if place < name.last:
        parts.append(Part(place, name.last))
    return parts
