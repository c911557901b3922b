"""Removing a group or a topic that nobody runs any more."""

import pytest

from titan_bus import Bus, BusConfig, Event, RetryConfig, StreamConfig, names
from titan_bus.connections.connection import Connection

from .conftest import QUICK_RETRY, Recorder, pending_is, until

LATER = RetryConfig(base_s=600.0, cap_s=600.0)


@pytest.mark.by_url
async def test_a_removed_group_no_longer_holds_its_stream(redis_url: str, topic: str) -> None:
    """What nobody has acknowledged in it keeps the stream long; without it the stream is trimmed as ever."""
    streams = (StreamConfig(name=topic, maxlen=10),)
    async with Bus(BusConfig(url=redis_url, retry=QUICK_RETRY, streams=streams)) as bus:
        left = await bus.subscribe(topic, "left", Recorder())
        await left.stop()
        recorder = Recorder()
        await bus.subscribe(topic, "serving", recorder)
        for number in range(200):
            await bus.publish(topic, "counted", {"number": number})
        await recorder.wait_for(200)

        async def length() -> int:
            return next(state.length for state in await bus.inspection.topics() if state.topic == topic)

        assert await length() == 200
        await bus.remove(topic, "left")
        await bus.publish(topic, "counted", {"number": 200})

        async def trimmed() -> bool:
            return await length() < 20

        await until(trimmed, "the stream is trimmed")
        assert [group.group for group in await bus.inspection.groups(topic)] == ["serving"]


async def test_a_removed_topic_leaves_no_key(redis_url: str, raw: Connection, topic: str) -> None:
    """Its stream goes, and what waited in its groups to be tried again; removing it twice is no error."""

    def fault(_event: Event) -> None:
        raise RuntimeError("not now")

    async with Bus(BusConfig(url=redis_url, retry=LATER)) as bus:
        subscription = await bus.subscribe(topic, "g", Recorder(fault))
        await bus.publish(topic, "asked", {})

        async def delayed() -> bool:
            return bool(await raw.call("ZCARD", names.delayed_of("g", topic)))

        await until(delayed, "it waits to be tried again")
        await subscription.stop()
        await bus.remove(topic)
        keys = names.stream_of(topic), names.retries_of("g", topic), names.delayed_of("g", topic)
        assert await raw.call("EXISTS", *keys) == 0
        await bus.remove(topic)
        await bus.remove(topic, "g")


async def test_a_removed_group_takes_nothing_from_another(bus: Bus, raw: Connection, topic: str) -> None:
    """Another group of the topic keeps its place and what it has in flight."""
    await bus.subscribe(topic, "holding", Recorder(), auto_ack=False)
    left = await bus.subscribe(topic, "left", Recorder())
    await bus.publish(topic, "asked", {})
    await pending_is(raw, names.stream_of(topic), "holding", 1)
    await left.stop()
    await bus.remove(topic, "left")
    (holding,) = await bus.inspection.groups(topic)
    assert (holding.group, holding.pending, holding.lag) == ("holding", 1, 0)
