"""Creates events and sends them to the server. Publishes of one loop turn are sent in one write (`connection`)."""

import asyncio
import math
import time
from collections import deque
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from titan_bus import codec, names, scripts
from titan_bus.connections.connection import Connection
from titan_bus.errors import EventMalformedError
from titan_bus.event import (
    SCHEMA_VERSION,
    Event,
    Meta,
    Payload,
    Priority,
    new_ulid,
    timestamp_at,
    timestamp_now,
    ulid_at,
)
from titan_bus.observability.counters import Counters, TopicCounters
from titan_bus.observability.tracing import Tracing, ended, failure_of

if TYPE_CHECKING:
    from collections.abc import Callable

LATEST_S = 366 * 86_400
"""A year: a longer delay was written in another unit."""


class _Outcomes:
    """Counts the outcomes of publishes.

    The server replies in the order of the publishes, so one done-callback on the oldest is enough; one on each
    would cost an eighth of a publish.
    """

    def __init__(self) -> None:
        self._sent: deque[tuple[asyncio.Future[str], TopicCounters]] = deque()

    def watch(self, future: asyncio.Future[str], counters: TopicCounters) -> None:
        """Count a publish when it is done."""
        self._sent.append((future, counters))
        if len(self._sent) == 1:
            future.add_done_callback(self._count)

    def _count(self, _oldest: asyncio.Future[str]) -> None:
        while self._sent:
            future, counters = self._sent[0]
            if not future.done():
                future.add_done_callback(self._count)
                return
            self._sent.popleft()
            if failure_of(future) is None:
                counters.published += 1
            elif not future.cancelled():  # when cancelled the outcome is unknown
                counters.failed += 1


class Publisher:
    """Publishes events of one source.

    Attributes:
        published: topics with events since the trimmer last looked.
        on_later: called with the topic of an event that is published later.
        on_grown: called by the trimmer with each topic that had new events.
    """

    def __init__(self, connection: Connection, source: str, tracing: Tracing, counters: Counters) -> None:
        self._connection = connection
        self._source = source
        self._tracing = tracing
        self._counters = counters
        self._outcomes = _Outcomes()
        self.published: set[str] = set()
        self.on_later: Callable[[str], None] = lambda _topic: None
        self.on_grown: Callable[[str], None] = lambda _topic: None

    def publish(
        self,
        topic: str,
        event_type: str,
        payload: Payload,
        priority: Priority | str = Priority.MEDIUM,
        *,
        reply_to: str | None = None,
        deadline: int | None = None,
        event_id: str | None = None,
        schema_version: int = SCHEMA_VERSION,
        source: str | None = None,
        delay_s: float | None = None,
        at: datetime | None = None,
    ) -> asyncio.Future[str]:
        """Send an event. The future has its id once the server has stored it.

        Raises:
            PublishRefusedError: at the call, when the event is malformed or longer than 32,768 bytes.
        """
        later_ms = _later_ms(topic, event_type, delay_s, at)
        due_ms = time.time_ns() // 1_000_000 + later_ms if later_ms else 0
        event_id = event_id or (ulid_at(due_ms) if due_ms else new_ulid())
        if not (isinstance(topic, str) and isinstance(event_type, str) and topic and event_type):
            raise EventMalformedError(topic, event_type, "topic and event type have to be named")
        if topic == names.DEAD_LETTERS:
            raise EventMalformedError(topic, event_type, names.IS_DEAD_LETTERS)
        if type(schema_version) is not int or not (source is None or isinstance(source, str)):
            raise EventMalformedError(topic, event_type, "the schema version is a number, the source a text")
        encoded_payload = codec.encode_payload(topic, event_type, payload)
        known_priority = _priority(topic, event_type, priority)
        trace = self._tracing.publishing(topic, event_type, event_id)
        meta = Meta(
            priority=known_priority,
            retries=0,
            trace_id=trace.trace_id,
            parent_id=trace.parent_id,
            source=source or self._source,
            reply_to=reply_to,
            deadline=deadline,
        )
        try:
            future = self.send(
                names.stream_of(topic), topic, event_type, encoded_payload, meta, event_id, schema_version,
                later_ms=later_ms,
            )  # fmt: skip
        except Exception as error:
            self._counters.topic(topic).failed += 1
            if trace.end is not None:
                trace.end(error)
            raise
        self.published.add(topic)
        if later_ms:
            future.add_done_callback(lambda _: self.on_later(topic))
        self._outcomes.watch(future, self._counters.topic(topic))
        if trace.end is not None:
            future.add_done_callback(partial(ended, trace.end))
        return future

    def send(
        self,
        stream: str,
        topic: str,
        event_type: str,
        payload: msgspec.Raw,
        meta: Meta,
        event_id: str | None = None,
        schema_version: int = SCHEMA_VERSION,
        over: Connection | None = None,
        *,
        later_ms: int = 0,
    ) -> asyncio.Future[Any]:
        """Append an event to a stream, at once or later; `over` is another connection than that of publishes."""
        event = Event(
            event_id=event_id or new_ulid(),
            schema_version=schema_version,
            topic=topic,
            event_type=event_type,
            timestamp=timestamp_at(time.time_ns() // 1_000_000 + later_ms) if later_ms else timestamp_now(),
            encoded_payload=payload,
            meta=meta,
        )
        if later_ms:
            return self._connection.call(
                "EVAL", scripts.PUBLISH_LATER, 1, names.later_of(topic), later_ms, codec.encode(event),
                answer=event.event_id,
            )  # fmt: skip
        return (over or self._connection).call(
            "XADD", stream, "*", codec.FIELD, codec.encode(event), answer=event.event_id
        )


_PRIORITIES: dict[str, Priority] = {priority: priority for priority in Priority}


def _priority(topic: str, event_type: str, priority: Priority | str) -> Priority:
    try:
        return _PRIORITIES[priority]
    except (KeyError, TypeError) as error:
        raise EventMalformedError(topic, event_type, f"priority {priority!r}") from error


def _later_ms(topic: str, event_type: str, delay_s: float | None, at: datetime | None) -> int:
    """Return in how many milliseconds an event is published, 0 for at once."""
    if delay_s is None and at is None:
        return 0
    if at is not None:
        if delay_s is not None or not isinstance(at, datetime) or at.tzinfo is None:
            raise EventMalformedError(topic, event_type, "at is a datetime with a time zone, without delay_s")
        delay_s = at.timestamp() - time.time()
    if not isinstance(delay_s, int | float) or not delay_s <= LATEST_S or (at is None and delay_s < 0):
        raise EventMalformedError(topic, event_type, f"delay_s is 0 to {LATEST_S} seconds, not {delay_s!r}")
    return max(0, math.ceil(delay_s * 1000))
