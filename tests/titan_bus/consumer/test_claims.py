"""Pending entries of dead consumers and lost connections are claimed."""

import asyncio
import sys

import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, pending, pending_is, settled, until
from titan_bus import Bus, BusConfig, ClaimConfig, ReadConfig, handling_times, names
from titan_bus.connections.connection import Connection


def named(config: BusConfig, consumer: str, min_idle_s: float = 60.0, delivery_limit: int = 10) -> BusConfig:
    claim = ClaimConfig(min_idle_s=min_idle_s, delivery_limit=delivery_limit)
    return msgspec.structs.replace(config, consumer=consumer, claim=claim)


async def read_as_dead_consumer(raw: Connection, topic: str, consumer: str) -> list[bytes]:
    """Read everything as `consumer` and do nothing more, as a killed process does."""
    reply = await raw.call("XREADGROUP", "GROUP", "g", consumer, "STREAMS", names.stream_of(topic), ">")
    return [entry_id for entry_id, _ in reply[0][1]]


@pytest.mark.by_url
async def test_kill_9_loses_exactly_nothing(config: BusConfig, raw: Connection, topic: str) -> None:
    """A consumer killed in mid-handler gets exactly the unacknowledged events again after its restart."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.titan_bus.consumer_child",
        config.url,
        topic,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    async with Bus(config) as bus:
        kinds = ["quick", "stuck"] * 5
        ids = [await bus.publish(topic, kind, {}) for kind in kinds]
        begun = [(await child.stdout.readline()).decode().strip() for _ in kinds]
        assert sorted(begun) == sorted(ids)
        await pending_is(raw, names.stream_of(topic), "g", 5)
        child.kill()
        await child.wait()
    recorder = Recorder()
    async with Bus(named(config, "child")) as bus:
        await bus.subscribe(topic, "g", recorder)
        await recorder.wait_for(5)
        await settled(raw, names.stream_of(topic), "g")
    assert recorder.ids == [event_id for event_id, kind in zip(ids, kinds, strict=True) if kind == "stuck"]


@pytest.mark.by_url
async def test_a_dead_consumers_events_are_claimed(config: BusConfig, raw: Connection, topic: str) -> None:
    """After `min_idle_s` another consumer of the group handles what the dead one had in flight."""
    async with Bus(named(config, "heir", min_idle_s=0.06)) as bus:
        await raw.call("XGROUP", "CREATE", names.stream_of(topic), "g", "0", "MKSTREAM")
        ids = [await bus.publish(topic, "e", {"n": n}) for n in range(150)]
        assert len(await read_as_dead_consumer(raw, topic, "dead")) == 150
        recorder = Recorder()
        await bus.subscribe(topic, "g", recorder)
        await recorder.wait_for(150)
        await settled(raw, names.stream_of(topic), "g")
    assert sorted(recorder.ids) == sorted(ids)


async def test_a_slow_handler_keeps_its_event(config: BusConfig, topic: str) -> None:
    """An event whose handler takes many times `min_idle_s` is not claimed by another consumer."""
    gate = asyncio.Event()
    slow, other = Recorder(lambda _: gate.wait()), Recorder()
    async with (
        Bus(named(config, "slow", min_idle_s=0.15)) as first,
        Bus(named(config, "other", min_idle_s=0.15)) as second,
    ):
        await first.subscribe(topic, "g", slow)
        await first.publish(topic, "e", {})
        await slow.wait_for(1)
        await second.subscribe(topic, "g", other)
        await asyncio.sleep(0.6)
        gate.set()
    assert (len(slow.events), len(other.events)) == (1, 0)


async def test_it_is_seen_how_long_a_handler_has_its_event(config: BusConfig, topic: str) -> None:
    """The idle time is reset again and again; the time in hand is counted from the handler's start."""
    gate = asyncio.Event()
    slow = Recorder(lambda _: gate.wait())
    async with Bus(named(config, "slow", min_idle_s=0.15)) as bus:
        await bus.subscribe(topic, "g", slow, concurrency=1)
        began = asyncio.get_running_loop().time()
        await bus.publish(topic, "e", {})
        await bus.publish(topic, "e", {})
        await slow.wait_for(1)
        handled_ms = 0
        while handled_ms < 300:  # twice as long as an idle event would be anybody's
            handled, waiting = await bus.inspection.pending(topic, "g")
            handled_ms = handled.handling_ms or 0
            assert waiting.handling_ms is None
        assert handled_ms <= (asyncio.get_running_loop().time() - began) * 1000
        assert handled.idle_ms < handled_ms
        gate.set()


