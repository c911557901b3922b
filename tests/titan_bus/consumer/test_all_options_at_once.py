"""All options together, while stops, cuts and kills happen to the consumers at random moments."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.titan_bus.conftest import Server, until
from titan_bus import (
    Bus,
    BusConfig,
    BusError,
    ClaimConfig,
    Event,
    ReadConfig,
    RetryConfig,
    StreamConfig,
    Subscription,
    names,
)

TOTAL = 3_000
TOPICS: dict[str, dict[str, Any]] = {
    "plain.v1": {},
    "limited.v1": {"concurrency": 4},
    "keyed.v1": {"partition_by": lambda event: event.payload_as(dict)["n"] % 7, "concurrency": 5},
    "manual.v1": {"auto_ack": False, "partition_by": lambda event: event.payload_as(dict)["n"] % 50},
}


class Consumers:
    """Two consumers of one group on every topic. Their handlers are slow, fail and cancel themselves at random."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self._chance = chance
        self.handled: Counter[str] = Counter()
        self._at_work: set[tuple[str, str, int]] = set()
        self.overlaps: list[tuple[str, str, int]] = []
        self.buses = [Bus(self._config(url, name)) for name in ("one", "two")]
        self._subscriptions: dict[tuple[int, str], Subscription] = {}

    @staticmethod
    def _config(url: str, consumer: str) -> BusConfig:
        limits = StreamConfig(name="limited.v1", rate_limit=2_000, retry_limit=1_000)
        return BusConfig(
            url=url,
            consumer=consumer,
            streams=(
                limits,
                *(StreamConfig(name=topic, retry_limit=1_000) for topic in TOPICS if topic != limits.name),
            ),
            read=ReadConfig(count=20, block_ms=500),
            retry=RetryConfig(base_s=0.01, cap_s=0.1),
            claim=ClaimConfig(min_idle_s=0.5, delivery_limit=1_000),
            drain_s=0.2,
            patience_s=30,
        )

    async def open(self) -> None:
        for at, bus in enumerate(self.buses):
            await bus.open()
            for topic in TOPICS:
                await self.subscribe(at, topic)

    async def subscribe(self, at: int, topic: str) -> None:
        bus = self.buses[at]
        subscription = await bus.subscribe(topic, "g", self._handler(bus, topic), **TOPICS[topic])
        self._subscriptions[at, topic] = subscription

    def _handler(self, bus: Bus, topic: str) -> Callable[[Event], Awaitable[None]]:
        async def handle(event: Event) -> None:
            work = (bus.config.consumer, topic, event.payload_as(dict)["n"] % 7)
            if topic == "keyed.v1":
                if work in self._at_work:
                    self.overlaps.append(work)
                self._at_work.add(work)
            try:
                await self._work(event)
            finally:
                self._at_work.discard(work)
            self.handled[event.event_id] += 1
            if topic == "manual.v1":
                await bus.ack(event.event_id)

        return handle

    async def _work(self, event: Event) -> None:
        await asyncio.sleep(self._chance.random() * 0.004)
        fate = self._chance.random()
        if fate < 0.1:
            raise ValueError(event.event_id)
        if fate < 0.11:
            raise asyncio.CancelledError
        if fate < 0.12:
            raise BaseExceptionGroup("odd", [GeneratorExit()])

    async def disturb(self, server: Server) -> None:
        """Do one random thing: pause, stop, cut a connection, kill the server."""
        at, topic = self._chance.randrange(2), self._chance.choice(list(TOPICS))
        subscription, raw = self._subscriptions[at, topic], self.buses[at]._connection
        match self._chance.choice(["cut", "kill", "destroy", "resize", "pause", "stop", "hand back"]):
            case "cut":
                await raw.call(
                    "CLIENT", "KILL", "TYPE", "normal", "SKIPME", self._chance.choice(["yes", "no"])
                )
            case "kill" if self._chance.random() < 0.3:
                server.kill()
                server.start()
            case "destroy" if self._chance.random() < 0.3:
                await raw.call("XGROUP", "DESTROY", names.stream_of(topic), "g")
            case "resize":
                subscription.resize(self._chance.choice([1, 3, 16]))
            case "pause":
                subscription.resize(0)
                await asyncio.sleep(0.02)
                subscription.resize(8)
            case "stop" | "hand back" as how:
                await subscription.stop(self._chance.choice([0.0, 0.1]), hand_back=how == "hand back")
                await self.subscribe(at, topic)

    def recover(self) -> None:
        for subscription in self._subscriptions.values():
            subscription.resize(16)

    @property
    def in_flight(self) -> int:
        return sum(group.in_flight for bus in self.buses for group in bus.counters.groups.values())


async def left_on(bus: Bus) -> dict[str, int]:
    """Return how many entries the server still has to deliver or settle, by key."""
    left = {}
    for topic in TOPICS:
        for stream in (names.stream_of(topic), names.retries_of("g", topic)):
            left[stream] = (await bus._connection.call("XPENDING", stream, "g"))[0]
        left[names.delayed_of("g", topic)] = await bus._connection.call("ZCARD", names.delayed_of("g", topic))
    return {key: count for key, count in left.items() if count}


@pytest.mark.parametrize("seed", [random.randrange(10_000)])
@pytest.mark.logs(".")  # the server is killed, handlers are cut off: all of it is told, and no claim
async def test_nothing_is_lost_and_nothing_is_left(server: Server, seed: int) -> None:
    """However failures, retries, keys, limits, pauses, stops, cuts and kills of the server meet, every event is
    handled, nothing stays in flight or pending, and of a key no consumer handles two at once.
    """
    chance = random.Random(seed)
    print(f"seed {seed}")
    before = asyncio.all_tasks()
    consumers = Consumers(server.url, chance)
    await consumers.open()
    async with Bus(BusConfig(url=server.url, patience_s=30)) as publisher:
        publishes = [
            publisher.publish(
                chance.choice(list(TOPICS)), "e", {"n": n}, chance.choice(["low", "medium", "high"])
            )
            for n in range(TOTAL)
        ]
        for _ in range(40):
            await asyncio.sleep(chance.random() * 0.1)
            try:
                await consumers.disturb(server)
            except BusError as error:  # it struck what had been struck already
                print(error)
        published = set(await asyncio.gather(*publishes))
        consumers.recover()

        async def over() -> bool:
            return (
                published <= consumers.handled.keys()
                and not consumers.in_flight
                and not await left_on(publisher)
            )

        await until(over, "all events", 60)
        assert await publisher.dead_letters.count() == 0
    for bus in consumers.buses:
        await bus.close()
    await until(lambda: asyncio.all_tasks() <= before, "every task's end")
    assert not consumers.overlaps
    print(f"{sum(count > 1 for count in consumers.handled.values())} of {TOTAL} handled more than once")
