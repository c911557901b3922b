"""What a stop leaves pending, and what goes on meanwhile."""

import asyncio
import gc
import warnings

import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, pending, pending_is, settled, until
from titan_bus import Bus, BusConfig, Event, ReadConfig, RetryConfig, StreamConfig, names
from titan_bus.connections.connection import Connection


class Slow:
    """A handler that waits until it is released."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, event: Event) -> None:
        self.begun.set()
        await self.go.wait()


@pytest.mark.parametrize("how", ["stop", "close"])
async def test_what_ends_in_the_drain_is_acknowledged_by_hand(
    config: BusConfig, raw: Connection, topic: str, how: str
) -> None:
    """With `auto_ack=False` a handler that ends during the drain may still acknowledge."""
    begun, go = asyncio.Event(), asyncio.Event()
    strict = msgspec.structs.replace(config, streams=(StreamConfig(name=topic, retry_limit=0),))
    bus = Bus(strict)

    async def handle(event: Event) -> None:
        begun.set()
        await go.wait()
        await bus.ack(event.event_id)

    await bus.open()
    subscription = await bus.subscribe(topic, "g", handle, auto_ack=False)
    await bus.publish(topic, "e", {})
    await begun.wait()
    stopping = asyncio.create_task(subscription.stop() if how == "stop" else bus.close())
    await asyncio.sleep(0)
    go.set()
    await stopping
    await bus.close()
    assert await pending(raw, names.stream_of(topic), "g") == []
    async with Bus(config) as other:
        assert await other.dead_letters.count(topic=topic) == 0


async def test_closing_waits_for_a_stop_in_progress(config: BusConfig, raw: Connection, topic: str) -> None:
    """A subscription that is being stopped keeps its drain time when the bus closes meanwhile."""
    slow = Slow()
    async with Bus(config) as bus:
        subscription = await bus.subscribe(topic, "g", slow)
        await bus.publish(topic, "e", {})
        await slow.begun.wait()
        stopping = asyncio.create_task(subscription.stop())
        await asyncio.sleep(0)
        closing = asyncio.create_task(bus.close())
        await asyncio.sleep(0)
        slow.go.set()
        await closing
    await stopping
    assert await pending(raw, names.stream_of(topic), "g") == []


async def test_a_group_that_drains_cannot_be_subscribed_again(bus: Bus, topic: str) -> None:
    """Until its deliveries are released, a successor would get the same events; afterwards it may subscribe."""
    slow = Slow()
    subscription = await bus.subscribe(topic, "g", slow)
    await bus.publish(topic, "e", {})
    await slow.begun.wait()
    stopping = asyncio.create_task(subscription.stop())
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="already"):
        await bus.subscribe(topic, "g", slow)
    slow.go.set()
    await stopping
    await bus.subscribe(topic, "g", slow)


@pytest.mark.parametrize("how", ["stop", "close"])
@pytest.mark.parametrize("turns", range(4))
async def test_a_cancelled_stop_leaves_no_reader(config: BusConfig, topic: str, how: str, turns: int) -> None:
    """A stop or close that is cancelled in any of its first turns leaves no task once the bus has closed."""
    before = asyncio.all_tasks()
    bus = Bus(config)
    await bus.open()
    subscription = await bus.subscribe(topic, "g", Recorder())
    await until(lambda: not subscription._processor._reader._between_reads.is_set(), "a blocking read")
    leaving = asyncio.create_task(subscription.stop() if how == "stop" else bus.close())
    for _ in range(turns):
        await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    await bus.close()
    await until(lambda: asyncio.all_tasks() <= before, "every task's end")


async def test_a_loop_that_ends_starts_nothing_new(config: BusConfig, topic: str) -> None:
    """A program that ends without closing its bus cancels running handlers, and starts no other."""
    begun: list[str] = []

    async def program() -> None:
        async def handle(event: Event) -> None:
            begun.append(event.event_id)
            await asyncio.Event().wait()

        bus = Bus(config)
        await bus.open()
        for _ in range(20):
            await bus.publish(topic, "e", {})
        await bus.subscribe(topic, "g", handle, concurrency=4)
        await until(lambda: len(begun) == 4, "four at work")

    await asyncio.to_thread(lambda: asyncio.run(program()))
    with warnings.catch_warnings():  # it has left its connections open
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    assert len(begun) == 4


async def test_what_is_handed_back_leaves_no_copy(config: BusConfig, raw: Connection, topic: str) -> None:
    """Events that failed, were handed back and were handled are deleted from the retry stream."""
    failing = Recorder(lambda _: 1 / 0)
    retries = names.retries_of("g", topic)
    slow = Slow()
    config = msgspec.structs.replace(config, retry=RetryConfig(base_s=0.001, cap_s=0.001))
    async with Bus(config) as bus:
        for _ in range(10):
            await bus.publish(topic, "e", {})
        subscription = await bus.subscribe(topic, "g", failing)
        await failing.wait_for(10)
        await subscription.stop()
        subscription = await bus.subscribe(topic, "g", slow, concurrency=1)
        await pending_is(raw, retries, "g", 10)
        await subscription.stop(0.1, hand_back=True)
        slow.go.set()
        await bus.subscribe(topic, "g", slow)
        await settled(raw, names.stream_of(topic), "g")

        async def empty() -> bool:
            return int(await raw.call("XLEN", retries)) == 0 and not await raw.call(
                "ZCARD", names.delayed_of("g", topic)
            )

        await until(empty, "no copy left")


async def test_what_was_started_is_not_handed_back(config: BusConfig, raw: Connection, topic: str) -> None:
    """With `auto_ack=False` an event whose handler has returned is not handed back."""
    recorder = Recorder()
    async with Bus(msgspec.structs.replace(config, read=ReadConfig(count=5))) as bus:
        subscription = await bus.subscribe(topic, "g", recorder, auto_ack=False)
        await bus.publish(topic, "e", {})
        await recorder.wait_for(1)
        await subscription.stop(hand_back=True)
        assert len(await pending(raw, names.stream_of(topic), "g")) == 1
        assert await raw.call("XLEN", names.retries_of("g", topic)) == 0
