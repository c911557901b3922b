"""Reads a span of a stream from the archive, in order, each entry once, a block at a time.

Blocks are read, checked and decoded in threads, one ahead of who reads. What is damaged or missing is named in the
log and left to `fill`: the stream may still have it. `replay` joins this with the stream.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from titan_bus import codec
from titan_bus.archive.archive import Archive
from titan_bus.archive.segment import id_of, unpack
from titan_bus.archive.spans import Span, spans
from titan_bus.entry_id import EntryId
from titan_bus.errors import EntryMalformedError, SegmentDamagedError
from titan_bus.event import Event

Decode = Callable[[bytes], Event]
Page = tuple[EntryId, list[Event]]
"""Events in order, and the place up to which there are no others."""

logger = logging.getLogger("titan_bus")


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
        ahead: tuple[Span, asyncio.Task[list[Event] | None]] | None = None
        try:
            async with contextlib.aclosing(spans(self._archive, stream, after, until, _say)) as way:
                async for span in way:
                    # Not two at once: with three threads that want the interpreter the loop waits too long.
                    ready = None if ahead is None else (ahead[0], await ahead[1])
                    within = Span(span.after, min(span.last, until), span.parts)
                    decoding = asyncio.to_thread(self._events, within)
                    ahead = within, asyncio.create_task(decoding, name=f"titan_bus replay of {stream}")
                    if ready is not None:
                        async for page in self._finish(stream, *ready):
                            yield page
            if ahead is not None:
                async for page in self._finish(stream, ahead[0], await ahead[1]):
                    yield page
        finally:
            if ahead is not None:
                ahead[1].cancel()

    async def _finish(
        self, stream: str, span: Span, events: list[Event] | None
    ) -> AsyncGenerator[Page, None]:
        if events is not None:
            yield span.last, events
            return
        async for page in self._fill(stream, span.after, span.last):
            yield page

    def _events(self, span: Span) -> list[Event] | None:
        """Decode what the archive has of a span; None when it cannot tell. CPU work, in a thread."""
        lines, damages = span.lines()
        for damage in damages:
            logger.error("%s; the stream gives what it still has of it", damage)
        if len(damages) == len(span.parts):
            return None
        if self._only is not None:
            lines = [line for line in lines if id_of(line) in self._only]
        events: list[Event] = []
        for line in lines:
            body = line[line.index(b"\t") + 1 :]
            with contextlib.suppress(EntryMalformedError):
                events.append(self._decode(body if body.startswith(b"{") else codec.body(unpack(line)[1])))
        return events


def _say(damage: SegmentDamagedError) -> None:
    logger.error("%s; what is whole of it is given, and what the stream still has", damage)
