"""Which trace an event belongs to: W3C Trace Context, carried in `meta.trace_id` and `meta.parent_id`.

`TraceIds` is what a bus does without a tracing library: an event published by a handler belongs to the trace of
the event that is being handled. `otel` puts OpenTelemetry's spans in its place.
"""

import contextvars
import os
from contextlib import AbstractContextManager
from typing import Protocol

from titan_bus.event import Event

_current: contextvars.ContextVar[str] = contextvars.ContextVar("titan_bus_trace", default="")


class Tracing(Protocol):
    """What the publisher and the processor tell of an event's way."""

    def publishing(self, topic: str, event_type: str, event_id: str) -> tuple[str, str | None]:
        """Return the trace (32 hexadecimal digits) and the parent span (16, or None) of a new event."""
        ...

    def handling(self, event: Event, group: str) -> AbstractContextManager[None]:
        """Enter the event's trace around its handler, which runs inside; what that raises goes through."""
        ...


class _Within:
    """A trace made the current one for the length of a `with`."""

    __slots__ = ("_token", "_trace_id")

    def __init__(self, trace_id: str) -> None:
        self._trace_id = trace_id

    def __enter__(self) -> None:
        self._token = _current.set(self._trace_id)

    def __exit__(self, *raised: object) -> None:
        _current.reset(self._token)


class TraceIds:
    """Traces by id alone, without spans."""

    def publishing(self, topic: str, event_type: str, event_id: str) -> tuple[str, str | None]:  # noqa: ARG002
        """Return the trace of the event being handled, or a new one."""
        return _current.get() or os.urandom(16).hex(), None

    def handling(self, event: Event, group: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Make the event's trace the current one."""
        return _Within(event.meta.trace_id)
