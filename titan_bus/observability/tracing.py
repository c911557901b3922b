"""Which trace an event belongs to: W3C Trace Context, carried in `meta.trace_id` and `meta.parent_id`.

`TraceIds` is what a bus does without a tracing library: an event published by a handler belongs to the trace of
the event that is being handled, and what is not understood here is handed on as it came. `otel` puts
OpenTelemetry's spans in its place. Publisher, processor, requester and responder speak to `Tracing` alone.
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

The all-zero id is invalid as a span's, so nobody takes it for one. None says that the publisher records no spans
at all; then the consumer decides.
"""


End = Callable[[BaseException | None], None]


class Trace(NamedTuple):
    """What a new event takes along.

    Attributes:
        trace_id: 32 hexadecimal digits.
        parent_id: the span that publishes it, 16 hexadecimal digits; NOT_RECORDED; or None.
        end: to be called once, with what went wrong or None, when the server has answered. None: nobody listens.
    """

    trace_id: str
    parent_id: str | None
    end: End | None = None


def failure_of(future: asyncio.Future[Any]) -> BaseException | None:
    """Return what a future that is done failed with, and leave it to be seen by who awaits it.

    `exception()` would take it for seen, and a publish that nobody awaits would fail without a word in the log.
    """
    return asyncio.CancelledError() if future.cancelled() else future._exception  # noqa: SLF001


def ended(end: End, future: asyncio.Future[Any]) -> None:
    """Tell a trace's `end` how a future came out; with `partial` its done-callback."""
    end(failure_of(future))


class Tracing(Protocol):
    """What the bus tells of an event's way. Each is called in the context of the program and returns at once."""

    def publishing(self, topic: str, event_type: str, event_id: str) -> Trace:
        """An event is about to be sent."""
        ...

    def dispatching(self, event: Event, group: str) -> AbstractContextManager[None]:
        """Enter the event's trace, from before its handler until after the outcome."""
        ...

    def handling(self, event: Event) -> AbstractContextManager[None]:
        """Stand around the handler alone, within `dispatching`; what it raises goes through."""
        ...

    def requesting(self, topic: str, event_type: str) -> AbstractContextManager[None]:
        """Stand around a request, from before it is published until its answer; what it raises goes through."""
        ...


class TraceIdSource:
    """Makes trace ids: 32 hexadecimal digits of chance. The system is asked for many at once."""

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
        """Begin anew: what was asked for is not used."""
        self._ids.clear()


_trace_ids = TraceIdSource()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_trace_ids.forget)  # or parent and child would have the same

_current: contextvars.ContextVar[Trace | None] = contextvars.ContextVar("titan_bus_trace", default=None)
_NOTHING = nullcontext()


class _Within:
    """A trace made the current one for the length of a `with`."""

    __slots__ = ("_token", "_trace")

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __enter__(self) -> None:
        self._token = _current.set(self._trace)

    def __exit__(self, *raised: object) -> None:
        _current.reset(self._token)


class TraceIds:
    """Traces by id alone, without spans."""

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
