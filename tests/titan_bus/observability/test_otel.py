"""Spans of OpenTelemetry, seen through an exporter in memory; two processes through a file."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider, sampling
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.titan_bus.conftest import Recorder, until
from titan_bus import (
    Bus,
    BusConfig,
    Event,
    EventTooLargeError,
    RequestFailedError,
    RequestRefused,
    RequestTimedOutError,
)
from titan_bus.observability.otel import OpenTelemetryTracing
from titan_bus.observability.tracing import NOT_RECORDED, Trace


class Spans:
    """A provider of its own and what came of it."""

    def __init__(self, sampler: sampling.Sampler = sampling.DEFAULT_ON) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def all(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    async def named(self, name: str, count: int = 1) -> list[ReadableSpan]:
        """Wait for so many spans of this name, in the order in which they began."""

        def found() -> list[ReadableSpan]:
            return sorted((s for s in self.all() if s.name == name), key=lambda s: s.start_time or 0)

        await until(lambda: len(found()) >= count, f"{count} spans {name}")
        return found()

    async def one(self, name: str) -> ReadableSpan:
        return (await self.named(name))[0]


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
async def traced(config: BusConfig, spans: Spans) -> AsyncIterator[Bus]:
    async with Bus(config, tracing=OpenTelemetryTracing(spans.provider)) as bus:
        yield bus


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent is not None else None


def span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def trace_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return trace.format_trace_id(span.context.trace_id)


async def test_publish_dispatch_and_handler_are_one_trace(traced: Bus, topic: str, spans: Spans) -> None:
    """Publish, dispatch and handler are parent, child and grandchild, in the trace that the event names."""
    recorder = Recorder()
    await traced.subscribe(topic, "g", recorder)
    await traced.publish(topic, "happened", {})
    (event,) = await recorder.wait_for(1)
    dispatch = await spans.one(f"dispatch {topic}")
    publish, handle = await spans.one(f"publish {topic}"), await spans.one("handle happened")
    assert {trace_id(span) for span in (publish, dispatch, handle)} == {event.meta.trace_id}
    assert parent(publish) is None
    assert parent(dispatch) == span_id(publish) == int(event.meta.parent_id or "", 16)
    assert parent(handle) == span_id(dispatch)
    assert [span.kind for span in (publish, dispatch, handle)] == [
        SpanKind.PRODUCER,
        SpanKind.CONSUMER,
        SpanKind.INTERNAL,
    ]


async def test_attributes_follow_the_conventions(traced: Bus, topic: str, spans: Spans) -> None:
    """Publish and dispatch carry the attributes of the semantic conventions for messaging, and the retries."""
    await traced.subscribe(topic, "g", Recorder())
    event_id = await traced.publish(topic, "happened", {})
    common = {
        "messaging.system": "redis",
        "messaging.destination.name": topic,
        "messaging.message.id": event_id,
        "titan_bus.event_type": "happened",
    }
    publish, dispatch = await spans.one(f"publish {topic}"), await spans.one(f"dispatch {topic}")
    assert dict(publish.attributes or {}) == common | {
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
    }
    assert dict(dispatch.attributes or {}) == common | {
        "messaging.operation.name": "dispatch",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "g",
        "titan_bus.retries": 0,
    }


async def test_handler_continues_the_trace(traced: Bus, topic: str, spans: Spans) -> None:
    """What a handler publishes hangs below its span; what is published beside it begins a trace."""

    async def handle(_: object) -> None:
        await traced.publish(f"{topic}.out", "second", {})

    await traced.subscribe(topic, "g", handle)
    await traced.publish(topic, "first", {})
    handled = await spans.one("handle first")
    second = await spans.one(f"publish {topic}.out")
    assert parent(second) == span_id(handled)
    assert trace_id(second) == trace_id(handled)
    await traced.publish(topic, "third", {})
    third = (await spans.named(f"publish {topic}", 2))[1]
    assert trace_id(third) != trace_id(handled)
    assert parent(third) is None


async def test_publish_within_the_programs_own_span(traced: Bus, topic: str, spans: Spans) -> None:
    """A publish within an active span of the program is its child."""
    with spans.provider.get_tracer("program").start_as_current_span("checkout") as own:
        await traced.publish(topic, "happened", {})
    publish = await spans.one(f"publish {topic}")
    assert parent(publish) == own.get_span_context().span_id


async def test_each_try_is_a_delivery_of_the_same_publish(traced: Bus, topic: str, spans: Spans) -> None:
    """A failed handler records its exception, its delivery fails, and the next try is another delivery."""

    def fault(event: object) -> None:
        if len(recorder.events) == 1:
            raise ValueError("no stock")

    recorder = Recorder(fault)
    await traced.subscribe(topic, "g", recorder)
    await traced.publish(topic, "happened", {})
    first, second = await spans.named(f"dispatch {topic}", 2)
    publish = await spans.one(f"publish {topic}")
    assert parent(first) == parent(second) == span_id(publish)
    assert [(s.attributes or {})["titan_bus.retries"] for s in (first, second)] == [0, 1]
    failed, handled = await spans.named("handle happened", 2)
    (raised,) = failed.events
    assert raised.name == "exception"
    assert (raised.attributes or {})["exception.message"] == "no stock"
    assert [s.status.status_code for s in (failed, first)] == [StatusCode.ERROR] * 2
    assert (first.attributes or {})["error.type"] == "ValueError"
    assert [s.status.status_code for s in (handled, second)] == [StatusCode.UNSET] * 2


@pytest.mark.logs("could not be recorded in its span")
async def test_error_without_a_text(traced: Bus, topic: str, spans: Spans) -> None:
    """An exception whose text cannot be made does not keep the handler's span from ending as failed."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("mute")

    with (
        pytest.raises(MuteError),
        traced._tracing.dispatching(await _event(traced, topic), "g"),
        traced._tracing.handling(await _event(traced, topic)),
    ):
        raise MuteError
    handled = await spans.one("handle happened")
    assert handled.status.status_code is StatusCode.ERROR


