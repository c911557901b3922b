"""A subscription with a changing number of handlers, and the deliveries that it hands back."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, until
from titan_bus import Bus, BusConfig, Event


class Gate:
    """A handler that waits for a semaphore."""

    def __init__(self) -> None:
        self.running = 0
        self.open = asyncio.Semaphore(0)

    async def __call__(self, event: Event) -> None:
        self.running += 1
        try:
            await self.open.acquire()
        finally:
            self.running -= 1


async def test_more_handlers_run_after_a_rise_and_fewer_after_a_fall(bus: Bus, topic: str) -> None:
    """Waiting events start with the rise; after a fall no handler starts until fewer run."""
    gate = Gate()
    subscription = await bus.subscribe(topic, "g", gate, concurrency=1)
    for number in range(8):
        await bus.publish(topic, "thing", {"number": number})
    await until(lambda: gate.running == 1, "the first handler")
    subscription.resize(3)
    await until(lambda: gate.running == 3, "three handlers")
    subscription.resize(1)
    gate.open.release()
    gate.open.release()
    await until(lambda: gate.running == 1, "the two others are done")
    gate.open.release()
    await until(lambda: not gate.open._value and gate.running == 1, "one in the place of one")
    await subscription.stop(0.0)


async def test_at_zero_the_events_are_left_to_others(bus: Bus, config: BusConfig, topic: str) -> None:
    """A paused subscription reads nothing, so another consumer gets all; after a resize it goes on."""
    paused, other = Recorder(), Recorder()
    subscription = await bus.subscribe(topic, "g", paused)
    subscription.resize(0)
    reader = bus._subscriptions._readers.reader(topic, "g", subscription.consumer)
    await until(reader._between_reads.is_set, "the read in progress ended")
    ids = [await bus.publish(topic, "thing", {}) for _ in range(20)]
    async with Bus(msgspec.structs.replace(config, consumer="another")) as second:
        await second.subscribe(topic, "g", other)
        await other.wait_for(20)
    assert sorted(other.ids) == ids
    assert not paused.events
    subscription.resize(4)
    last = await bus.publish(topic, "thing", {})
    await paused.wait_for(1)
    assert paused.ids == [last]


@pytest.mark.parametrize("concurrency", [-1, 1.5, "4", True])
async def test_a_size_is_a_whole_number(bus: Bus, topic: str, concurrency: Any) -> None:
    """A value that cannot be a number of handlers is refused, and the subscription is unchanged."""
    recorder = Recorder()
    subscription = await bus.subscribe(topic, "g", recorder)
    with pytest.raises(ValueError, match="a whole number of 0 or more"):
        subscription.resize(concurrency)
    await bus.publish(topic, "thing", {})
    await recorder.wait_for(1)


async def test_a_stop_hands_back_what_was_not_started(bus: Bus, config: BusConfig, topic: str) -> None:
    """Events read ahead go to other consumers at once and count as no retry; handlers that finish acknowledge."""
    gate, other = Gate(), Recorder()
    subscription = await bus.subscribe(topic, "g", gate, concurrency=1)
    ids = [await bus.publish(topic, "thing", {}) for _ in range(250)]
    await until(lambda: gate.running == 1, "the first handler")
    async with Bus(msgspec.structs.replace(config, consumer="another")) as second:
        await second.subscribe(topic, "g", other)
        leaving = asyncio.create_task(subscription.stop(5.0, hand_back=True))
        gate.open.release()
        await leaving
        await other.wait_for(249)
    assert sorted(other.ids) == ids[1:]
    assert {event.meta.retries for event in other.events} == {0}
