"""The event: what every message on the bus looks like, and the ids that order them.

Frozen structs without behaviour but one: decoding their own payload. `codec` alone turns them into bytes.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from titan_bus.errors import PayloadMismatchError

EVENT_BYTES_MAX = 32_768
"""The longest encoded event, envelope and all."""

SCHEMA_VERSION = 1

T = TypeVar("T")


class Priority(StrEnum):
    """Within one batch, high comes before medium before low."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Meta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the bus itself needs to know of an event.

    Attributes:
        retries: how often a handler has failed on it.
        trace_id: 32 hexadecimal digits (W3C Trace Context); an event published by a handler inherits it.
        source: the program that published it, `desktop_app@v0.9.1`.
        parent_id: the span that published it, 16 hexadecimal digits; zeros when its trace is not recorded; None
            when the publisher records no spans.
        reply_to: the stream that waits for the answer, when this is a request.
        deadline: milliseconds since the epoch after which nobody waits for the answer.
        request_id: the event that this one answers.
        part: the number of this piece of a split reply, from 0.
        parts: how many pieces there are.
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
        schema_version: of the payload; a newer version of an event type counts it up (`upcast`).
        topic: what it is about, `chat.v1`.
        event_type: what happened, in the past tense, or what is asked for.
        timestamp: RFC 3339 in UTC, by the publisher's clock.
        payload: undecoded JSON until somebody asks.
        meta: what the bus needs to know.
    """

    event_id: str
    schema_version: int
    topic: str
    event_type: str
    timestamp: str
    payload: msgspec.Raw
    meta: Meta

    def payload_as(self, kind: type[T]) -> T:
        """Decode the payload as `kind`: a struct, a union of tagged structs, `dict`.

        Raises:
            PayloadMismatchError: it is something else. As a FatalError it sends the event to the dead letters.
        """
        try:
            return msgspec.json.decode(self.payload, type=kind)
        except (msgspec.MsgspecError, ValueError) as error:
            name = getattr(kind, "__name__", str(kind))
            raise PayloadMismatchError(self.event_id, name, str(error)) from error


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _CROCKFORD for low in _CROCKFORD)


class UlidSource:
    """Makes ULIDs that rise strictly, also when the clock is set back (github.com/ulid/spec, Monotonicity)."""

    def __init__(self, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._now_ms = now_ms
        self._last_ms = -1
        self._random = 0

    def next(self) -> str:
        """Return the next id: 26 characters of Crockford's base 32."""
        now_ms = self._now_ms()
        if now_ms > self._last_ms:
            self._last_ms = now_ms
            # The top bit stays free, so that counting up cannot overflow into the time.
            self._random = int.from_bytes(os.urandom(10)) >> 1
        else:
            self._random += 1
        value = self._last_ms << 80 | self._random
        return "".join([_PAIRS[value >> shift & 1023] for shift in range(120, -1, -10)])


new_ulid = UlidSource().next
"""The one source of this process: two buses in it never make the same id."""


def timestamp_now() -> str:
    """Return the time in RFC 3339, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


Payload = dict[str, Any] | msgspec.Struct
