"""The current state of the server: topics, groups, and events in flight. For operators, metrics and the archive.

It only reads, and caches nothing. Entry ids begin with the server's milliseconds, so first, last and oldest times
are by the server's clock.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from titan_bus import codec, handling_times, names
from titan_bus.connections.connection import Connection
from titan_bus.errors import EntryMalformedError, ServerRefusedError

SCAN_COUNT = 1_000
TOPICS_PATTERN = names.stream_of("*")


class TopicState(msgspec.Struct, frozen=True, kw_only=True):
    """A topic: how many events its stream holds, for how many groups, and when the first and last came.

    `first_at` and `last_at` are None when there is none, or its id is a time that no calendar has. `later` events
    wait for the time at which they are published.
    """

    topic: str
    length: int
    groups: int
    later: int
    first_at: str | None
    last_at: str | None


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    """A group on a topic.

    Attributes:
        topic: what it reads.
        group: its name.
        consumers: how many names it knows, alive or not.
        pending: events delivered and not acknowledged.
        lag: events not delivered yet; None when the server cannot tell.
        retrying: failed events that wait for their time or are being tried again.
        oldest_id: the oldest entry of the stream that the group has not acknowledged, be it delivered or not.
        oldest_at: when that came; None as well when its id is a time that no calendar has.
    """

    topic: str
    group: str
    consumers: int
    pending: int
    lag: int | None
    retrying: int
    oldest_id: str | None
    oldest_at: str | None


class ConsumerState(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer that a group knows, alive or not.

    Attributes:
        topic: what it reads.
        group: the consumer group.
        consumer: its name.
        pending: events delivered to it and not acknowledged.
        idle_ms: milliseconds since it last asked the server for anything; a living one asks every few seconds.
        inactive_ms: milliseconds since it last got an event, -1 if never; None from a server older than 7.2.
    """

    topic: str
    group: str
    consumer: str
    pending: int
    idle_ms: int
    inactive_ms: int | None