def test_what_is_no_word_of_ours_tells_of_no_time() -> None:
    """Another program may write anything there."""
    assert handling_times.decode(b"nonsense", 10) == {}


async def test_an_event_that_kills_becomes_a_dead_letter(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """Delivered more often than `delivery_limit` without an outcome, an event is not delivered again."""
    async with Bus(named(config, "heir", delivery_limit=3)) as bus:
        await raw.call("XGROUP", "CREATE", names.stream_of(topic), "g", "0", "MKSTREAM")
        await bus.publish(topic, "e", {})
        [entry_id] = await read_as_dead_consumer(raw, topic, "heir")
        await raw.call("XCLAIM", names.stream_of(topic), "g", "heir", 0, entry_id, "RETRYCOUNT", 4)
        recorder = Recorder()
        await bus.subscribe(topic, "g", recorder)
        event_id = await bus.publish(topic, "e", {})
        await recorder.wait_for(1)
        await settled(raw, names.stream_of(topic), "g")
        letters = [
            letter async for letter in bus.dead_letters if letter.origin.stream == names.stream_of(topic)
        ]
    assert recorder.ids == [event_id]
    assert [letter.origin.error for letter in letters] == ["DeliveredTooOftenError"]
    assert letters[0].origin.entry_id == entry_id.decode()


async def test_a_poison_event_dead_letters_no_other(config: BusConfig, raw: Connection, topic: str) -> None:
    """Events read ahead with an event that kills are handled once, after that one is dead-lettered."""
    stuck = Recorder(lambda _: asyncio.Event().wait())
    async with Bus(config) as bus:
        killer, *others = [await bus.publish(topic, "e", {"n": n}) for n in range(5)]
    for _ in range(3):
        async with Bus(named(config, "heir", delivery_limit=2)) as bus:
            subscription = await bus.subscribe(topic, "g", stuck, concurrency=1)
            began = len(stuck.events)
            await stuck.wait_for(began + 1)
            await pending_is(raw, names.stream_of(topic), "g", 5)
            await subscription.stop(0.0)  # without an outcome, as when it is killed
    recorder = Recorder()
    async with Bus(named(config, "heir", delivery_limit=2)) as bus:
        await bus.subscribe(topic, "g", recorder)
        await settled(raw, names.stream_of(topic), "g")
        stream = names.stream_of(topic)
        letters = [letter async for letter in bus.dead_letters if letter.origin.stream == stream]
    assert stuck.ids == [killer] * 3
    assert recorder.ids == others
    assert [(letter.event.event_id, letter.origin.error) for letter in letters] == [
        (killer, "DeliveredTooOftenError")
    ]


async def test_deleted_entries_do_not_stay_pending(config: BusConfig, raw: Connection, topic: str) -> None:
    """An entry that was delivered and then deleted from the stream does not stay pending."""
    async with Bus(named(config, "heir")) as bus:
        await raw.call("XGROUP", "CREATE", names.stream_of(topic), "g", "0", "MKSTREAM")
        await bus.publish(topic, "e", {})
        kept = await bus.publish(topic, "e", {})
        first, _ = await read_as_dead_consumer(raw, topic, "heir")
        await raw.call("XDEL", names.stream_of(topic), first)
        recorder = Recorder()
        await bus.subscribe(topic, "g", recorder)
        await recorder.wait_for(1)
        await settled(raw, names.stream_of(topic), "g")
    assert recorder.ids == [kept]


async def test_events_lost_with_a_connection_are_delivered_again(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """An event that was in a connection that broke is handled after the reconnection."""
    async with Bus(named(config, "heir")) as bus:
        recorder = Recorder()
        subscription = await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "e", {})
        await recorder.wait_for(1)
        encoded = bytes((await raw.call("XRANGE", names.stream_of(topic), "-", "+"))[0][1][1])
        # In one transaction, so that the waiting reader does not get it: as if its reply were lost.
        raw.call("MULTI")
        raw.call("XADD", names.stream_of(topic), "*", "e", encoded)
        raw.call("XREADGROUP", "GROUP", "g", "heir", "STREAMS", names.stream_of(topic), ">")
        assert (await raw.call("EXEC"))[1] is not None
        subscription._processor._reader._channel._wire.close()
        await recorder.wait_for(2)
        await settled(raw, names.stream_of(topic), "g")


async def test_retries_of_a_dead_consumer_come_back(config: BusConfig, raw: Connection, topic: str) -> None:
    """An event whose consumer died while it waited for a retry is retried by the next consumer."""
    failing = Recorder(lambda _: 1 / 0)
    async with Bus(config) as bus:
        subscription = await bus.subscribe(topic, "g", failing)
        event_id = await bus.publish(topic, "e", {})
        await failing.wait_for(1)
        await subscription.stop()
    recorder = Recorder()
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", recorder)
        await until(lambda: recorder.ids, "the retry")
    assert set(recorder.ids) == {event_id}
    assert recorder.events[0].meta.retries >= 1


@pytest.mark.parametrize("step", ["keep", "take_over"])
async def test_a_vanished_group_is_not_an_error(
    bus: Bus, raw: Connection, topic: str, step: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A round that finds no group leaves its creation to the reader."""
    subscription = await bus.subscribe(topic, "g", Recorder(lambda _: asyncio.Event().wait()))
    await bus.publish(topic, "e", {})
    claims = subscription._processor._claims
    await raw.call("XGROUP", "DESTROY", names.stream_of(topic), "g")
    claims._limits = ClaimConfig(min_idle_s=0.001)
    await getattr(claims, step)()
    await subscription.stop(0.0)


async def paused(config: BusConfig, raw: Connection, topic: str, count: int) -> str:
    """Leave `count` events pending with a dead consumer; returns the stream."""
    stream = names.stream_of(topic)
    await raw.call("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM")
    async with Bus(config) as bus:
        await asyncio.gather(*(bus.publish(topic, "e", {"n": n}) for n in range(count)))
    await raw.call("XREADGROUP", "GROUP", "g", "dead", "COUNT", count, "STREAMS", stream, ">")
    return stream


async def test_a_paused_consumer_claims_nothing(config: BusConfig, raw: Connection, topic: str) -> None:
    """A subscription resized to 0 claims no events of a dead consumer."""
    await paused(config, raw, topic, 50)
    resting, working = Recorder(), Recorder()
    async with (
        Bus(named(config, "resting", min_idle_s=0.06)) as first,
        Bus(named(config, "working", min_idle_s=0.3)) as second,
    ):
        subscription = await first.subscribe(topic, "g", resting)
        subscription.resize(0)
        await second.subscribe(topic, "g", working)
        await working.wait_for(50)
    assert not resting.events


async def test_no_more_is_claimed_than_there_is_room_for(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """The events of a dead consumer are claimed page by page as they are handled, not all at once."""
    await paused(config, raw, topic, 1_000)
    gate = asyncio.Event()
    recorder = Recorder(lambda _: gate.wait())
    config = msgspec.structs.replace(named(config, "heir", min_idle_s=0.06), read=ReadConfig(count=10))
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", recorder, concurrency=1)
        counters = bus.counters.group(topic, "g")
        await until(lambda: counters.in_flight, "the first page")
        await asyncio.sleep(0.3)  # many rounds
        assert counters.in_flight <= 110
        gate.set()
        await recorder.wait_for(1_000)
        await settled(raw, names.stream_of(topic), "g")
    assert len(set(recorder.ids)) == len(recorder.ids) == 1_000


async def test_many_dead_consumers_are_taken_over_in_one_round(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """As fast as there is room: what does not fit waits for a handler, not for the next round."""
    stream = await paused(config, raw, topic, 500)
    config = msgspec.structs.replace(named(config, "heir", min_idle_s=60.0), read=ReadConfig(count=10))
    recorder = Recorder()
    async with Bus(config) as bus:
        subscription = await bus.subscribe(topic, "g", recorder)
        claims = subscription._processor._claims
        claims._limits = ClaimConfig(min_idle_s=0.001)
        await claims.take_over()
        await settled(raw, stream, "g")
    assert len(set(recorder.ids)) == len(recorder.ids) == 500


async def test_a_claim_that_waits_for_room_ends_with_its_subscription(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """And a paused one waits until it goes on."""
    await paused(config, raw, topic, 200)
    recorder = Recorder()
    config = named(config, "heir", min_idle_s=60.0)
    async with Bus(config) as bus:
        subscription = await bus.subscribe(topic, "g", recorder)
        subscription.resize(0)
        claims = subscription._processor._claims
        claims._limits = ClaimConfig(min_idle_s=0.001)
        taking = asyncio.create_task(claims.take_over())
        await asyncio.sleep(0.02)
        assert not recorder.events
        subscription.resize(1)
        await recorder.wait_for(200)
        await taking
        subscription.resize(0)
        taking = asyncio.create_task(claims.take_over())
        await asyncio.sleep(0.02)
        await subscription.stop()
        await taking


async def test_names_that_do_not_come_back_are_removed(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """As of hosts that are no more; never one that has an event, reads, or waits for one."""
    stream = names.stream_of(topic)

    async def known() -> set[str]:
        rows = await raw.call("XINFO", "CONSUMERS", stream, "g")
        return {row[row.index(b"name") + 1].decode() for row in rows}

    for number in range(5):
        async with Bus(named(config, f"host-{number}")) as bus:
            subscription = await bus.subscribe(topic, "g", Recorder())
            await until(lambda: subscription._processor._reader._client_id, "a read")  # noqa: B023
    await bus_publishes(config, topic)
    await read_as_dead_consumer(raw, topic, "dead")
    quick = msgspec.structs.replace(named(config, "alive"), read=ReadConfig(block_ms=20))
    patient = msgspec.structs.replace(named(config, "patient"), read=ReadConfig(block_ms=60_000))
    async with Bus(quick) as bus, Bus(patient) as other:
        await other.subscribe(topic, "g", Recorder())
        subscription = await bus.subscribe(topic, "g", Recorder())
        claims = subscription._processor._claims
        assert len(await known()) >= 2
        claims._limits = ClaimConfig(min_idle_s=0.001)
        claims._forget_after_s = 0.2

        async def only_three() -> bool:
            await claims.forget_consumers()
            return await known() == {"dead", "alive", "patient"}

        await until(only_three, "the others are removed")
        await asyncio.sleep(0.25)
        await claims.forget_consumers()
        assert await known() == {"dead", "alive", "patient"}
    assert len(await pending(raw, stream, "g")) == 1


async def bus_publishes(config: BusConfig, topic: str) -> None:
    async with Bus(config) as bus:
        await bus.publish(topic, "e", {})


async def test_own_pending_entries_are_claimed_as_there_is_room(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """A consumer with more pending entries than room claims them in pages at its start, before new events."""
    await paused(config, raw, topic, 500)
    recorder = Recorder()
    config = msgspec.structs.replace(named(config, "dead"), read=ReadConfig(count=10))
    async with Bus(config) as bus:
        last = await bus.publish(topic, "e", {"n": 500})
        await bus.subscribe(topic, "g", recorder, concurrency=1)
        await recorder.wait_for(501)
        await settled(raw, names.stream_of(topic), "g")
        assert bus.counters.group(topic, "g").claimed == 500
    assert [event.payload_as(dict)["n"] for event in recorder.events] == list(range(501))
    assert recorder.ids[-1] == last


async def test_a_stopping_consumer_claims_nothing(config: BusConfig, raw: Connection, topic: str) -> None:
    """A stop during a claim leaves the remaining entries idle, so that others may claim them at once."""
    stream = await paused(config, raw, topic, 1_000)
    recorder = Recorder(lambda _: asyncio.Event().wait())
    async with Bus(named(config, "heir", min_idle_s=0.06)) as bus:
        subscription = await bus.subscribe(topic, "g", recorder, concurrency=1)
        await recorder.wait_for(1)
        await subscription.stop(0.0)
    mine = await raw.call("XPENDING", stream, "g", "-", "+", 1_000, "heir")
    assert len(mine) <= 300


async def test_a_busy_consumer_claims_all_the_same(config: BusConfig, raw: Connection, topic: str) -> None:
    """A consumer with a long lag claims idle events before it has caught up: they are the oldest."""
    await paused(config, raw, topic, 5)
    recorder = Recorder(lambda _: asyncio.sleep(0.002))
    config = msgspec.structs.replace(named(config, "heir", min_idle_s=0.06), read=ReadConfig(count=5))
    async with Bus(config) as bus:
        await asyncio.gather(*(bus.publish(topic, "e", {"n": n}) for n in range(5, 1_000)))
        await bus.subscribe(topic, "g", recorder, concurrency=1)

        def taken() -> set[int]:
            return {event.payload_as(dict)["n"] for event in recorder.events} & set(range(5))

        await until(lambda: len(taken()) == 5, "the five of the dead one")
        assert len(recorder.events) < 900
