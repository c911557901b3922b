"""OpenTelemetry's spans for the way of an event: publish, dispatch, handler, all in one trace across programs.

    Bus(config, tracing=OpenTelemetryTracing())

The spans follow the semantic conventions for messaging (opentelemetry.io/docs/specs/semconv/messaging):

    request shop.v1           CLIENT    around a request, until its answer
    └── publish shop.v1       PRODUCER  until the server has the event
        └── dispatch shop.v1  CONSUMER  each delivery, from before the handler until after the outcome
            └── handle order  INTERNAL  the handler alone

A delivery's parent is the publish, also when it is the third try; spans that the handler makes and events that it
publishes hang below the handler. Imported only by those who ask for it: needs `titan-bus[otel]`, which is
opentelemetry-api. The SDK, the sampler and the exporter are the program's own affair. Baggage and `tracestate`
do not travel.
"""

import logging
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from titan_bus import names
from titan_bus.error_groups import decisive, kind_of
from titan_bus.errors import ExtraMissingError, RequestRefused
from titan_bus.event import Event, Meta
from titan_bus.observability.tracing import NOT_RECORDED, Trace, TraceIds
from titan_bus.version import __version__

try:
    from opentelemetry import context, trace
except ImportError as error:
    raise ExtraMissingError("tracing with OpenTelemetry", "otel") from error

logger = logging.getLogger("titan_bus")
_SPAN_ID_MASK = 2**64 - 1
_ROOT = context.Context()
_NOTHING = nullcontext()


class OpenTelemetryTracing:
    """Records a span for every publish, delivery, handler and request.

    The sampler of the program that begins a trace decides whether it is recorded: an event of an unrecorded trace
    says so, and a consumer with a parent-based sampler (the default) follows. An event whose publisher records no
    spans begins a new trace at the consumer, with the event's trace id as `messaging.message.conversation_id`.

    Args:
        provider: receives the spans; the program's global one when None.
    """

    def __init__(self, provider: trace.TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("titan_bus", __version__, provider)
        self._ids = TraceIds()

    def publishing(self, topic: str, event_type: str, event_id: str) -> Trace:
        """Start the span of a publish, below the active one or as the root of a trace."""
        span = self._tracer.start_span(
            f"publish {topic}",
            kind=trace.SpanKind.PRODUCER,
            attributes=_attributes("publish", "send", topic, event_type, event_id),
        )
        known = span.get_span_context()
        if not known.is_valid:  # OpenTelemetry is not set up: the ids go on without it
            return self._ids.publishing(topic, event_type, event_id)
        return Trace(
            trace.format_trace_id(known.trace_id),
            trace.format_span_id(known.span_id) if known.trace_flags.sampled else NOT_RECORDED,
            partial(_end, span) if span.is_recording() else None,
        )

    def dispatching(self, event: Event, group: str) -> AbstractContextManager[None]:
        """Start the span of a delivery, below the publish of its event."""
        attributes = _attributes("dispatch", "process", event.topic, event.event_type, event.event_id)
        attributes["messaging.consumer.group.name"] = group
        attributes["titan_bus.retries"] = event.meta.retries
        parent = _parent(event.meta)
        if parent is None:
            attributes["messaging.message.conversation_id"] = event.meta.trace_id
        span = self._tracer.start_span(
            f"dispatch {event.topic}",
            # Never the context of the worker task, which may belong to another event.
            context=_ROOT if parent is None else trace.set_span_in_context(parent, _ROOT),
            kind=trace.SpanKind.CONSUMER,
            attributes=attributes,
        )
        if not span.get_span_context().is_valid:
            return self._ids.dispatching(event, group)
        return _Active(span)

    def handling(self, event: Event) -> AbstractContextManager[None]:
        """Start the span of a handler. Its exception is recorded, and fails the delivery's span, too."""
        outer = trace.get_current_span()
        if not outer.is_recording():
            return _NOTHING
        return _Active(self._tracer.start_span(f"handle {event.event_type}"), outer)

    def requesting(self, topic: str, event_type: str) -> AbstractContextManager[None]:
        """Start the span of a request."""
        attributes = _attributes("request", "send", topic, event_type)
        span = self._tracer.start_span(f"request {topic}", kind=trace.SpanKind.CLIENT, attributes=attributes)
        return _Active(span)


class _Active:
    """A span that is active during a `with`, and ends with it."""

    __slots__ = ("_outer", "_span", "_token")

    def __init__(self, span: trace.Span, outer: trace.Span | None = None) -> None:
        self._span = span
        self._outer = outer

    def __enter__(self) -> None:
        self._token = context.attach(trace.set_span_in_context(self._span))

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        context.detach(self._token)
        if error is not None and self._outer is not None:
            _fail(self._outer, error)
        _end(self._span, error)


def _attributes(
    operation: str, kind: str, topic: str, event_type: str, event_id: str | None = None
) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "messaging.system": "redis",
        "messaging.operation.name": operation,
        "messaging.operation.type": kind,
        "messaging.destination.name": topic,
        "titan_bus.event_type": event_type,
    }
    if event_id is not None:
        attributes["messaging.message.id"] = event_id
    if topic == names.REPLIES:
        attributes["messaging.destination.temporary"] = True
    return attributes


def _parent(meta: Meta) -> trace.Span | None:
    """Return the publishing span as a remote parent; None when there is none or its ids are invalid."""
    if meta.parent_id is None:
        return None
    try:
        trace_id, span_id = int(meta.trace_id, 16), int(meta.parent_id, 16)
    except ValueError:  # written by another program
        return None
    flags = trace.TraceFlags.SAMPLED
    if meta.parent_id == NOT_RECORDED:
        # The span id must be valid, otherwise OpenTelemetry would begin a new trace and sample again.
        flags, span_id = trace.TraceFlags.DEFAULT, trace_id & _SPAN_ID_MASK or 1
    parent = trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(flags))
    return trace.NonRecordingSpan(parent) if parent.is_valid else None


def _fail(span: trace.Span, error: BaseException) -> None:
    if not isinstance(decisive(error), RequestRefused):  # which is an answer
        span.set_attribute("error.type", kind_of(error))
        span.set_status(trace.Status(trace.StatusCode.ERROR, kind_of(error)))


def _end(span: trace.Span, error: BaseException | None) -> None:
    if error is not None and span.is_recording():
        _fail(span, error)
        try:
            span.record_exception(error)
        except Exception:  # an error without a readable text must not become a fault of the bus
            logger.warning("%s could not be recorded in its span", type(error).__name__, exc_info=True)
    span.end()