async def _event(bus: Bus, topic: str) -> Event:
    async with asyncio.timeout(30):
        await bus.publish(topic, "happened", {})
        async for event in bus.tail([topic], start="0"):
            return event
    raise AssertionError


async def test_cancelled_handler(traced: Bus, topic: str, spans: Spans) -> None:
    """A handler that is cancelled at the end of its subscription leaves failed spans, not open ones."""
    recorder = Recorder(lambda _: asyncio.Event().wait())
    subscription = await traced.subscribe(topic, "g", recorder)
    await traced.publish(topic, "happened", {})
    await recorder.wait_for(1)
    await subscription.stop(0)
    for name in ("handle happened", f"dispatch {topic}"):
        span = await spans.one(name)
        assert span.status.status_code is StatusCode.ERROR
        assert (span.attributes or {})["error.type"] == "CancelledError"


async def test_refused_publish(traced: Bus, topic: str, spans: Spans) -> None:
    """A publish that cannot be sent ends its span as failed."""
    with pytest.raises(EventTooLargeError):
        traced.publish(topic, "happened", {"text": "x" * 40_000})
    span = await spans.one(f"publish {topic}")
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "EventTooLargeError"


async def test_publish_span_ends_with_the_servers_answer(traced: Bus, topic: str, spans: Spans) -> None:
    """A publish's span ends when the server has the event, not before."""
    future = traced.publish(topic, "happened", {})
    assert spans.all() == []
    await future
    await spans.one(f"publish {topic}")


