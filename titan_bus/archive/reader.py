"""Reads a span of a stream from the archive, in order, each entry once, a block at a time.

Blocks are read, verified and decoded in threads, one ahead of the consumer. A damaged or missing part is logged
and read by `fill` from the stream instead, if it is still there. `replay` joins the archive with the stream.
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
"""Events in order, and the id up to which there are no others."""

logger = logging.getLogger("titan_bus")


class ArchiveReader:
    """The archive reader of one replay.

    Args:
        archive: the archive to read.
        decode: decodes an event; called in threads.
        fill: reads the stream between two ids, the first excluded, the second included.
        only: the entries to return; None returns all.
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
        """Yield the archived events behind `after`, up to `until`.

        Raises:
            StoreError: the store cannot be read.
        """
        ahead: tuple[Span, asyncio.Task[list[Event] | None]] | None = None
        try:
            async with contextlib.aclosing(spans(self._archive, stream, after, until, _log)) as way:
                async for span in way:
                    # One at a time: with three threads that compete for the interpreter the loop would wait too
                    # long.
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
        """Decode a span; None when the archive does not know its entries. CPU work, for a thread."""
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


def _log(damage: SegmentDamagedError) -> None:
    logger.error("%s; what is whole of it is given, and what the stream still has", damage)
