"""Publishing."""

import asyncio
import gc
import re
from typing import Any

import msgspec
import pytest

from titan_bus import (
    EVENT_BYTES_MAX,
    Bus,
    BusClosedError,
    BusConfig,
    EventMalformedError,
    EventTooLargeError,
    Priority,
    PublishRefusedError,
    names,
)
from titan_bus.connections.connection import Connection

from .conftest import Recorder, Server, until


class Order(msgspec.Struct, tag="order_placed", tag_field="type"):
    number: int


@pytest.mark.by_url
async def test_an_event_has_the_schemas_fields(bus: Bus, raw: Connection, topic: str) -> None:
    """On the wire an event is the specification's JSON, in the stream `topics:<topic>`."""
    event_id = await bus.publish(topic, "order_placed", {"number": 7}, priority="high")
    [(_, [name, encoded])] = await raw.call("XRANGE", names.stream_of(topic), "-", "+")
    event = msgspec.json.decode(encoded)
    assert name == b"e"
    assert event["event_id"] == event_id
    assert (event["schema_version"], event["topic"], event["event_type"]) == (1, topic, "order_placed")
    assert event["payload"] == {"number": 7}
    assert re.fullmatch("[0-9a-f]{32}", event["meta"].pop("trace_id"))
    assert event["meta"] == {"priority": "high", "retries": 0, "source": "tests@v1"}


async def test_a_struct_is_a_payload(bus: Bus, topic: str) -> None:
    """A struct is published with its tag, and decoded as itself."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    await bus.publish(topic, "order_placed", Order(7))
    [event] = await recorder.wait_for(1)
    assert event.payload_as(Order) == Order(7)
    assert event.payload_as(dict) == {"type": "order_placed", "number": 7}


async def test_publishes_of_one_turn_keep_their_order(bus: Bus, raw: Connection, topic: str) -> None:
    """Five thousand publishes that nobody awaits one by one arrive all, in order, with rising ids."""
    ids = await asyncio.gather(*[bus.publish(topic, "e", {"n": n}) for n in range(5_000)])
    entries = await raw.call("XRANGE", names.stream_of(topic), "-", "+")
    assert [msgspec.json.decode(fields[1])["event_id"] for _, fields in entries] == ids
    assert ids == sorted(set(ids))


async def test_an_event_over_32_kb_is_refused(bus: Bus, raw: Connection, topic: str) -> None:
    """The whole encoded event counts, at the call: 32,768 bytes go, one more does not."""
    await bus.publish(topic, "e", {"text": ""})
    [(_, [_, empty])] = await raw.call("XRANGE", names.stream_of(topic), "-", "+")
    room = EVENT_BYTES_MAX - len(empty)
    await bus.publish(topic, "e", {"text": "x" * room})
    with pytest.raises(EventTooLargeError) as raised:
        bus.publish(topic, "e", {"text": "x" * (room + 1)})
    assert isinstance(raised.value, PublishRefusedError)
    assert (raised.value.topic, raised.value.size, raised.value.limit) == (topic, 32_769, 32_768)
    assert await raw.call("XLEN", names.stream_of(topic)) == 2


@pytest.mark.parametrize("wrong", [{"schema_version": "2"}, {"schema_version": None}, {"source": 5}])
async def test_an_event_that_no_reader_could_decode(bus: Bus, topic: str, wrong: dict[str, Any]) -> None:
    """A version that is no number and a source that is no text are refused at the call."""
    with pytest.raises(EventMalformedError):
        bus.publish(topic, "e", {}, **wrong)


async def test_a_malformed_event_is_refused(bus: Bus, topic: str) -> None:
    """An unknown priority, an empty name, a payload that is no object: refused at the call."""
    with pytest.raises(EventMalformedError):
        bus.publish(topic, "e", {}, priority="urgent")
    with pytest.raises(EventMalformedError):
        bus.publish("", "e", {})
    with pytest.raises(EventMalformedError):
        bus.publish(topic, "", {})
    with pytest.raises(EventMalformedError):
        bus.publish(topic, 5, {})  # type: ignore[arg-type]
    with pytest.raises(EventMalformedError):
        bus.publish(topic, "\ud800", {})
    with pytest.raises(EventMalformedError):
        bus.publish(topic, "e", [1])  # type: ignore[arg-type]


async def test_a_cancelled_publish_disturbs_nobody(bus: Bus, topic: str) -> None:
    """Futures cancelled in flight leave the replies of the others where they belong."""
    futures = [bus.publish(topic, "e", {"n": n}) for n in range(10)]
    await asyncio.sleep(0)
    futures[3].cancel()
    futures[7].cancel()
    done = await asyncio.gather(*futures, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in done].count(True) == 2
    events = [event async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
    assert [event.payload_as(dict)["n"] for event in events] == list(range(10))


@pytest.mark.by_url
async def test_what_a_handler_publishes_shares_its_trace(bus: Bus, topic: str) -> None:
    """An event that a handler publishes has the trace id of the event it handles."""
    answers = Recorder()
    questions = Recorder(lambda _: bus.publish(f"{topic}.answers", "a", {}, Priority.LOW) and None)
    await bus.subscribe(f"{topic}.answers", "g", answers)
    await bus.subscribe(topic, "g", questions)
    await bus.publish(topic, "q", {})
    [answer] = await answers.wait_for(1)
    assert answer.meta.trace_id == questions.events[0].meta.trace_id


async def test_a_bus_that_is_not_open_says_so(config: BusConfig, topic: str) -> None:
    """Before `async with`, and after it, everything raises BusClosedError."""
    bus = Bus(config)
    with pytest.raises(BusClosedError):
        bus.publish(topic, "e", {})
    async with bus:
        pass
    with pytest.raises(BusClosedError):
        bus.publish(topic, "e", {})
    with pytest.raises(BusClosedError):
        await bus.subscribe(topic, "g", Recorder())
    await bus.close()


async def test_failure_that_nobody_awaits_is_said(server: Server, topic: str) -> None:
    """A publish that fails and that nobody awaits is told by asyncio: counting it does not hide it."""
    said: list[str] = []
    loop = asyncio.get_running_loop()
    async with Bus(BusConfig(url=server.url, patience_s=0.05)) as bus:
        server.kill()
        gc.collect()  # what other tests left is not this one's
        loop.set_exception_handler(lambda _, context: said.append(context["message"]))
        bus.publish(topic, "happened", {})
        try:
            await until(lambda: bus.counters.topic(topic).failed, "the failure")
            gc.collect()
        finally:
            loop.set_exception_handler(None)
    assert said == ["Future exception was never retrieved"]


async def test_who_passes_on_names_the_source(bus: Bus, topic: str) -> None:
    """An event published on behalf of another program carries that one's name."""
    recorder = Recorder()
    await bus.publish(topic, "happened", {}, source="billing")
    await bus.subscribe(topic, "g", recorder)
    assert (await recorder.wait_for(1))[0].meta.source == "billing"