async def test_request_and_reply_are_one_trace(traced: Bus, topic: str, spans: Spans) -> None:
    """A request's span is the parent of its publish; the reply is published below the delivery."""

    async def handle(_: object) -> dict[str, int]:
        return {"n": 1}

    await traced.subscribe(topic, "g", handle)
    await traced.request(topic, "count", {})
    request, publish = await spans.one(f"request {topic}"), await spans.one(f"publish {topic}")
    dispatch, reply = await spans.one(f"dispatch {topic}"), await spans.one("publish replies")
    assert request.kind is SpanKind.CLIENT
    assert parent(publish) == span_id(request)
    assert parent(dispatch) == span_id(publish)
    assert parent(reply) == span_id(dispatch)
    assert len({trace_id(span) for span in spans.all()}) == 1


async def test_refusal_is_an_answer(traced: Bus, topic: str, spans: Spans) -> None:
    """A refusal does not fail the responder's spans; the request, which got no result, fails."""

    async def handle(_: object) -> None:
        raise RequestRefused("no_such_page")

    await traced.subscribe(topic, "g", handle)
    with pytest.raises(RequestFailedError):
        await traced.request(topic, "page", {})
    handled = await spans.one("handle page")
    request = await spans.one(f"request {topic}")
    dispatch = await spans.one(f"dispatch {topic}")
    assert [s.status.status_code for s in (handled, dispatch)] == [StatusCode.UNSET] * 2
    assert (request.attributes or {})["error.type"] == "RequestFailedError"


async def test_request_that_nobody_answers(traced: Bus, topic: str, spans: Spans) -> None:
    """A request that times out is a failed span."""
    with pytest.raises(RequestTimedOutError):
        await traced.request(topic, "page", {}, timeout_s=0.01)
    request = await spans.one(f"request {topic}")
    assert (request.attributes or {})["error.type"] == "RequestTimedOutError"


async def test_unrecorded_trace_stays_unrecorded(config: BusConfig, topic: str) -> None:
    """An event of an unsampled trace says so, and a consumer that samples everything follows."""
    silent, loud = Spans(sampling.ParentBased(sampling.ALWAYS_OFF)), Spans()
    recorder = Recorder()
    async with (
        Bus(config, tracing=OpenTelemetryTracing(silent.provider)) as publisher,
        Bus(config, tracing=OpenTelemetryTracing(loud.provider)) as consumer,
    ):

        async def handle(event: object) -> None:
            await consumer.publish(f"{topic}.out", "second", {})

        await consumer.subscribe(topic, "g", handle)
        await consumer.subscribe(f"{topic}.out", "g", recorder)
        await publisher.publish(topic, "first", {})
        (second,) = await recorder.wait_for(1)
    assert second.meta.parent_id == NOT_RECORDED
    assert silent.all() == loud.all() == []


async def test_publisher_without_spans(config: BusConfig, topic: str, spans: Spans) -> None:
    """An event from a program without spans begins a trace at its consumer, which names the event's own."""
    recorder = Recorder()
    async with (
        Bus(config) as publisher,
        Bus(config, tracing=OpenTelemetryTracing(spans.provider)) as consumer,
    ):
        await consumer.subscribe(topic, "g", recorder)
        await publisher.publish(topic, "first", {})
        (event,) = await recorder.wait_for(1)
        dispatch = await spans.one(f"dispatch {topic}")
    assert parent(dispatch) is None
    assert (dispatch.attributes or {})["messaging.message.conversation_id"] == event.meta.trace_id


async def test_program_without_spans_hands_the_trace_on(config: BusConfig, topic: str, spans: Spans) -> None:
    """A program without spans between two that have them does not tear the trace."""
    last = Recorder()
    async with (
        Bus(config, tracing=OpenTelemetryTracing(spans.provider)) as traced,
        Bus(config) as plain,
    ):

        async def handle(_: object) -> None:
            await plain.publish(f"{topic}.out", "second", {})

        await plain.subscribe(topic, "g", handle)
        await traced.subscribe(f"{topic}.out", "g", last)
        await traced.publish(topic, "first", {})
        await last.wait_for(1)
        dispatch, publish = await spans.one(f"dispatch {topic}.out"), await spans.one(f"publish {topic}")
    assert parent(dispatch) == span_id(publish)


