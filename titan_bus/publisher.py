"""Makes events and hands them to the server. Publishes of one loop turn leave in one write (`connection`)."""

import asyncio
from functools import partial
from typing import Any

import msgspec

from titan_bus import codec, names
from titan_bus.connection import Connection
from titan_bus.counters import Counters, TopicCounters
from titan_bus.errors import EventMalformedError
from titan_bus.event import (
    SCHEMA_VERSION,
    Event,
    Meta,
    Payload,
    Priority,
    new_ulid,
    timestamp_now,
)
from titan_bus.tracing import End, Tracing, failure_of


class Publisher:
    """Publishes under one source.

    Attributes:
        published: topics that got events since somebody last looked, for the trimmer.
    """

    def __init__(self, connection: Connection, source: str, tracing: Tracing, counters: Counters) -> None:
        self._connection = connection
        self._source = source
        self._tracing = tracing
        self._counters = counters
        self.published: set[str] = set()

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
    ) -> asyncio.Future[str]:
        """Send an event; the future has its id once the server has it.

        Raises:
            PublishRefusedError: at the call, when the event is malformed or longer than 32,768 bytes.
        """
        event_id = event_id or new_ulid()
        if not (isinstance(topic, str) and isinstance(event_type, str) and topic and event_type):
            raise EventMalformedError(topic, event_type, "topic and event type have to be named")
        encoded_payload = codec.encode_payload(topic, event_type, payload)
        known_priority = _priority(topic, event_type, priority)
        trace = self._tracing.publishing(topic, event_type, event_id)
        meta = Meta(
            priority=known_priority,
            retries=0,
            trace_id=trace.trace_id,
            parent_id=trace.parent_id,
            source=self._source,
            reply_to=reply_to,
            deadline=deadline,
        )
        try:
            future = self.send(
                names.stream_of(topic), topic, event_type, encoded_payload, meta, event_id, schema_version
            )
        except Exception as error:
            self._counters.topic(topic).failed += 1
            if trace.end is not None:
                trace.end(error)
            raise
        future.add_done_callback(partial(_count, self._counters.topic(topic), trace.end))
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
    ) -> asyncio.Future[Any]:
        """Append an event with this payload and meta to a stream."""
        event = Event(
            event_id=event_id or new_ulid(),
            schema_version=schema_version,
            topic=topic,
            event_type=event_type,
            timestamp=timestamp_now(),
            payload=payload,
            meta=meta,
        )
        future = self._connection.call(
            "XADD", stream, "*", codec.FIELD, codec.encode(event), answer=event.event_id
        )
        self.published.add(topic)
        return future


def _count(counters: TopicCounters, end: End | None, future: asyncio.Future[Any]) -> None:
    error = failure_of(future)
    if error is None:
        counters.published += 1
    elif not future.cancelled():  # then nobody knows: it may well be there
        counters.failed += 1
    if end is not None:
        end(error)


_PRIORITIES: dict[str, Priority] = {priority: priority for priority in Priority}


def _priority(topic: str, event_type: str, priority: Priority | str) -> Priority:
    try:
        return _PRIORITIES[priority]
    except (KeyError, TypeError) as error:
        raise EventMalformedError(topic, event_type, f"priority {priority!r}") from error
