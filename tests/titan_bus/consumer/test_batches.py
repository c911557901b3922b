"""Handlers that take several events at once."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from tests.titan_bus.conftest import settled, until
from titan_bus import (
    Bus,
    BusConfig,
    Event,
    HandlerRefusedError,
    Handlers,
    ReadConfig,
    StreamConfig,
    codec,
    names,
)
from titan_bus.connections.connection import Connection
from titan_bus.consumer.delivery import Delivery


class Batches:
    """A handler that keeps the batches it got, as numbers."""

    def __init__(self, fault: Callable[[list[int]], object] | None = None) -> None:
        self.batches: list[list[int]] = []
        self._fault = fault

    async def __call__(self, events: list[Event]) -> object:
        numbers = [event.payload["n"] for event in events]
        self.batches.append(numbers)
        await asyncio.sleep(0)
        return None if self._fault is None else self._fault(numbers)

    @property
    def handled(self) -> list[int]:
        return [number for batch in self.batches for number in batch]


async def publish(bus: Bus, topic: str, count: int) -> None:
    await asyncio.gather(*(bus.publish(topic, "e", {"n": n}) for n in range(count)))


async def test_what_waits_comes_at_once(config: BusConfig, raw: Connection, topic: str) -> None:
    """In its order, as much as one read brings at most, and the return acknowledges all of it."""
    handler = Batches()
    async with Bus(msgspec.structs.replace(config, read=ReadConfig(count=10))) as bus:
        await publish(bus, topic, 35)
        await bus.subscribe(topic, "g", handler, concurrency=1)
        await until(lambda: len(handler.handled) == 35, "every event")
        await settled(raw, names.stream_of(topic), "g")
        assert bus.counters.group(topic, "g").handled == 35
    assert handler.handled == list(range(35))
    assert max(map(len, handler.batches)) <= 10
    assert len(handler.batches) < 20


@pytest.mark.logs("goes to the dead letters")
async def test_one_at_fault_takes_no_other_along(bus: Bus, raw: Connection, topic: str) -> None:
    """Each event of a batch that failed is tried again alone: one is a dead letter then, the rest is handled."""

    def fail(numbers: list[int]) -> None:
        if 7 in numbers:
            raise ValueError("seven")

    handler = Batches(fail)
    await publish(bus, topic, 20)
    await bus.subscribe(topic, "g", handler)

    async def letters() -> int:
        return len(await bus.dead_letters.list(topic=topic))

    await until(letters, "the dead letter")
    await settled(raw, names.stream_of(topic), "g")
    await settled(raw, names.retries_of("g", topic), "g")
    [letter] = await bus.dead_letters.list(topic=topic)
    assert letter.event is not None
    assert letter.event.payload == {"n": 7}
    assert letter.origin.message == "seven"
    failed = [batch for batch in handler.batches if 7 in batch]
    assert failed[1:] == [[7]] * (len(failed) - 1)
    assert set(handler.handled) == set(range(20))


async def test_one_that_comes_alone_keeps_its_turn(bus: Bus, raw: Connection, topic: str) -> None:
    """It comes right after the batch that ends before it, however busy the handler is kept."""
    subscription = await bus.subscribe(topic, "g", Batches())
    subscription.resize(0)
    processor = subscription._processor
    stream = names.stream_of(topic)
    for _ in range(4):
        await bus.publish(topic, "e", {})
    entries = await raw.call("XRANGE", stream, "-", "+")
    bodies = [codec.body(fields) for _, fields in entries]
    bodies[2] = codec.with_retries(bodies[2], 1)
    processor._in_flight.queue(
        Delivery(stream, entry_id, [codec.FIELD, body], codec.decode_body(body))
        for (entry_id, _), body in zip(entries, bodies, strict=True)
    )
    assert processor._batches is not None
    first = processor._next()
    assert first is not None
    batch = processor._batches.begun_by(first, processor._next)
    assert [delivery.entry_id for delivery in batch] == [entry_id for entry_id, _ in entries[:2]]
    following = processor._next()
    assert following is not None
    assert following.entry_id == entries[2][0]


async def test_a_request_comes_alone(bus: Bus, topic: str) -> None:
    """What the handler returns is its answer."""
    handler = Batches(lambda numbers: {"sum": sum(numbers)})
    await publish(bus, topic, 5)
    await bus.subscribe(topic, "g", handler)
    assert await bus.request(topic, "q", {"n": 100}, dict) == {"sum": 100}
    assert [100] in handler.batches


async def test_a_batch_stops_at_the_rate_limit(config: BusConfig, topic: str) -> None:
    """It has as many events as may be handled now."""
    limited = msgspec.structs.replace(config, streams=(StreamConfig(name=topic, rate_limit=4),))
    handler = Batches()
    async with Bus(limited) as bus:
        await publish(bus, topic, 6)
        await bus.subscribe(topic, "g", handler, concurrency=1)
        await until(lambda: len(handler.handled) == 6, "every event")
    assert max(map(len, handler.batches)) <= 4


async def test_a_cancelled_batch_is_not_acknowledged(bus: Bus, raw: Connection, topic: str) -> None:
    """All of it is handled by the next consumer."""
    stuck = asyncio.Event()

    async def wait(events: list[Event]) -> None:
        if len(events) > 1:
            stuck.set()
        await asyncio.Event().wait()

    await publish(bus, topic, 5)
    subscription = await bus.subscribe(topic, "g", wait)
    await stuck.wait()
    await subscription.stop(0.0)
    handler = Batches()
    await bus.subscribe(topic, "g", handler)
    await settled(raw, names.stream_of(topic), "g")
    assert sorted(handler.handled) == list(range(5))


async def test_a_list_of_events_is_the_whole_group(topic: str) -> None:
    """It shares a group with no other handler, has no other parameter, and no middleware."""

    async def several(events: list[Event]) -> None: ...
    async def single(event: Event) -> None: ...
    async def both(events: list[Event], event: Event) -> None: ...

    handlers = Handlers()
    handlers.on(topic, "g")(several)
    with pytest.raises(HandlerRefusedError, match="without others beside it"):
        handlers.on(topic, "g", event_type="e")(single)
    with pytest.raises(HandlerRefusedError, match="without others beside it"):
        handlers.on(topic, "other", event_type="e")(several)
    with pytest.raises(HandlerRefusedError, match="no other parameter"):
        handlers.on(topic, "another")(both)  # type: ignore[type-var]
    with pytest.raises(HandlerRefusedError, match="a middleware is given one event"):
        handlers.wrapped(lambda event, call: call(event))
