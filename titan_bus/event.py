"""The event, as every message on the bus looks, and its id.

Frozen structs without behaviour, except that an event decodes its payload. Only `codec` converts them to bytes.
"""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from titan_bus.errors import PayloadMismatchError

EVENT_BYTES_MAX = 32_768
"""The size limit of an encoded event, with its envelope."""

SCHEMA_VERSION = 1

T = TypeVar("T")


class Priority(StrEnum):
    """Within one batch, high comes before medium, medium before low."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Meta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The metadata that the bus needs.

    Attributes:
        retries: how often a handler has failed on it.
        trace_id: 32 hexadecimal digits (W3C Trace Context); an event published by a handler inherits it.
        source: the program that published it, `desktop_app@v0.9.1`.
        parent_id: the span that published it, 16 hexadecimal digits; zeros when its trace is not recorded; None
            when the publisher records no spans.
        reply_to: the stream for the answer, when this is a request.
        deadline: milliseconds since the epoch until which the requester waits for the answer.
        request_id: the request that this event answers.
        part: the number of this part of a split reply, from 0.
        parts: how many parts there are.
    """

    priority: Priority
    retries: int
    trace_id: str
    source: str
    parent_id: str | None = None
    reply_to: str | None = None
    deadline: int | None = None
    request_id: str | None = None
    part: int = 0
    parts: int = 1


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event.

    Attributes:
        event_id: a ULID.
        schema_version: of the payload; a newer version of an event type increments it (`upcast`).
        topic: its topic, `chat.v1`.
        event_type: what happened, in the past tense, or what is requested.
        timestamp: RFC 3339 in UTC, by the publisher's clock.
        encoded_payload: JSON, decoded on demand: `payload` as a dict, `payload_as` as a type.
        meta: the metadata of the bus.
    """

    event_id: str
    schema_version: int
    topic: str
    event_type: str
    timestamp: str
    encoded_payload: msgspec.Raw = msgspec.field(name="payload")
    meta: Meta

    @property
    def payload(self) -> dict[str, Any]:
        """The payload as a dict, decoded at each access.

        Raises:
            PayloadMismatchError: it is no JSON object; another program published it.
        """
        return self.payload_as(dict[str, Any])

    def payload_as(self, kind: type[T]) -> T:
        """Decode the payload as `kind`: a struct, a union of tagged structs, `dict`.

        Raises:
            PayloadMismatchError: it does not match. As a FatalError it dead-letters the event.
        """
        try:
            return msgspec.json.decode(self.encoded_payload, type=kind)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            name = getattr(kind, "__name__", str(kind))
            raise PayloadMismatchError(self.event_id, name, str(error)) from error


ULID_CHARS = 26
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _CROCKFORD for low in _CROCKFORD)
_TAIL_MAX = (1 << 20) - 1


class UlidSource:
    """Generates strictly increasing ULIDs, also when the clock is set back (github.com/ulid/spec, Monotonicity).

    The last four characters are a counter; the 22 before them are generated anew once a millisecond.
    """

    def __init__(self, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._now_ms = now_ms
        self._last_ms = -1
        self._head = 0
        self._head_text = ""
        self._tail = 0

    def next(self) -> str:
        """Return the next id: 26 characters of Crockford's base 32."""
        now_ms = self._now_ms()
        if now_ms > self._last_ms:
            self._last_ms = now_ms
            # The top bit stays zero, so that the counter cannot overflow into the time.
            chance = int.from_bytes(os.urandom(10)) >> 1
            self._tail = chance & _TAIL_MAX
            self._write_head(now_ms << 60 | chance >> 20)
        elif self._tail < _TAIL_MAX:
            self._tail += 1
        else:
            self._tail = 0
            self._write_head(self._head + 1)
        return self._head_text + _PAIRS[self._tail >> 10] + _PAIRS[self._tail & 1023]

    def forget(self) -> None:
        """Start over with a new random part."""
        self._last_ms = -1

    def _write_head(self, head: int) -> None:
        self._head = head
        self._head_text = "".join([_PAIRS[head >> shift & 1023] for shift in range(100, -1, -10)])


_ids = UlidSource()
new_ulid = _ids.next
"""The one generator of this process: two buses in it never generate the same id."""
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_ids.forget)  # else parent and child would continue from the same id


def ulid_at(ms: int) -> str:
    """Return a new ULID of another time, for an event that is published then."""
    return UlidSource(lambda: ms).next()


def ulid_ms(ulid: str) -> int:
    """Return the time in a ULID, milliseconds since the epoch (github.com/ulid/spec).

    Raises:
        ValueError: it is no ULID.
    """
    if len(ulid) != ULID_CHARS:
        raise ValueError(f"{ulid!r} is no ULID")
    ms = 0
    for character in ulid[:10].upper():
        digit = _CROCKFORD.find(character)
        if digit < 0:
            raise ValueError(f"{ulid!r} is no ULID")
        ms = ms << 5 | digit
    return ms


class TimestampSource:
    """Returns the time in RFC 3339, UTC, to the millisecond. A second is formatted once."""

    def __init__(self, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._now_ms = now_ms
        self._second = -1
        self._second_text = ""

    def now(self) -> str:
        """Return the time."""
        second, ms = divmod(self._now_ms(), 1000)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._second_text}.{ms:03}Z"


timestamp_now = TimestampSource().now


def timestamp_at(ms: int) -> str:
    """Return another time, milliseconds since the epoch."""
    return TimestampSource(lambda: ms).now()


class Dataclass(Protocol):
    """What every dataclass is to a type checker."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Payload = dict[str, Any] | Mapping[str, object] | msgspec.Struct | Dataclass
"""What may be published: its JSON is an object. A TypedDict is a Mapping to a type checker, and no `dict`."""
