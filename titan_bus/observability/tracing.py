"""The trace of an event: W3C Trace Context, in `meta.trace_id` and `meta.parent_id`.

`TraceIds` is used without a tracing library: an event published by a handler belongs to the trace of the event
that is being handled, and unknown values are passed on. `otel` records OpenTelemetry spans instead. Publisher,
processor, requester and responder use the `Tracing` interface only.
"""

import asyncio
import contextvars
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, Protocol

from titan_bus.event import Event

NOT_RECORDED = "0" * 16
"""As `meta.parent_id`: the publisher decided that this trace is not recorded (W3C's `sampled` flag is 0).

The all-zero id is invalid for a span, so it cannot be mistaken for one. None means that the publisher records no
spans; then the consumer decides.
"""


End = Callable[[BaseException | None], None]


class Trace(NamedTuple):
    """The trace of a new event.

    Attributes:
        trace_id: 32 hexadecimal digits.
        parent_id: the span that publishes it, 16 hexadecimal digits; NOT_RECORDED; or None.
        end: called once with the error or None, when the server has replied; None for no callback.
    """

    trace_id: str
    parent_id: str | None
    end: End | None = None


def failure_of(future: asyncio.Future[Any]) -> BaseException | None:
    """Return the exception of a finished future without marking it as retrieved.

    `exception()` would mark it, and a publish that nobody awaits would fail without a log entry.
    """
    return asyncio.CancelledError() if future.cancelled() else future._exception  # noqa: SLF001


def ended(end: End, future: asyncio.Future[Any]) -> None:
    """Call a trace's `end` with the outcome of a future; a done-callback with `partial`."""
    end(failure_of(future))


class Tracing(Protocol):
    """The tracing interface. Each method is called in the program's context and returns at once."""

    def publishing(self, topic: str, event_type: str, event_id: str) -> Trace:
        """Begin the trace of an event that is about to be sent."""
        ...

    def dispatching(self, event: Event, group: str) -> AbstractContextManager[None]:
        """Enter the event's trace, from before its handler until after the outcome."""
        ...

    def handling(self, event: Event) -> AbstractContextManager[None]:
        """Enclose the handler alone, within `dispatching`; its exceptions propagate."""
        ...

    def requesting(self, topic: str, event_type: str) -> AbstractContextManager[None]:
        """Enclose a request, from before its publish until its answer; exceptions propagate."""
        ...


class TraceIdSource:
    """Generates trace ids: 32 random hexadecimal digits. Random bytes are fetched for many at once."""

    _DIGITS = 32

    def __init__(self) -> None:
        self._ids: list[str] = []

    def next(self) -> str:
        """Return the next id."""
        if not self._ids:
            digits = os.urandom(128 * self._DIGITS).hex()
            self._ids = [digits[at : at + self._DIGITS] for at in range(0, len(digits), self._DIGITS)]
        return self._ids.pop()

    def forget(self) -> None:
        """Discard the fetched random bytes."""
        self._ids.clear()


_trace_ids = TraceIdSource()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_trace_ids.forget)  # else parent and child would have the same

_current: contextvars.ContextVar[Trace | None] = contextvars.ContextVar("titan_bus_trace", default=None)
_NOTHING = nullcontext()


class _Within:
    """Makes a trace the current one during a `with`."""

    __slots__ = ("_token", "_trace")

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __enter__(self) -> None:
        self._token = _current.set(self._trace)

    def __exit__(self, *raised: object) -> None:
        _current.reset(self._token)


class TraceIds:
    """Trace ids without spans."""

    def publishing(self, topic: str, event_type: str, event_id: str) -> Trace:  # noqa: ARG002
        """Return the trace of the event being handled, or a new one."""
        return _current.get() or Trace(_trace_ids.next(), None)

    def dispatching(self, event: Event, group: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Make the event's trace the current one."""
        return _Within(Trace(event.meta.trace_id, event.meta.parent_id))

    def handling(self, event: Event) -> AbstractContextManager[None]:  # noqa: ARG002
        """Do nothing: the trace is entered already."""
        return _NOTHING

    def requesting(self, topic: str, event_type: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Do nothing: the request's own event begins the trace."""
        return _NOTHING
