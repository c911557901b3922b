"""One blocking read for all topics of a group."""

import asyncio
import time

import pytest

from tests.titan_bus.conftest import QUICK_RETRY, Recorder, pending, pending_is, settled, until
from titan_bus import Bus, BusConfig, ClaimConfig, Event, ReadConfig, names
from titan_bus.connections.connection import Connection

BLOCK_S = 60.0


@pytest.fixture
def config(redis_url: str) -> BusConfig:
    """The BLOCK of a read is longer than any test waits."""
    return BusConfig(
        url=redis_url, retry=QUICK_RETRY, read=ReadConfig(block_ms=int(BLOCK_S * 1000), count=10)
    )


async def reading(raw: Connection, bus: Bus) -> list[int]:
    """Return the number of streams of each of the bus's reads in progress."""
    clients = bytes(await raw.call("CLIENT", "LIST")).decode().splitlines()
    ids = {
        reader._client_id
        for reader in bus._subscriptions._readers._readers.values()
        if reader._client_id is not None
    }
    rows = [dict(word.partition("=")[::2] for word in client.split()) for client in clients]
    return [int(row["id"]) for row in rows if int(row["id"]) in ids and "b" in row["flags"]]


async def test_three_topics_of_a_group_are_one_connection(bus: Bus, raw: Connection, topic: str) -> None:
    """All topics of a group on a bus are read by one blocking connection; another group has its own."""
    before = len(bytes(await raw.call("CLIENT", "LIST")).splitlines())
    recorders = [Recorder() for _ in range(3)]
    for n, recorder in enumerate(recorders):
        await bus.subscribe(f"{topic}.{n}", "g", recorder)
    for n, recorder in enumerate(recorders):
        await bus.publish(f"{topic}.{n}", "e", {})
        await recorder.wait_for(1)
    await until(lambda: has(raw, bus, 1), "the one read in progress")
    assert len(bytes(await raw.call("CLIENT", "LIST")).splitlines()) == before + 1
    await bus.subscribe(topic, "other", Recorder())
    await until(lambda: has(raw, bus, 2), "a second one")


async def has(raw: Connection, bus: Bus, count: int) -> bool:
    return len(await reading(raw, bus)) == count


@pytest.mark.by_url
async def test_a_subscription_added_during_a_read_gets_events_at_once(
    bus: Bus, raw: Connection, topic: str
) -> None:
    """A second subscription does not wait until the read of the first one is over."""
    await bus.subscribe(topic, "g", Recorder())
    await until(lambda: has(raw, bus, 1), "a blocking read")
    recorder = Recorder()
    await bus.subscribe(f"{topic}.late", "g", recorder)
    await bus.publish(f"{topic}.late", "e", {})
    await recorder.wait_for(1)


async def test_a_change_before_the_previous_is_answered_is_not_lost(
    bus: Bus, raw: Connection, topic: str
) -> None:
    """A change is not lost when the server's reply to the previous UNBLOCK comes after the next read began."""
    subscription = await bus.subscribe(topic, "g", Recorder())
    await until(lambda: has(raw, bus, 1), "a blocking read")
    reader = subscription._processor._reader
    unblock, answered = reader._unblock, asyncio.Event()

    async def answer_late(client_id: int) -> object:
        ended = await unblock(client_id)
        await answered.wait()
        return ended

    reader._unblock = answer_late
    late = Recorder()
    coming = await bus.subscribe(f"{topic}.late", "g", late)  # two changes: it comes, and it has caught up
    behind = coming._processor._behind
    await until(
        lambda: not behind.is_set() and reader._changed.is_set(), "the second change, in the next read"
    )
    answered.set()
    await bus.publish(f"{topic}.late", "e", {})
    await late.wait_for(1)


async def test_stopping_one_leaves_the_other(bus: Bus, raw: Connection, topic: str) -> None:
    """A stopped subscription receives no more events; its neighbour on the same connection loses none."""
    kept, gone = Recorder(), Recorder()
    await bus.subscribe(topic, "g", kept)
    subscription = await bus.subscribe(f"{topic}.gone", "g", gone)
    ids = []
    for n in range(20):
        ids.append(await bus.publish(topic, "e", {}))
        await bus.publish(f"{topic}.gone", "e", {})
        if n == 10:
            began = time.monotonic()
            await subscription.stop()
            assert time.monotonic() - began < BLOCK_S / 2
            handled = len(gone.events)
    await kept.wait_for(20)
    assert kept.ids == ids
    assert len(gone.events) == handled
    await settled(raw, names.stream_of(topic), "g")
    again = Recorder()
    await bus.subscribe(f"{topic}.gone", "g", again)
    await until(lambda: len(gone.events) + len(again.events) >= 20, "what the stopped one left")
    await settled(raw, names.stream_of(f"{topic}.gone"), "g")
    assert len(set(gone.ids + again.ids)) == 20


async def test_stopping_the_last_ends_the_read(bus: Bus, raw: Connection, topic: str) -> None:
    """With the last subscription of a group its connection closes, and an event published then is not lost."""
    subscription = await bus.subscribe(topic, "g", Recorder())
    await until(lambda: has(raw, bus, 1), "a blocking read")
    began = time.monotonic()
    await subscription.stop()
    assert time.monotonic() - began < BLOCK_S / 2
    event_id = await bus.publish(topic, "e", {})
    assert await pending(raw, names.stream_of(topic), "g") == []
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    await recorder.wait_for(1)
    assert recorder.ids == [event_id]


