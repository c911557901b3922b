"""The way through a stream's segments: spans, in order, each with the blocks that have entries of it.

Segments may overlap, and not only with the same entries: a server that lost its newest events and whose clock is
behind gives new ones the ids in between. `reader` and `restore` go this way.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import NamedTuple

from titan_bus.archive.archive import Archive, Kept
from titan_bus.archive.segment import Block, Segment, id_of
from titan_bus.archive.segment_name import SegmentName
from titan_bus.entry_id import EntryId
from titan_bus.errors import SegmentDamagedError

Say = Callable[[SegmentDamagedError], None]


class Part(NamedTuple):
    """What one segment knows of the entries behind `after`, up to `last`: a block, or nothing."""

    after: EntryId
    last: EntryId
    segment: Segment | None = None
    block: Block | None = None


class Span(NamedTuple):
    """The entries behind `after`, up to `last`; without parts the archive cannot tell whether there are any."""

    after: EntryId
    last: EntryId
    parts: tuple[Part, ...] = ()

    def lines(self) -> tuple[list[bytes], list[SegmentDamagedError]]:
        """Return its lines in order, each once, and what of it cannot be read. CPU work, for a thread."""
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
        # Two entries of one id are two: each server gave it to one of its own.
        return sorted({line for lines in found for line in lines}, key=id_of), damages


async def spans(
    archive: Archive, stream: str, after: EntryId, until: EntryId, say: Say
) -> AsyncGenerator[Span, None]:
    """Yield the way from `after` to the end of the last segment that begins before `until`.

    Args:
        archive: where the segments are.
        stream: whose.
        after: where to begin.
        until: where to end; the last span may go beyond.
        say: is told of each segment that is damaged, or went since they were listed.

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
                # An erasure writes another in its place before it takes it away.
                others = await asyncio.to_thread(_within, await archive.segments(stream), after, until)
                instead = [other for other in others if other not in listed]
                listed.update(instead)
                names = deque(sorted((*names, *instead), key=lambda other: (other.first, other.last)))
                if any(other.first <= name.last and other.last >= name.first for other in instead):
                    continue
            opened.append(_parts(name, segment, say))
        for parts in opened:
            while parts and parts[0].last <= after:
                parts.popleft()
        opened = [parts for parts in opened if parts]
        if not opened and not names:
            return
        span = _next(after, [parts[0] for parts in opened], names[0].first if names else None)
        yield span
        after = span.last


def _within(kept: Sequence[Kept], after: EntryId, until: EntryId) -> deque[SegmentName]:
    return deque(name for name, _ in kept if name.last > after and name.first <= until)


def _next(after: EntryId, heads: list[Part], following: EntryId | None) -> Span:
    """Return the span behind `after` in which the same parts have a say from one end to the other."""
    ends = [head.last if head.after <= after else head.after for head in heads]
    if following is not None:
        ends.append(following.previous())
    parts = tuple(head for head in heads if head.after <= after and head.block is not None)
    return Span(after, min(ends), parts)


def _parts(name: SegmentName, segment: Segment | None, say: Say) -> deque[Part]:
    """Return a segment's parts, which follow one another from its first entry to its last."""
    damage = segment.damage if segment is not None else SegmentDamagedError(str(name), "it went meanwhile")
    if damage is not None:
        say(damage)
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
