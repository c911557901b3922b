"""Replays a topic's events in order: the archive first, then the stream, without gap or duplicate.

The transition is safe because the server removes entries only at a stream's front, and only such as are archived
(`archiver`, `trimmer`). So when the front has passed the position, the archive is read again before a page of the
stream is used. Only `trim: hard` gives that up.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from titan_bus import codec, names
from titan_bus.archive.archive import Archive
from titan_bus.archive.reader import ArchiveReader, Decode, Page
from titan_bus.archive.snapshot import groups_of
from titan_bus.connections.connection import Connection
from titan_bus.entry_id import FIRST, LAST, EntryId
from titan_bus.errors import EntryMalformedError, EventNotFoundError, GroupNotFoundError
from titan_bus.event import ULID_CHARS, Event, ulid_ms

PAGE = 500
PAGE_FIRST = 20
PAGE_BYTES = 512 * 1024
"""About how much is requested at once, when the length of the events is known: more would delay others on a slow
connection, and the loop during decoding."""
ONE_BY_ONE = 50
"""How many entries are requested and decoded at once where each is a command; other tasks run in between."""
SKEW_MS = 300_000
"""An event's id has its publisher's time, its entry's id the server's; they rarely differ by more."""


class Replay:
    """Replays topics, from their streams alone when there is no archive. Entries that are no events are skipped.

    Every method raises BusUnavailableError and StoreError when server or archive cannot be read. Close an
    iteration that ends early with `aclose`.

    Args:
        connection: to the server.
        archive: has what is older than the streams.
        decode: decodes an event; called in threads, too.
    """

    def __init__(
        self, connection: Connection, archive: Archive | None = None, decode: Decode = codec.decode_body
    ) -> None:
        self._connection = connection
        self._decode = decode
        self._kept = archive
        self._archive = None if archive is None else ArchiveReader(archive, decode, self._held)

    def between(
        self, from_timestamp: str, topic: str, to_timestamp: str | None = None
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of a span of time, both ends included.

        Args:
            from_timestamp: RFC 3339; without an offset it is UTC.
            topic: whose events.
            to_timestamp: RFC 3339; None means up to what is there when the reading comes to it.

        Raises:
            ValueError: a timestamp is none.
        """
        after = EntryId(_milliseconds(from_timestamp)).previous()
        until = LAST if to_timestamp is None else EntryId(_milliseconds(to_timestamp), LAST.number)
        return _each(self._pages(names.stream_of(topic), after, until))

    def since(self, start_id: str, topic: str) -> AsyncGenerator[Event, None]:
        """Yield an event and all later ones.

        An event whose publisher's clock was more than five minutes off is searched for in the whole topic and its
        archive, which takes as long as to replay them. An unknown id is therefore reported late.

        Args:
            start_id: an event's ULID, or an entry's id, which need not exist any more.
            topic: the topic.

        Raises:
            ValueError: the id is neither.
            EventNotFoundError: at the first step: no entry has it.
        """
        if len(start_id) == ULID_CHARS and "-" not in start_id:
            return self._since_event(start_id, topic, _moment_of(start_id))
        after = EntryId.parse(start_id).previous()
        return _each(self._pages(names.stream_of(topic), after, LAST))

    async def _since_event(self, event_id: str, topic: str, moment_ms: int) -> AsyncGenerator[Event, None]:
        begun = False
        for first, latest_ms in (EntryId(max(0, moment_ms - SKEW_MS)), moment_ms + SKEW_MS), (FIRST, LAST.ms):
            async with contextlib.aclosing(
                self._pages(names.stream_of(topic), first.previous(), LAST)
            ) as pages:
                async for place, events in pages:
                    for event in events:
                        begun = begun or event.event_id == event_id
                        if begun:
                            yield event
                    if not begun and place.ms > latest_ms:
                        break
            if begun:
                return
        raise EventNotFoundError(topic, event_id)

    async def unacknowledged(self, group: str, topic: str) -> AsyncGenerator[Event, None]:
        """Yield what a group has not acknowledged: events in flight, then undelivered ones.

        Events that `trim: hard` has removed come from the archive. Events that failed and wait for a retry are not
        included.

        Raises:
            GroupNotFoundError: the server has no such group.
        """
        stream = names.stream_of(topic)
        row = (await groups_of(self._connection, stream)).get(group)
        if row is None:
            raise GroupNotFoundError(topic, group)
        place = EntryId.parse(row["last-delivered-id"])
        start = "-"
        while True:
            rows = await self._connection.call("XPENDING", stream, group, start, str(place), PAGE)
            async with contextlib.aclosing(self._those(stream, [row[0] for row in rows])) as events:
                async for event in events:
                    yield event
            if len(rows) < PAGE:
                break
            start = f"({rows[-1][0].decode()}"
        async with contextlib.aclosing(_each(self._pages(stream, place, LAST))) as events:
            async for event in events:
                yield event

    async def _those(self, stream: str, ids: list[bytes]) -> AsyncGenerator[Event, None]:
        """Yield the events of these entries; from the archive where the stream no longer has them."""
        found: list[tuple[EntryId, list[Event] | None]] = []
        for at in range(0, len(ids), ONE_BY_ONE):
            some = ids[at : at + ONE_BY_ONE]
            asked = await asyncio.gather(*(self._connection.call("XRANGE", stream, one, one) for one in some))
            found += [
                (EntryId.parse(one), self._events(entries) if entries else None)
                for one, entries in zip(some, asked, strict=True)
            ]
        for gone, run in groupby(found, lambda one: one[1] is None):
            if not gone:
                for event in [event for _, events in run for event in events or ()]:
                    yield event
            elif self._kept is not None:
                wanted = [entry_id for entry_id, _ in run]
                reader = ArchiveReader(self._kept, self._decode, _nothing, frozenset(wanted))
                pages = reader.pages(stream, wanted[0].previous(), wanted[-1])
                async with contextlib.aclosing(_each(pages)) as events:
                    async for event in events:
                        yield event

    async def _pages(self, stream: str, after: EntryId, until: EntryId) -> AsyncGenerator[Page, None]:
        """Yield the events behind `after` up to `until`."""
        pace = _Pace()
        while True:
            asked = pace.count
            entries = await self._range(stream, after, until, pace)
            if self._archive is not None and await self._front(stream) > after:
                place = after
                async with contextlib.aclosing(self._archive.pages(stream, after, until)) as pages:
                    async for page in pages:
                        after = page[0]
                        yield page
                if after != place:
                    continue
            if entries:
                after = EntryId.parse(entries[-1][0])
                yield after, self._events(entries)
            if len(entries) < asked:
                return

    async def _held(self, stream: str, after: EntryId, until: EntryId) -> AsyncGenerator[Page, None]:
        """Yield what the stream has of a span, and then the span's end."""
        pace = _Pace()
        while entries := await self._range(stream, after, until, pace):
            after = EntryId.parse(entries[-1][0])
            yield after, self._events(entries)
        yield until, []

    async def _range(self, stream: str, after: EntryId, until: EntryId, pace: "_Pace") -> list[Any]:
        if after >= until:
            return []
        entries = await self._connection.call("XRANGE", stream, f"({after}", str(until), "COUNT", pace.count)
        pace.learn(entries)
        return list(entries)

    async def _front(self, stream: str) -> EntryId:
        front = await self._connection.call("XRANGE", stream, "-", "+", "COUNT", 1)
        return EntryId.parse(front[0][0]) if front else LAST

    def _events(self, entries: list[Any]) -> list[Event]:
        events: list[Event] = []
        for _, fields in entries:
            with contextlib.suppress(EntryMalformedError):
                events.append(self._decode(codec.body(fields)))
        return events


class _Pace:
    """The number of entries to request next."""

    def __init__(self) -> None:
        self.count = PAGE_FIRST

    def learn(self, entries: list[Any]) -> None:
        """Learn the length of entries from a page."""
        size = sum(len(word) for _, fields in entries for word in fields)
        if entries:
            self.count = max(1, min(PAGE, PAGE_BYTES * len(entries) // max(1, size)))


async def _nothing(_stream: str, _after: EntryId, until: EntryId) -> AsyncGenerator[Page, None]:
    yield until, []


async def _each(pages: AsyncGenerator[Page, None]) -> AsyncGenerator[Event, None]:
    async with contextlib.aclosing(pages):
        async for _, events in pages:
            for start in range(0, len(events), PAGE):
                await asyncio.sleep(0)  # a block may be ready at once, and other tasks must run
                for event in events[start : start + PAGE]:
                    yield event


def _milliseconds(timestamp: str) -> int:
    moment = datetime.fromisoformat(timestamp)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, int(moment.timestamp() * 1000))


def _moment_of(event_id: str) -> int:
    try:
        return ulid_ms(event_id)
    except ValueError as error:
        raise ValueError(f"{event_id} is neither an event's id nor an entry's") from error