async def test_a_busy_topic_does_not_hold_up_an_idle_one(bus: Bus, raw: Connection, topic: str) -> None:
    """A topic whose handlers are busy is left out of the read, and read again as soon as there is room."""
    gate = asyncio.Event()
    busy, idle = Recorder(lambda _: gate.wait()), Recorder()
    await bus.subscribe(topic, "g", busy, concurrency=1)
    await bus.subscribe(f"{topic}.idle", "g", idle)
    await asyncio.gather(*[bus.publish(topic, "e", {}) for _ in range(100)])
    await busy.wait_for(1)
    await until(lambda: bus.counters.group(topic, "g").in_flight > 10, "a full backlog")
    await bus.publish(f"{topic}.idle", "e", {})
    await idle.wait_for(1)
    assert bus.counters.group(topic, "g").in_flight < 40  # what lies ahead is bounded
    gate.set()
    await busy.wait_for(100)
    await settled(raw, names.stream_of(topic), "g")
    assert len(set(busy.ids)) == len(busy.ids) == 100


async def test_a_lost_group_of_one_topic_leaves_the_others(
    bus: Bus, raw: Connection, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A group that is destroyed on one topic is created again, and the others go on meanwhile."""
    one, other = Recorder(), Recorder()
    await bus.subscribe(topic, "g", one)
    await bus.subscribe(f"{topic}.other", "g", other)
    await until(lambda: has(raw, bus, 1), "a blocking read")
    await raw.call("XGROUP", "DESTROY", names.stream_of(topic), "g")
    for n in range(1, 4):
        await bus.publish(f"{topic}.other", "e", {})
        await other.wait_for(n)
    event_id = await bus.publish(topic, "e", {})
    await until(lambda: event_id in one.ids, "the event after the loss")
    assert len(other.events) == 3
    assert "created again" in caplog.text


async def test_a_topic_that_cannot_be_read_leaves_the_others(
    bus: Bus, raw: Connection, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A key of another type in place of a stream is logged as an error, and its neighbours are read."""
    broken, other = Recorder(), Recorder()
    await bus.subscribe(topic, "g", broken)
    await bus.subscribe(f"{topic}.other", "g", other)
    await until(lambda: has(raw, bus, 1), "a blocking read")
    await raw.call("DEL", names.stream_of(topic))
    await raw.call("SET", names.stream_of(topic), "no stream")
    for n in range(1, 4):
        await bus.publish(f"{topic}.other", "e", {})
        await other.wait_for(n)
    await until(lambda: "WRONGTYPE" in caplog.text, "the error")
    await raw.call("DEL", names.stream_of(topic))
    await bus.publish(topic, "e", {})
    await broken.wait_for(1)


async def test_deliveries_read_ahead_stay_pending_at_a_stop(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """Deliveries that were read ahead stay pending at a stop, and are handled after the next start."""
    gate = asyncio.Event()
    recorder = Recorder(lambda _: gate.wait())
    async with Bus(config) as bus:
        subscription = await bus.subscribe(topic, "g", recorder, concurrency=1)
        ids = [await bus.publish(topic, "e", {}) for _ in range(5)]
        await recorder.wait_for(1)
        await pending_is(raw, names.stream_of(topic), "g", 5)
        stopping = asyncio.create_task(subscription.stop())
        await asyncio.sleep(0)
        gate.set()
        await stopping
        assert len(await pending(raw, names.stream_of(topic), "g")) == 4
        assert bus.counters.group(topic, "g").in_flight == 0
        again = Recorder()
        await bus.subscribe(topic, "g", again)
        await again.wait_for(4)
    assert again.ids == ids[1:]


@pytest.mark.by_url
async def test_without_the_right_to_unblock_a_change_waits(
    redis_url: str, raw: Connection, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without CLIENT UNBLOCK a new topic is read after `block_ms` at the latest, and the log warns once."""
    user = f"u{topic.replace('.', '')}"
    await raw.call("ACL", "SETUSER", user, "on", ">secret", "~*", "&*", "+@all", "-client|unblock")
    scheme, _, place = redis_url.partition("://")
    config = BusConfig(
        url=f"{scheme}://{user}:secret@{place.rpartition('@')[2]}", read=ReadConfig(block_ms=200)
    )
    try:
        async with Bus(config) as bus:
            await bus.subscribe(topic, "g", Recorder())
            await until(lambda: has(raw, bus, 1), "a blocking read")
            for n in range(3):
                recorder = Recorder()
                await bus.subscribe(f"{topic}.{n}", "g", recorder)
                await bus.publish(f"{topic}.{n}", "e", {})
                await recorder.wait_for(1)
        assert caplog.text.count("without the rights") == 1
    finally:
        await raw.call("ACL", "DELUSER", user)


async def test_a_flood_with_changing_subscriptions_loses_nothing(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """Each event is handled exactly once while reads are ended again and again."""
    config = BusConfig(
        url=config.url, read=config.read, retry=QUICK_RETRY, claim=ClaimConfig(min_idle_s=60.0)
    )
    handled: list[str] = []

    async def handle(event: Event) -> None:
        handled.append(event.event_id)

    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", handle, concurrency=2)
        published = []
        for n in range(30):
            published += await asyncio.gather(*[bus.publish(topic, "e", {}) for _ in range(20)])
            passing = await bus.subscribe(f"{topic}.{n}", "g", Recorder())
            await passing.stop()
        await until(lambda: len(handled) >= len(published), "all events")
        await settled(raw, names.stream_of(topic), "g")
    assert sorted(handled) == sorted(published)


async def test_a_group_that_leaves_one_topic_for_another_is_read(bus: Bus, topic: str) -> None:
    """When a group's last subscription stops while its next one starts, the new one is read."""
    old = await bus.subscribe(topic, "g", Recorder())
    for n in range(20):
        recorder = Recorder()
        _, new = await asyncio.gather(old.stop(), bus.subscribe(f"{topic}.{n}", "g", recorder))
        await bus.publish(f"{topic}.{n}", "e", {})
        await recorder.wait_for(1)
        old = new
