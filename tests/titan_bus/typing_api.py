"""What a type checker makes of the interface: mypy reads this in CI, nobody runs it.

A line with `type: ignore[...]` is a wrong use, and its error is the claim: `warn_unused_ignores` fails when the
checker lets it pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, assert_type

import msgspec

import titan_bus
from titan_bus import (
    Bus,
    BusConfig,
    DeadLetter,
    Event,
    Handlers,
    PostgresOnce,
    Priority,
    Subscription,
    Upcasters,
)

if TYPE_CHECKING:
    import asyncpg


class OrderPlaced(msgspec.Struct):
    number: int


class OrderPaid(TypedDict):
    number: int


@dataclass
class OrderSent:
    number: int


class Total(msgspec.Struct):
    cents: int


async def takes_event(event: Event) -> None: ...


async def takes_payload(order: OrderPlaced) -> Total:
    return Total(order.number)


async def takes_both(order: OrderPlaced, event: Event) -> None: ...


async def takes_three(order: OrderPlaced, event: Event, more: int) -> None: ...


async def takes_nothing() -> None: ...


def synchronous(event: Event) -> None: ...


async def publishing(bus: Bus) -> None:
    """A publish gives the id; the payload is an object of JSON, and the priority one of three."""
    assert_type(bus.publish("t", "e", {"a": 1}), asyncio.Future[str])
    assert_type(await bus.publish("t", "e", OrderPlaced(1), Priority.HIGH, schema_version=2), str)
    assert_type(await titan_bus.publish("t", "e", {}, priority="high"), str)
    paid: OrderPaid = {"number": 1}
    assert_type(bus.publish("t", "e", paid), asyncio.Future[str])
    assert_type(bus.publish("t", "e", OrderSent(1)), asyncio.Future[str])
    await bus.request("t", "e", paid, Total)
    bus.publish("t", "e", [1])  # type: ignore[arg-type]
    bus.publish("t", "e", "text")  # type: ignore[arg-type]
    bus.publish("t", "e", {}, 3)  # type: ignore[arg-type]
    bus.publish("t", "e", {}, "high", 2)  # type: ignore[call-arg]


async def requesting(bus: Bus) -> None:
    """A reply is of the type that is asked for, and undecoded without one."""
    assert_type(await bus.request("t", "e", {}, Total), Total)
    assert_type(await bus.request("t", "e", {}, list[Total], timeout_s=1.0), list[Total])
    assert_type(await bus.request("t", "e", {}), msgspec.Raw)
    assert_type(await bus.request("t", "e", {}, Total, source="s"), Total)
    assert_type(await titan_bus.request("t", "e", {}, Total), Total)
    assert_type(await titan_bus.request("t", "e", {}), msgspec.Raw)
    await bus.request("t", "e", {}, Total(1))  # type: ignore[call-overload]


async def subscribing(bus: Bus) -> None:
    """A handler takes the event, the payload, or both, and is async."""
    assert_type(await bus.subscribe("t", "g", takes_event), Subscription)
    await bus.subscribe("t", "g", takes_payload, concurrency=2, partition_by=lambda event: event.event_id)
    await bus.subscribe("t", "g", takes_both)
    await titan_bus.subscribe("t", "g", takes_both, auto_ack=False, start="$")
    await bus.subscribe("t", "g", synchronous)  # type: ignore[arg-type]
    await bus.subscribe("t", "g", takes_three)  # type: ignore[arg-type]
    await bus.subscribe("t", "g", takes_nothing)  # type: ignore[arg-type]
    await titan_bus.subscribe("t", "g", takes_event, retries=3)  # type: ignore[call-arg]


handlers = Handlers()


@handlers.on("t", "g", event_type="order_placed", concurrency=4)
async def decorated(order: OrderPlaced) -> Total:
    return Total(order.number)


@handlers.on("t", "g")  # type: ignore[type-var]
def decorated_synchronous(event: Event) -> None: ...


async def declaring(bus: Bus) -> None:
    """A decorated function keeps its type, so a test calls it with what it takes."""
    assert_type(await decorated(OrderPlaced(1)), Total)
    await decorated({"number": 1})  # type: ignore[arg-type]
    assert_type(await bus.on("t", "h")(takes_payload)(OrderPlaced(1)), Total)
    assert_type(await bus.include(handlers), list[Subscription])
    assert_type(await titan_bus.connect(BusConfig(url="redis://h"), handlers), Bus)
    handlers.on("t", "g", concurrency="4")  # type: ignore[arg-type]


async def reading(bus: Bus) -> None:
    """Replay and tail give events, and an event its payload as what is asked for."""
    assert_type(bus.replay("2026-01-01", "t"), AsyncGenerator[Event, None])
    assert_type(titan_bus.replay("2026-01-01", "t", "2026-01-02"), AsyncGenerator[Event, None])
    async for event in bus.tail(["t"]):
        assert_type(event.payload, dict[str, Any])
        assert_type(event.payload_as(OrderPlaced), OrderPlaced)
        assert_type(event.payload_as(dict[str, int]), dict[str, int])
        event.event_id = "other"  # type: ignore[misc]


async def dead_letters(bus: Bus) -> None:
    """Dead letters are listed, selected, given back and dropped by their ids."""
    assert_type(await bus.dead_letters.list(topic="t"), list[DeadLetter])
    ids = [letter.letter_id async for letter in bus.dead_letters.select(error="KeyError")]
    assert_type(await bus.dead_letters.redrive(*ids, to="topic"), int)
    await bus.dead_letters.redrive(ids)  # type: ignore[arg-type]
    await bus.dead_letters.redrive(*ids, to="all")  # type: ignore[arg-type]


async def once(bus: Bus, connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """An asyncpg connection is what `PostgresOnce` takes; both guards say whether it is the first time."""
    guard = PostgresOnce("billing")
    await guard.create_table(connection)
    assert_type(await guard.first(connection, "id"), bool)
    async with bus.once("mailing").guard("id") as first:
        assert_type(first, bool)
    await guard.first(bus, "id")  # type: ignore[arg-type]


upcasters = Upcasters()


@upcasters.step("t", "order_placed", 1)
def upcast(payload: dict[str, Any]) -> dict[str, Any]:
    return payload


@upcasters.step("t", "order_placed", 2)  # type: ignore[arg-type]
async def upcast_in_time(payload: dict[str, Any]) -> dict[str, Any]:
    return payload


BusConfig(url="redis://h", priority_weights={Priority.HIGH: 3, Priority.MEDIUM: 2, Priority.LOW: 1})
BusConfig(url="redis://h", stream=())  # type: ignore[call-arg]
BusConfig("redis://h")  # type: ignore[call-arg]
assert_type(BusConfig.load("bus.yaml"), BusConfig)