@pytest.mark.parametrize(
    ("trace", "span"),
    [
        ("not hexadecimal", "0" * 15 + "1"),
        ("0" * 32, "0" * 15 + "1"),
        ("f" * 40, "1"),
        ("-1", "1"),
        ("a" * 32, ""),
    ],
)
async def test_foreign_ids(traced: Bus, topic: str, spans: Spans, trace: str, span: str) -> None:
    """Ids that are none, from a program that is not ours, begin a new trace and do no harm."""
    recorder = Recorder()
    await traced.subscribe(topic, "g", recorder)
    traced._publisher._tracing = Foreign(trace, span)  # type: ignore[assignment]  # only `publishing` is asked
    await traced.publish(topic, "happened", {})
    (event,) = await recorder.wait_for(1)
    assert event.meta.trace_id == trace
    dispatch = await spans.one(f"dispatch {topic}")
    assert parent(dispatch) is None


class Foreign:
    def __init__(self, trace: str, span: str) -> None:
        self._ids = (trace, span)

    def publishing(self, topic: str, event_type: str, event_id: str) -> Trace:
        return Trace(*self._ids)


async def test_interface_alone_keeps_the_ids(config: BusConfig, topic: str) -> None:
    """Without an SDK in the program, a handler's events still belong to the trace of what it handles."""
    recorder = Recorder()
    async with Bus(config, tracing=OpenTelemetryTracing(trace.NoOpTracerProvider())) as bus:

        async def handle(_: object) -> None:
            await bus.publish(f"{topic}.out", "second", {})

        await bus.subscribe(topic, "g", handle)
        await bus.subscribe(f"{topic}.out", "g", recorder)
        first = Recorder()
        await bus.subscribe(topic, "h", first)
        await bus.publish(topic, "first", {})
        (second,), (began,) = await recorder.wait_for(1), await first.wait_for(1)
    assert second.meta.trace_id == began.meta.trace_id
    assert second.meta.parent_id is None


@pytest.mark.by_url
async def test_one_trace_across_two_processes(
    traced: Bus, redis_url: str, topic: str, spans: Spans, tmp_path: Path
) -> None:
    """Here published, handled in another process, whose answer is handled here: one trace, right parents."""
    recorder = Recorder()
    await traced.subscribe(f"{topic}.out", "g", recorder)
    path = tmp_path / "spans.jsonl"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.titan_bus.observability.traced_child", redis_url, topic, str(path)
    )
    await traced.publish(topic, "first", {})
    await recorder.wait_for(1)
    assert await child.wait() == 0
    theirs = {span["name"]: span for span in map(json.loads, path.read_text("utf-8").splitlines())}
    first, last = await spans.one(f"publish {topic}"), await spans.one(f"dispatch {topic}.out")

    def outer(name: str) -> int:
        return int(theirs[name]["parent_id"], 16)

    def own(name: str) -> int:
        return int(theirs[name]["context"]["span_id"], 16)

    assert outer(f"dispatch {topic}") == span_id(first)
    assert outer("handle first") == own(f"dispatch {topic}")
    assert outer(f"publish {topic}.out") == own("handle first")
    assert parent(last) == own(f"publish {topic}.out")
    ours = {trace_id(span) for span in spans.all()}
    assert ours | {span["context"]["trace_id"].removeprefix("0x") for span in theirs.values()} == ours
    assert len(ours) == 1


def test_not_installed() -> None:
    """Without opentelemetry the bus imports; asking for its spans names the extra to install."""
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import titan_bus\n"
        "try:\n    import titan_bus.observability.otel\n"
        "except titan_bus.BusError as error:\n    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "titan-bus[otel]" in said.stdout
