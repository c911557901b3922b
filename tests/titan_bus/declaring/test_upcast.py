"""Old payloads, lifted to the version that the program knows."""

from typing import Any

import msgspec
import pytest

from tests.titan_bus.conftest import QUICK_RETRY, Recorder, until
from titan_bus import Bus, BusConfig, Event, Handlers, StreamConfig, UpcastError, Upcasters, codec, names
from titan_bus.connections.connection import Connection


class OrderV3(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    currency: str
    cents: int


@pytest.fixture
def upcasters(topic: str) -> Upcasters:
    """Orders: version 2 has a currency, version 3 the price in cents."""
    upcasters = Upcasters()

    @upcasters.step(topic, "order_placed", 1)
    def with_currency(payload: dict[str, Any]) -> dict[str, Any]:
        return payload | {"currency": "EUR"}

    @upcasters.step(topic, "order_placed", 2)
    def in_cents(payload: dict[str, Any]) -> dict[str, Any]:
        return {"number": payload["number"], "currency": payload["currency"], "cents": payload["price"] * 100}

    return upcasters


OLD = {"number": 7, "price": 5}
LIFTED = OrderV3(7, "EUR", 500)


async def test_a_handler_gets_the_version_that_it_knows(
    config: BusConfig, topic: str, upcasters: Upcasters
) -> None:
    """Events of versions 1, 2 and 3 come to the handler as 3."""
    orders: list[OrderV3] = []

    async def handler(order: OrderV3, event: Event) -> None:
        assert event.schema_version == 3
        orders.append(order)

    async with Bus(config, Handlers(upcasters)) as bus:
        await bus.subscribe(topic, "g", handler)
        await bus.publish(topic, "order_placed", OLD)
        await bus.publish(topic, "order_placed", OLD | {"currency": "EUR"}, schema_version=2)
        await bus.publish(topic, "order_placed", LIFTED, schema_version=3)
        await until(lambda: len(orders) == 3, "all versions")
    assert orders == [LIFTED] * 3


async def test_tail_and_replay_show_the_same(config: BusConfig, topic: str, upcasters: Upcasters) -> None:
    """Reading along and reading again give what a handler gets, and the stream keeps what was published."""
    async with Bus(config, Handlers(upcasters)) as bus:
        tail = bus.tail([topic])
        await tail.start()
        await bus.publish(topic, "order_placed", OLD)
        followed = await anext(tail)
        replayed = [event async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
        (entry,) = await bus._connection.call("XRANGE", names.stream_of(topic), "-", "+")
    assert followed == replayed[0]
    assert followed.payload_as(OrderV3) == LIFTED
    assert codec.decode(entry[1]).payload_as(dict) == OLD
    assert codec.decode(entry[1]).schema_version == 1


async def test_a_newer_version_and_another_type_go_through_unchanged(
    config: BusConfig, topic: str, upcasters: Upcasters
) -> None:
    """What this program has no step for it hands on as it came."""
    recorder = Recorder()
    async with Bus(config, Handlers(upcasters)) as bus:
        await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "order_placed", {"news": 1}, schema_version=9)
        await bus.publish(topic, "order_praised", OLD)
        await recorder.wait_for(2)
    assert [(e.schema_version, e.payload_as(dict)) for e in recorder.events] == [(9, {"news": 1}), (1, OLD)]


@pytest.mark.logs("goes to the dead letters")
async def test_a_step_that_fails_makes_a_dead_letter_of_the_original(
    config: BusConfig, topic: str, upcasters: Upcasters
) -> None:
    """A step that raises would raise again: a dead letter at once, with version and bytes as published."""
    recorder = Recorder()
    async with Bus(config, Handlers(upcasters)) as bus:
        await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "order_placed", {"number": 7})

        async def dead_lettered() -> bool:
            return await bus.dead_letters.count(topic=topic) == 1

        await until(dead_lettered, "the dead letter")
        (letter,) = await bus.dead_letters.list(topic=topic)
    assert letter.origin.error == UpcastError.__name__
    assert "from version 2: KeyError('price')" in letter.origin.message
    assert letter.event is not None
    assert (letter.event.schema_version, letter.event.meta.retries) == (1, 0)
    assert letter.event.payload_as(dict) == {"number": 7}
    assert not recorder.events


