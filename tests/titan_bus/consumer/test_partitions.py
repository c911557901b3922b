"""Order within a key."""

import asyncio
import random
from collections import defaultdict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.titan_bus.conftest import QUICK_RETRY, Recorder, pending, pending_is, settled, until
from titan_bus import (
    Bus,
    BusConfig,
    BusUnavailableError,
    Event,
    FatalError,
    ReadConfig,
    RetryConfig,
    StreamConfig,
    names,
)
from titan_bus.connections.connection import Connection
from titan_bus.consumer.claims import Claims
from titan_bus.consumer.delivery import Delivery
from titan_bus.consumer.partitions import Partitions


def key_of(event: Event) -> str | None:
    return event.payload_as(dict).get("key")


def number_of(event: Event) -> int:
    return int(event.payload_as(dict)["n"])


async def publish(bus: Bus, topic: str, *keys: str | None, priority: str = "medium") -> list[str]:
    """Publish an event for each key, numbered, and return their ids."""
    futures = [bus.publish(topic, "e", {"key": key, "n": n}, priority) for n, key in enumerate(keys)]
    return await asyncio.gather(*futures)


@settings(deadline=None, max_examples=200, database=None)
@given(st.lists(st.one_of(st.sampled_from(["a", "b", None]), st.integers(0, 5))))
def test_a_key_has_one_active_delivery(steps: list[str | int | None]) -> None:
    """In every interleaving of enter and leave a key has one active delivery, in order, and none is lost."""
    partitions, on_way, left = Partitions(), list[Delivery](), list[Delivery]()
    entered = 0

    def leave(at: int) -> None:
        delivery = on_way.pop(at % len(on_way))
        left.append(delivery)
        following = partitions.leave(delivery)
        if following is not None:
            on_way.append(following)

    for step in steps:
        if isinstance(step, int):
            if on_way:
                leave(step)
            continue
        delivery = Delivery("s", b"%d" % entered, [], None, step)  # type: ignore[arg-type]  # no event is looked at
        entered += 1
        if partitions.enter(delivery):
            on_way.append(delivery)
        keys = [d.partition for d in on_way if d.partition is not None]
        assert len(keys) == len(set(keys))
        assert len(left) + len(on_way) + len(partitions) == entered
    while on_way:
        leave(0)
    assert len(left) == entered
    assert len(partitions) == 0
    for key in ("a", "b"):
        order = [int(d.entry_id) for d in left if d.partition == key]
        assert order == sorted(order)


async def test_a_key_keeps_its_order_and_keys_run_beside_each_other(bus: Bus, topic: str) -> None:
    """Events of one key never overlap and come in order, while several keys are handled at once."""
    running: set[str | None] = set()
    most = 0

    async def handle(event: Event) -> None:
        nonlocal most
        key = key_of(event)
        assert key not in running
        running.add(key)
        most = max(most, len(running))
        await asyncio.sleep(random.uniform(0, 0.003))
        running.remove(key)

    recorder = Recorder(handle)
    await publish(bus, topic, *[f"k{n % 7}" for n in range(140)])
    await bus.subscribe(topic, "g", recorder, concurrency=5, partition_by=key_of)
    events = await recorder.wait_for(140)
    by_key = defaultdict(list)
    for event in events:
        by_key[key_of(event)].append(number_of(event))
    assert all(numbers == sorted(numbers) for numbers in by_key.values())
    assert most == 5


async def test_a_failing_event_delays_only_its_key(bus: Bus, raw: Connection, topic: str) -> None:
    """It is retried in place, with `retries` counted; later events of its key wait, other keys go on."""

    def fail_twice(event: Event) -> None:
        if number_of(event) == 0 and event.meta.retries < 2:
            raise ValueError

    recorder = Recorder(fail_twice)
    await publish(bus, topic, "a", "a", "b", None, "a")
    await bus.subscribe(topic, "g", recorder, partition_by=key_of)
    events = await recorder.wait_for(7)
    seen = [(number_of(event), event.meta.retries) for event in events]
    assert [n for n in seen if n[0] in {0, 1, 4}] == [(0, 0), (0, 1), (0, 2), (1, 0), (4, 0)]
    assert seen.index((2, 0)) < seen.index((0, 1))
    assert seen.index((3, 0)) < seen.index((0, 1))
    await settled(raw, names.stream_of(topic), "g")
    counters = bus.counters.group(topic, "g")
    assert (counters.handled, counters.failed, counters.retried, counters.dead) == (5, 2, 2, 0)


@pytest.mark.logs("goes to the dead letters")
async def test_after_the_limit_the_key_goes_on(redis_url: str, topic: str) -> None:
    """An event that fails for good is dead-lettered with its count, then the next of its key is handled."""

    def refuse(event: Event) -> None:
        if number_of(event) == 0:
            raise ValueError
        if number_of(event) == 1:
            raise FatalError("never")

    config = BusConfig(url=redis_url, retry=QUICK_RETRY, streams=(StreamConfig(name=topic, retry_limit=2),))
    recorder = Recorder(refuse)
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", recorder, partition_by=key_of)
        ids = await publish(bus, topic, "a", "a", "a")
        events = await recorder.wait_for(5)
        assert [number_of(event) for event in events] == [0, 0, 0, 1, 2]
        letters = [letter async for letter in bus.dead_letters if topic in letter.origin.stream]
    assert [letter.event.event_id for letter in letters if letter.event] == ids[:2]
    assert [letter.event.meta.retries for letter in letters if letter.event] == [2, 0]