class PendingState(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was delivered to a consumer and not acknowledged.

    Attributes:
        topic: its topic.
        group: the consumer group.
        consumer: the consumer.
        entry_id: its id in the stream.
        event_id: None when the entry is gone or is no event.
        event_type: likewise.
        idle_ms: milliseconds since it was delivered, or its consumer last said that it has it in hand.
        handling_ms: milliseconds since its handler was called; None for one that was called a moment ago (a third
            of `claim.min_idle_s`), that waits for its turn, or whose consumer is dead.
        deliveries: how often it was delivered.
        retry: whether it failed before and was redelivered.
    """

    topic: str
    group: str
    consumer: str
    entry_id: str
    event_id: str | None
    event_type: str | None
    idle_ms: int
    handling_ms: int | None
    deliveries: int
    retry: bool


class Inspection:
    """Asks the server through a bus's shared connection. Every method raises BusUnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def topic_names(self) -> list[str]:
        """Return every topic that has a stream, sorted."""
        named = [names.topic_of(key) async for key in self._keys(TOPICS_PATTERN, "stream")]
        return sorted({topic for topic in named if topic is not None})

    async def topics(self) -> list[TopicState]:
        """Return every topic, sorted, and the dead letters last where there are any."""
        waiting = [names.topic_and_group_of(key) async for key in self._keys(names.later_of("*"), "zset")]
        every = {*await self.topic_names(), *(found[0] for found in waiting if found is not None)}
        streams = {topic: names.stream_of(topic) for topic in sorted(every)}
        streams[names.DEAD_LETTERS] = names.DEAD_LETTERS
        states = await asyncio.gather(*(self._topic(topic, stream) for topic, stream in streams.items()))
        return [state for state in states if state is not None]

    async def _keys(self, pattern: str, kind: str) -> AsyncIterator[str]:
        """Yield the keys of a type that fit; some of them more than once."""
        cursor = 0
        while True:
            cursor, keys = await self._connection.scan(cursor, pattern, SCAN_COUNT, kind)
            for key in keys:
                yield key.decode(errors="backslashreplace")
            if cursor == 0:
                break

    async def groups(self, topic: str) -> list[GroupState]:
        """Return the groups of a topic, sorted; none when there is no such topic."""
        rows = await self._rows("XINFO", "GROUPS", names.stream_of(topic))
        states = await asyncio.gather(*(self._group(topic, row) for row in rows))
        return sorted(states, key=lambda state: state.group)

    async def consumers(self, topic: str, group: str) -> list[ConsumerState]:
        """Return the consumers of a group, sorted; none when there is no such group."""
        rows = map(_named, await self._rows("XINFO", "CONSUMERS", names.stream_of(topic), group))
        found = [
            ConsumerState(
                topic=topic,
                group=group,
                consumer=row["name"].decode(errors="backslashreplace"),
                pending=row["pending"],
                idle_ms=row["idle"],
                inactive_ms=row.get("inactive"),
            )
            for row in rows
        ]
        return sorted(found, key=lambda state: state.consumer)

    async def pending(self, topic: str, group: str, limit: int = 100) -> list[PendingState]:
        """Return what a group has in flight, the oldest first, then its retries."""
        found: list[PendingState] = []
        for stream in (names.stream_of(topic), names.retries_of(group, topic)):
            rows = await self._rows("XPENDING", stream, group, "-", "+", limit)
            entries = await asyncio.gather(
                *(self._connection.call("XRANGE", stream, row[0], row[0]) for row in rows)
            )
            handled = await self._handled(topic, group, {row[1].decode("utf-8", "replace") for row in rows})
            for row, entry in zip(rows, entries, strict=True):
                handling_ms = handled.get(row[0].decode())
                retry = stream != names.stream_of(topic)
                found.append(_pending(topic, group, row, entry, handling_ms, retry=retry))
        return found[:limit]

    async def _handled(self, topic: str, group: str, consumers: Iterable[str]) -> dict[str, int]:
        """Return for how long handlers have had their events, by entry id."""
        found: dict[str, int] = {}
        for consumer in consumers:
            key = names.handling_of(consumer, group, topic)
            told, left_ms = await asyncio.gather(
                self._connection.call("GET", key), self._connection.call("PTTL", key)
            )
            if told is not None and left_ms > 0:
                found |= handling_times.decode(told, left_ms)
        return found

    async def _topic(self, topic: str, stream: str) -> TopicState | None:
        row = _named(await self._rows("XINFO", "STREAM", stream))
        later = await self._connection.call("ZCARD", names.later_of(topic)) if topic != stream else 0
        if not row and not later:  # deleted meanwhile
            return None
        first, last = row.get("first-entry"), row.get("last-entry")
        return TopicState(
            topic=topic,
            length=row.get("length", 0),
            groups=row.get("groups", 0),
            later=later,
            first_at=_moment(first[0]) if first else None,
            last_at=_moment(last[0]) if last else None,
        )

    async def _group(self, topic: str, flat: Sequence[Any]) -> GroupState:
        row = _named(flat)
        group = row["name"].decode(errors="backslashreplace")
        retries = names.retries_of(group, topic)
        summary, delayed, again = await asyncio.gather(
            self._rows("XPENDING", names.stream_of(topic), group),
            self._connection.call("ZCARD", names.delayed_of(group, topic)),
            self._connection.call("XLEN", retries),  # settled entries are deleted there at once
        )
        oldest: bytes | None = summary[1] if summary else None
        if oldest is None and row.get("lag") != 0:
            after = b"(" + row["last-delivered-id"]
            following = await self._connection.call("XRANGE", names.stream_of(topic), after, "+", "COUNT", 1)
            oldest = following[0][0] if following else None
        return GroupState(
            topic=topic,
            group=group,
            consumers=row["consumers"],
            pending=row["pending"],
            lag=row.get("lag"),  # missing before Redis 7.0
            retrying=delayed + again,
            oldest_id=oldest.decode() if oldest else None,
            oldest_at=_moment(oldest) if oldest else None,
        )

    async def _rows(self, *words: str | int) -> list[Any]:
        """Run a command; a missing stream or group has no rows."""
        try:
            return list(await self._connection.call(*words))
        except ServerRefusedError as error:
            if error.code in {
                "NOGROUP",
                "ERR",
            }:  # XINFO returns ERR for a missing key, and for nothing else
                return []
            raise


def _named(flat: Sequence[Any]) -> dict[str, Any]:
    return {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}


def _moment(entry_id: bytes) -> str | None:
    milliseconds = int(entry_id.partition(b"-")[0])
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):  # any program may add an entry with any id
        return None
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _pending(
    topic: str,
    group: str,
    row: Sequence[Any],
    entry: Sequence[Any],
    handling_ms: int | None,
    *,
    retry: bool,
) -> PendingState:
    entry_id, consumer, idle_ms, deliveries = row
    event = None
    if entry:
        with contextlib.suppress(EntryMalformedError):
            event = codec.decode(entry[0][1])
    return PendingState(
        topic=topic,
        group=group,
        consumer=consumer.decode(errors="backslashreplace"),
        entry_id=entry_id.decode(),
        event_id=event.event_id if event else None,
        event_type=event.event_type if event else None,
        idle_ms=idle_ms,
        handling_ms=handling_ms,
        deliveries=deliveries,
        retry=retry,
    )
