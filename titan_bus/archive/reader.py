"""Reads a span of a stream from the archive, in order, each entry once, a block at a time.

Blocks are read, checked and decoded in threads, one ahead of who reads. What is damaged is named in the log and
left to `fill`: the stream may still have it. `replay` joins this with the stream.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from itertools import zip_longest
from typing import NamedTuple

from titan_bus import codec
from titan_bus.archive.archive import Archive
from titan_bus.archive.segment import Block, Segment, id_of, unpack
from titan_bus.entry_id import EntryId
from titan_bus.errors import EntryMalformedError, SegmentDamagedError
from titan_bus.event import Event

Decode = Callable[[bytes], Event]
Page = tuple[EntryId, list[Event]]
"""Events in order, and the place up to which there are no others."""

logger = logging.getLogger("titan_bus")


class Step(NamedTuple):
    """The part of the way from `after` to `last`: a block, or nothing where the archive has it no more."""

    after: EntryId
    last: EntryId
    segment: Segment | None = None
    block: Block | None = None


class ArchiveReader:
    """Reads for one replay.

    Args:
        archive: where from.
        decode: makes an event of its bytes; called in threads.
        fill: gives what the stream has between two places, the first excluded, the second included.
        only: the entries that are wanted of what is read; None means all.
    """

    def __init__(
        self,
        archive: Archive,
        decode: Decode,
        fill: Callable[[str, EntryId, EntryId], AsyncIterator[Page]],
        only: frozenset[EntryId] | None = None,
    ) -> None:
        self._archive = archive
        self._decode = decode
        self._fill = fill
        self._only = only

    async def pages(self, stream: str, after: EntryId, until: EntryId) -> AsyncGenerator[Page, None]:
        """Yield what the archive has behind `after`, up to `until`.

        Raises:
            StoreError: the store cannot be read.
        """
        ahead: tuple[Step, asyncio.Task[list[Event]]] | None = None
        try:
            async with contextlib.aclosing(self._steps(stream, after, until)) as steps:
                async for step in steps:
                    # Not two at once: with three threads that want the interpreter the loop waits too long.
                    ready = None if ahead is None else (ahead[0], await _outcome(ahead[1]))
                    decoding = asyncio.to_thread(self._events, step, until)
                    ahead = step, asyncio.create_task(decoding, name=f"titan_bus replay of {stream}")
                    if ready is not None:
                        async for page in self._finish(stream, until, *ready):
                            yield page
            if ahead is not None:
                async for page in self._finish(stream, until, ahead[0], await _outcome(ahead[1])):
                    yield page
        finally:
            if ahead is not None:
                ahead[1].cancel()

    async def _finish(
        self, stream: str, until: EntryId, step: Step, outcome: list[Event] | SegmentDamagedError
    ) -> AsyncGenerator[Page, None]:
        if isinstance(outcome, SegmentDamagedError):
            logger.error("%s; the stream gives what it still has of it", outcome)
        elif step.segment is not None:
            yield step.last, outcome
            return
        async for page in self._fill(stream, step.after, min(step.last, until)):
            yield page

    async def _steps(self, stream: str, after: EntryId, until: EntryId) -> AsyncGenerator[Step, None]:
        """Yield the way through the segments; overlapping ones count from where the one before ended."""
        found = [name for name, _ in await self._archive.segments(stream)]
        # What is not whole must not hide what overlaps it, nor the stream behind the last.
        nexts = [name.first.previous() for name in found[1:]]
        for name, before_next in zip_longest(found, nexts):
            if name.first > until:
                return
            if name.last <= after:
                continue
            segment = await self._archive.read(name)
            for step in _through(segment, after, until) if segment is not None else ():
                yield step
                after = step.last
            end = name.last if before_next is None else min(name.last, before_next)
            if (segment is None or segment.damage is not None) and after < end:  # removed, or torn
                yield Step(after, end)
                after = end

    def _events(self, step: Step, until: EntryId) -> list[Event]:
        """Decode a block. CPU work, in a thread."""
        if step.segment is None or step.block is None:
            return []
        lines = step.segment.lines(step.block)
        if EntryId.parse(step.block.first) <= step.after or step.last > until:
            lines = [line for line in lines if step.after < id_of(line) <= until]
        if self._only is not None:
            lines = [line for line in lines if id_of(line) in self._only]
        events: list[Event] = []
        for line in lines:
            body = line[line.index(b"\t") + 1 :]
            with contextlib.suppress(EntryMalformedError):
                events.append(self._decode(body if body.startswith(b"{") else codec.body(unpack(line)[1])))
        return events


def _through(segment: Segment, after: EntryId, until: EntryId) -> list[Step]:
    if segment.damage is not None:
        logger.error("%s; what is whole of it is given", segment.damage)
    steps: list[Step] = []
    for block in segment.blocks:
        first, last = EntryId.parse(block.first), EntryId.parse(block.last)
        if last <= after:
            continue
        if first > until:
            break
        if segment.damage is not None and first.previous() > after:  # something may be lost here
            steps.append(Step(after, first.previous()))
            after = first.previous()
        steps.append(Step(after, last, segment, block))
        after = last
    return steps


async def _outcome(decoding: asyncio.Task[list[Event]]) -> list[Event] | SegmentDamagedError:
    try:
        return await decoding
    except SegmentDamagedError as damage:
        return damage