async def test_priority_does_not_overtake_within_a_key(bus: Bus, topic: str) -> None:
    """A high event waits for an earlier low one of its key, and overtakes those of other keys."""
    await publish(bus, topic, "other", "a", priority="low")
    high = await bus.publish(topic, "e", {"key": "a", "n": 2}, "high")
    free = await bus.publish(topic, "e", {"key": "b", "n": 3}, "high")
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder, concurrency=1, partition_by=key_of)
    events = await recorder.wait_for(4)
    assert recorder.ids[0] == free
    assert [number_of(event) for event in events if key_of(event) == "a"] == [1, 2]
    assert high in recorder.ids


@pytest.mark.parametrize("fault", [lambda _: 1 / 0, lambda _: []])
async def test_an_event_without_a_key_is_dead_lettered(
    bus: Bus, raw: Connection, topic: str, fault: object, caplog: pytest.LogCaptureFixture
) -> None:
    """When `partition_by` raises or returns an unhashable key, only that event is dead-lettered."""

    def partition_by(event: Event) -> object:
        return fault(event) if number_of(event) == 0 else "a"  # type: ignore[operator]

    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder, partition_by=partition_by)  # type: ignore[arg-type]
    ids = await publish(bus, topic, "a", "a")
    await recorder.wait_for(1)
    await settled(raw, names.stream_of(topic), "g")
    letters = [letter async for letter in bus.dead_letters if topic in letter.origin.stream]
    assert [letter.event.event_id for letter in letters if letter.event] == ids[:1]
    assert recorder.ids == ids[1:]
    assert "has no partition" in caplog.text


async def test_a_key_that_fails_for_long_leaves_room_for_others(redis_url: str, topic: str) -> None:
    """More events behind a failing key than are read ahead do not keep other keys from being read."""
    config = BusConfig(url=redis_url, retry=RetryConfig(base_s=60.0), read=ReadConfig(count=5))
    recorder = Recorder(lambda event: 1 / 0 if key_of(event) == "bad" else None)
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", recorder, partition_by=key_of)
        await publish(bus, topic, *["bad"] * 30)
        await publish(bus, topic, "good")
        events = await recorder.wait_for(2)
    assert [key_of(event) for event in events] == ["bad", "good"]


async def test_what_waits_behind_a_key_is_pending_after_a_stop(bus: Bus, raw: Connection, topic: str) -> None:
    """Stopping while an event waits for a retry leaves it, and those behind it, for the next start."""
    recorder = Recorder(lambda _: 1 / 0)
    subscription = await bus.subscribe(topic, "g", recorder, partition_by=key_of)
    ids = await publish(bus, topic, "a", "a", "a")
    await recorder.wait_for(2)
    async with asyncio.timeout(2):
        await subscription.stop()
    assert len(await pending(raw, names.stream_of(topic), "g")) == 3
    again = Recorder()
    await bus.subscribe(topic, "g", again, partition_by=key_of)
    await again.wait_for(3)
    assert again.ids == ids


async def test_by_hand_the_key_waits_for_the_acknowledgement(bus: Bus, topic: str) -> None:
    """With `auto_ack=False` the next event of a key comes when the one before it is acknowledged."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder, auto_ack=False, partition_by=key_of)
    ids = await publish(bus, topic, "a", "a", "b")
    await recorder.wait_for(2)
    assert recorder.ids == [ids[0], ids[2]]
    await bus.ack(ids[0])
    await recorder.wait_for(3)
    await until(lambda: bus.counters.group(topic, "g").handled == 1, "the count")
    assert recorder.ids[2] == ids[1]


async def test_failing_keys_are_bounded(config: BusConfig, topic: str) -> None:
    """When all of many keys fail, reading pauses; the stream is not read into memory."""
    config = msgspec.structs.replace(
        config, read=ReadConfig(count=5), retry=RetryConfig(base_s=60.0), streams=()
    )
    recorder = Recorder(lambda _: 1 / 0)
    async with Bus(config) as bus:
        await publish(bus, topic, *(f"key{n}" for n in range(400)))
        subscription = await bus.subscribe(topic, "g", recorder, partition_by=key_of)
        await until(lambda: subscription._processor._reader_waits, "the pause")
        assert bus.counters.group(topic, "g").in_flight < 100


async def test_acknowledging_a_waiting_event_changes_no_order(bus: Bus, raw: Connection, topic: str) -> None:
    """An event acknowledged while it waits behind its key is not handled, and the active one keeps its place."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder, auto_ack=False, partition_by=key_of)
    first, second, third = await publish(bus, topic, "a", "a", "a")
    await recorder.wait_for(1)
    await until(lambda: bus.counters.group(topic, "g").in_flight == 3, "all in flight")
    await bus.ack(second)
    await pending_is(raw, names.stream_of(topic), "g", 2)
    assert recorder.ids == [first]
    await bus.ack(first)
    await recorder.wait_for(2)
    await bus.ack(third)
    await settled(raw, names.stream_of(topic), "g")
    assert recorder.ids == [first, third]


async def test_a_count_that_fails_changes_no_order(
    config: BusConfig, raw: Connection, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the delivery of a claimed entry cannot be counted, it is handled in its order all the same."""
    stream, recorder = names.stream_of(topic), Recorder()
    await raw.call("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM")
    async with Bus(msgspec.structs.replace(config, consumer="heir")) as bus:
        ids = await publish(bus, topic, "a", "a", "a")
        await raw.call("XREADGROUP", "GROUP", "g", "heir", "STREAMS", stream, ">")

        async def fails(*_: object) -> None:
            raise BusUnavailableError("here", "gone")

        monkeypatch.setattr(Claims, "count_delivery", fails)
        await bus.subscribe(topic, "g", recorder, partition_by=key_of)
        await recorder.wait_for(3)
        await settled(raw, stream, "g")
    assert recorder.ids == ids