@pytest.mark.logs("goes to the dead letters")
async def test_a_retried_event_keeps_its_version(
    redis_url: str, raw: Connection, topic: str, upcasters: Upcasters
) -> None:
    """A handler that fails on a lifted event gets it lifted again, and its dead letter is the old one."""
    config = BusConfig(url=redis_url, streams=(StreamConfig(name=topic, retry_limit=1),), retry=QUICK_RETRY)

    def fail(event: Event) -> None:
        raise ValueError(event.schema_version)

    recorder = Recorder(fail)
    async with Bus(config, Handlers(upcasters)) as bus:
        await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "order_placed", OLD)

        async def dead_lettered() -> bool:
            return await bus.dead_letters.count(topic=topic) == 1

        await until(dead_lettered, "the dead letter")
        (letter,) = await bus.dead_letters.list(topic=topic)
    assert [event.payload_as(OrderV3) for event in recorder.events] == [LIFTED, LIFTED]
    assert letter.event is not None
    assert (letter.event.schema_version, letter.event.payload_as(dict)) == (1, OLD)


async def test_a_tail_goes_on_behind_a_step_that_fails(
    config: BusConfig, topic: str, upcasters: Upcasters
) -> None:
    """Who reads along is told of an event that cannot be lifted, and gets the next one."""
    async with Bus(config, Handlers(upcasters)) as bus:
        tail = bus.tail([topic])
        await tail.start()
        await bus.publish(topic, "order_placed", {})
        await bus.publish(topic, "order_placed", OLD)
        with pytest.raises(UpcastError) as failed:
            await anext(tail)
        assert (failed.value.topic, failed.value.from_version) == (topic, 2)
        assert (await anext(tail)).payload_as(OrderV3) == LIFTED


async def test_steps_of_a_bus_may_come_later(bus: Bus, topic: str) -> None:
    """`bus.upcasters` takes steps while the bus is open; what comes after them is lifted."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    bus.upcasters.register(topic, "e", 1, lambda payload: payload | {"b": 2})
    await bus.publish(topic, "e", {"a": 1})
    (event,) = await recorder.wait_for(1)
    assert event.payload_as(dict) == {"a": 1, "b": 2}


def test_a_step_is_there_once(upcasters: Upcasters, topic: str) -> None:
    """Two steps from one version contradict; the same one twice does not, and a version is 1 or more."""
    with pytest.raises(ValueError, match="has a step from version 1 already"):
        upcasters.register(topic, "order_placed", 1, dict)
    with pytest.raises(ValueError, match="versions begin with 1"):
        upcasters.register(topic, "order_placed", 0, dict)
    again = Upcasters()
    again.include(upcasters)
    again.include(upcasters)
    assert (again.latest(topic, "order_placed"), again.latest(topic, "other")) == (3, 1)


async def asynchronous(payload: dict[str, Any]) -> dict[str, Any]:
    return payload


@pytest.mark.parametrize(
    ("from_version", "step", "sentence"),
    [
        ("1", dict, "versions begin with 1, there is none from '1'"),
        (1.5, dict, "there is none from 1.5"),
        (True, dict, "there is none from True"),
        (1, asynchronous, "write `def`"),
        (1, None, "write `def`"),
    ],
)
def test_a_step_that_cannot_be_is_refused_when_it_is_registered(
    from_version: Any, step: Any, sentence: str
) -> None:
    """It would never be taken, or fail for each event."""
    with pytest.raises(ValueError, match=sentence):
        Upcasters().register("t", "e", from_version, step)


@pytest.mark.parametrize("result", [None, [1], "text", {"a": object()}])
def test_a_step_returns_an_object(topic: str, result: Any) -> None:
    """What is no JSON object is the step's fault, not the handler's."""
    upcasters = Upcasters()
    upcasters.register(topic, "e", 1, lambda _: result)
    event = msgspec.convert(
        {
            "event_id": "01E", "schema_version": 1, "topic": topic, "event_type": "e", "timestamp": "",
            "payload": msgspec.Raw(b"{}"),
            "meta": {"priority": "low", "retries": 0, "trace_id": "", "source": ""},
        },
        Event,
    )  # fmt: skip
    with pytest.raises(UpcastError):
        upcasters.apply(event)
