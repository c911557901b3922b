"""Handlers declared before there is a bus."""

import asyncio
import logging
from typing import Any

import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, settled, until
from titan_bus import (
    Bus,
    BusClosedError,
    BusConfig,
    Event,
    HandlerRefusedError,
    Handlers,
    RequestRefused,
    names,
)
from titan_bus.connections.connection import Connection
from titan_bus.declaring import asyncapi
from titan_bus.errors import RequestFailedError


class OrderPlaced(msgspec.Struct):
    number: int


class Card(msgspec.Struct):
    digits: str


class Total(msgspec.Struct):
    cents: int


seen: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


async def takes_event(event: Event) -> None:
    seen.append(event.payload_as(dict))


async def takes_payload(order: OrderPlaced) -> None:
    seen.append(order)


async def takes_dict(order: dict[str, int]) -> None:
    seen.append(order)


async def says_nothing(event) -> None:
    seen.append(event.payload_as(dict))


@pytest.mark.by_url
async def test_event_types_of_a_group_are_one_subscription(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """Each event goes to the handler of its type, the rest to the one without; a group is one consumer."""
    handlers = Handlers()

    @handlers.on(topic, "g", event_type="order_placed", concurrency=4)
    async def placed(order: OrderPlaced) -> None:
        seen.append(("placed", order.number))

    @handlers.on(topic, "g", event_type="order_cancelled")
    async def cancelled(event: Event) -> None:
        seen.append(("cancelled", event.event_type))

    @handlers.on(topic, "g")
    async def rest(event: Event) -> None:
        seen.append(("rest", event.event_type))

    assert [one.options for one in handlers] == [{"concurrency": 4}]
    async with Bus(config, handlers) as bus:
        for event_type in ("order_placed", "order_cancelled", "order_praised"):
            await bus.publish(topic, event_type, OrderPlaced(7))
        await until(lambda: len(seen) == 3, "all three")
    assert set(seen) == {("placed", 7), ("cancelled", "order_cancelled"), ("rest", "order_praised")}
    await placed(OrderPlaced(8))  # the decorated function is the function
    assert ("placed", 8) in seen


async def test_a_type_that_nobody_takes_is_acknowledged_and_named_once(
    config: BusConfig, raw: Connection, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A group that wants some types of a topic lets the others pass; the log names each of them once."""
    handlers = Handlers()
    handlers.on(topic, "g", event_type="order_placed")(takes_payload)
    caplog.set_level(logging.INFO, "titan_bus")
    async with Bus(config, handlers) as bus:
        for _ in range(3):
            await bus.publish(topic, "order_praised", {})
        await bus.publish(topic, "order_placed", OrderPlaced(7))
        await until(lambda: seen, "the one that is wanted")
        await settled(raw, names.stream_of(topic), "g")
        assert await bus.dead_letters.count(topic=topic) == 0
    assert sum("no handler takes order_praised" in record.message for record in caplog.records) == 1


async def test_a_request_that_nobody_takes_is_refused(config: BusConfig, topic: str) -> None:
    """Who asks what no handler knows hears so at once, not at the deadline."""
    handlers = Handlers()
    handlers.on(topic, "g", event_type="order_placed")(takes_payload)
    async with Bus(config, handlers) as bus:
        with pytest.raises(RequestFailedError) as refused:
            await bus.request(topic, "weather_wanted", {})
    assert refused.value.code == "unknown_event_type"


async def keys_of_its_own(event: Event) -> str:
    return event.event_id


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"concurrency": 0}, "concurrency has to be a whole number of 1 or more, not 0"),
        ({"concurrency": -1}, "1 or more, not -1"),
        ({"concurrency": "4"}, "1 or more, not '4'"),
        ({"concurrency": 1.5}, "1 or more, not 1.5"),
        ({"concurrency": True}, "1 or more, not True"),
        ({"auto_ack": "no"}, "auto_ack has to be True or False, not 'no'"),
        ({"start": "2026-01-31T12:00:00Z"}, "or the id of an entry"),
        ({"start": "now"}, "or the id of an entry"),
        ({"start": "5-"}, "or the id of an entry"),
        ({"start": str(2**64)}, "or the id of an entry"),
        ({"start": 0}, "or the id of an entry"),
        ({"start": ["0"]}, "or the id of an entry"),
        ({"partition_by": "number"}, "partition_by has to be a function of the event"),
        ({"partition_by": keys_of_its_own}, "partition_by returns the key itself: write `def`"),
        ({"group": ""}, "group has to be a name, a text that is not empty, not ''"),
        ({"group": 5}, "group has to be a name, a text that is not empty, not 5"),
        ({"topic": ""}, "topic has to be a name"),
        ({"topic": None}, "topic has to be a name"),
        ({"topic": "", "concurrency": 0}, "not ''; concurrency has to be"),
    ],
)
async def test_an_option_that_cannot_be_is_refused_where_it_is_written(
    bus: Bus, options: dict[str, Any], sentence: str
) -> None:
    """Declaring and subscribing refuse, with the cure, what would else never begin or fail for each event."""
    options = {"topic": "t", "group": "g"} | options
    with pytest.raises(HandlerRefusedError) as declared:
        Handlers().on(**options)(takes_event)
    with pytest.raises(HandlerRefusedError) as subscribed:
        await bus.subscribe(handler=takes_event, **options)
    assert sentence in str(declared.value)
    assert (subscribed.value.handler, subscribed.value.reason) == ("takes_event", declared.value.reason)


@pytest.mark.parametrize("event_type", ["", 5])
def test_an_event_type_is_a_name(event_type: Any) -> None:
    """No event has an empty type or a number for one, so a handler of it would never be called."""
    with pytest.raises(HandlerRefusedError, match="event_type has to be a name"):
        Handlers().on("t", "g", event_type=event_type)(takes_event)


async def test_a_group_begins_at_an_entry(bus: Bus, raw: Connection, topic: str) -> None:
    """The id of an entry is a place to begin: what comes after it is handled, it and what was before is not."""
    await bus.publish(topic, "order_placed", OrderPlaced(1))
    ((last, _),) = await raw.call("XREVRANGE", names.stream_of(topic), "+", "-", "COUNT", 1)
    await bus.subscribe(topic, "g", takes_payload, start=last.decode())
    await bus.publish(topic, "order_placed", OrderPlaced(2))
    await until(lambda: seen, "the second")
    assert seen == [OrderPlaced(2)]


def test_contradictions_are_refused_when_declared(topic: str) -> None:
    """One type has one handler in a group, and one subscription one value of each option."""
    handlers = Handlers()
    handlers.on(topic, "g", event_type="order_placed", concurrency=4)(takes_payload)
    with pytest.raises(HandlerRefusedError, match="takes_event: takes_payload handles order_placed"):
        handlers.on(topic, "g", event_type="order_placed")(takes_event)
    with pytest.raises(HandlerRefusedError, match=f"concurrency is 4 for g on {topic} already, not 5"):
        handlers.on(topic, "g", event_type="other", concurrency=5)(takes_event)
    handlers.on(topic, "g")(takes_event)
    with pytest.raises(HandlerRefusedError, match="handles all event types without a handler"):
        handlers.on(topic, "g")(says_nothing)
    assert {event_type for one in handlers for event_type in one.routes} == {"order_placed", None}


def test_collections_are_put_together(topic: str) -> None:
    """Modules declare for themselves; together they have all, and what contradicts is refused."""
    orders, payments, together = Handlers(), Handlers(), Handlers()
    orders.on(topic, "g", event_type="order_placed")(takes_payload)
    payments.on(topic, "g", event_type="paid", start="$")(takes_dict)
    payments.sends(topic, "billed", Total)
    payments.upcasters.register(topic, "paid", 1, dict)
    together.include(orders, payments)
    (declared,) = together
    assert set(declared.routes) == {"order_placed", "paid"}
    assert declared.options == {"start": "$"}
    assert [sent.payload for sent in together.sent()] == [Total]
    assert together.upcasters.latest(topic, "paid") == 2
    assert {event_type for one in orders for event_type in one.routes} == {"order_placed"}
    with pytest.raises(HandlerRefusedError):
        together.include(orders)
    with pytest.raises(ValueError, match="another payload"):
        payments.sends(topic, "billed", Card)


async def test_the_bus_itself_declares_until_it_opens(config: BusConfig, topic: str) -> None:
    """`bus.on` before it opens is subscribed when it opens; after that it is refused and `include` subscribes."""
    bus = Bus(config)
    bus.on(topic, "first")(takes_payload)
    with pytest.raises(BusClosedError):
        await bus.include(Handlers())
    async with bus:
        with pytest.raises(HandlerRefusedError, match="include"):
            bus.on(topic, "second")(takes_dict)
        handlers = Handlers()
        handlers.on(topic, "second")(takes_dict)
        (subscription,) = await bus.include(handlers)
        assert (subscription.topic, subscription.group) == (topic, "second")
        await bus.publish(topic, "order_placed", OrderPlaced(7))
        await until(lambda: len(seen) == 2, "both groups")
    assert OrderPlaced(7) in seen
    assert {"number": 7} in seen


async def test_a_collection_that_cannot_be_subscribed_leaves_nothing(bus: Bus, topic: str) -> None:
    """When one of its groups is there already, none of the collection's other subscriptions stays."""
    await bus.subscribe(topic, "taken", Recorder())
    handlers = Handlers()
    handlers.on(topic, "free")(takes_event)
    handlers.on(topic, "taken")(takes_event)
    with pytest.raises(ValueError, match="taken"):
        await bus.include(handlers)
    await bus.subscribe(topic, "free", takes_event)  # ValueError if it were still there


async def test_a_bus_whose_handlers_cannot_be_subscribed_does_not_stay_open(
    config: BusConfig, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails while it opens closes it: no task and no connection is left behind."""
    bus = Bus(config)
    bus.on(topic, "g")(takes_event)
    before = asyncio.all_tasks()

    async def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bus, "subscribe", fails)
    with pytest.raises(ZeroDivisionError):
        await bus.open()
    assert not bus.connected
    await until(lambda: asyncio.all_tasks() <= before, "the end of its tasks")


class Refund(msgspec.Struct, tag="order_refunded"):
    number: int


async def test_a_struct_stands_for_the_event_type_that_is_its_tag(bus: Bus, topic: str) -> None:
    """The type is written down once, in the struct; one without a tag stands for none."""
    handlers = Handlers()

    @handlers.on(topic, "g", event_type=Refund)
    async def refunded(refund: Refund) -> None:
        seen.append(refund)

    await bus.include(handlers)
    await bus.publish(topic, "order_refunded", Refund(7))
    await until(lambda: seen == [Refund(7)], "the refund is seen")
    with pytest.raises(HandlerRefusedError, match="a struct with a tag"):
        handlers.on(topic, "g", event_type=OrderPlaced)(takes_payload)
    with pytest.raises(HandlerRefusedError, match="a struct with a tag"):
        handlers.on(topic, "g", event_type=dict)(takes_payload)  # type: ignore[arg-type]


async def test_a_middleware_stands_in_front_of_every_handler(bus: Bus, topic: str) -> None:
    """It sees the event before its payload is read, gives the answer on, and what it refuses reaches nobody."""
    handlers, passed = Handlers(), []

    @handlers.on(topic, "g", event_type="total_wanted")
    async def total(order: OrderPlaced) -> Total:
        seen.append(order)
        return Total(order.number * 100)

    @handlers.on(f"{topic}.other", "g")
    async def every(event: Event) -> None:
        seen.append(event.event_type)

    async def gate(event: Event, call: Any) -> object:
        passed.append((event.topic, event.event_type))
        if event.payload_as(dict).get("stranger"):
            raise RequestRefused("no_access", "strangers have none")
        return await call(event)

    await bus.include(handlers.wrapped(gate))
    answer = await bus.request(topic, "total_wanted", {"number": 3}, Total)
    with pytest.raises(RequestFailedError) as refused:
        await bus.request(topic, "total_wanted", {"number": 4, "stranger": True})
    assert (answer, refused.value.code, seen) == (Total(300), "no_access", [OrderPlaced(3)])
    await bus.publish(f"{topic}.other", "anything", {})
    await until(lambda: seen[1:] == ["anything"], "the other event is seen")
    assert passed[0] == (topic, "total_wanted")
    assert passed[-1] == (f"{topic}.other", "anything")


def test_a_wrapped_collection_is_described_as_the_handlers_are() -> None:
    """And the collection itself stays as it was."""

    async def gate(event: Event, call: Any) -> object:
        return await call(event)

    handlers = Handlers()
    handlers.on("orders.v1", "g", event_type="order_placed", concurrency=4)(takes_payload)
    handlers.sends("orders.v1", "order_placed", OrderPlaced)
    wrapped = handlers.wrapped(gate)
    assert asyncapi.document(wrapped) == asyncapi.document(handlers)
    assert next(iter(wrapped)).options == {"concurrency": 4}
    assert next(iter(handlers)).routes["order_placed"].handler is takes_payload
