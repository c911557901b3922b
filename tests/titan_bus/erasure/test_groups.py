"""What an erasure leaves as it was: the groups, what they have in hand, the archiver, the trimmer, a restore."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.titan_bus.archives import ALWAYS, archived, ids, publish
from tests.titan_bus.conftest import Recorder, Server, pending, settled, until
from titan_bus import Bus, BusConfig, Event, FatalError, StreamConfig, names
from titan_bus.connections.connection import Connection

from .conftest import STREAM, TOPIC


async def places(bus: Bus, raw: Connection) -> dict[str, tuple[Any, ...]]:
    """Return of each group what is pending, by entry, consumer and count, and its lag."""
    found = {}
    for group in await bus.inspection.groups(TOPIC):
        rows = await raw.call("XPENDING", STREAM, group.group, "-", "+", 100)
        found[group.group] = [(row[0], row[1], row[3]) for row in rows], group.lag
    return found


async def test_places_and_lags_are_as_if_it_had_never_been(bus: Bus, raw: Connection) -> None:
    """Groups before, on and behind what is erased, one that began in the middle, one that left some in hand."""
    sent = await publish(bus, TOPIC, 10)
    await bus.archive_now()
    held = [entry[0] for entry in await raw.call("XRANGE", STREAM, "-", "+")]
    for group, read in (("none", 0), ("some", 4), ("more", 7), ("all", 10)):
        await raw.call("XGROUP", "CREATE", STREAM, group, "0")
        for consumer in ("one", "two") if read else ():
            await raw.call("XREADGROUP", "GROUP", group, consumer, "COUNT", read // 2, "STREAMS", STREAM, ">")
    await raw.call("XACK", STREAM, "some", *held[:3])
    await raw.call("XCLAIM", STREAM, "more", "three", 0, held[5], "RETRYCOUNT", 4, "JUSTID")
    await raw.call("XGROUP", "CREATE", STREAM, "new", "$")
    before = await places(bus, raw)
    erased = {held[0]: sent[0], held[4]: sent[4], held[8]: sent[8], held[9]: sent[9]}
    assert (await bus.erase(erased.values())).complete
    now = await places(bus, raw)
    for group, (rows, _) in before.items():
        assert now[group][0] == [row for row in rows if row[0] not in erased]
    lags = {"none": 6, "some": 3, "more": 2, "all": 0, "new": 0, names.ARCHIVE_GROUP: 0}
    assert {group: lag for group, (_, lag) in now.items()} == lags
    await raw.call("XREADGROUP", "GROUP", "none", "one", "COUNT", 3, "STREAMS", STREAM, ">")
    await publish(bus, TOPIC, 1)
    lags = {"none": 4, "some": 4, "more": 3, "all": 1}
    now = await places(bus, raw)
    assert {group: now[group][1] for group in lags} == lags


@pytest.mark.parametrize("end", ["returns", "raises", "gives up"])
@pytest.mark.logs("goes to the dead letters")
async def test_who_has_it_in_hand_goes_on_to_the_end(bus: Bus, raw: Connection, end: str) -> None:
    """Whatever that is, nothing comes of it, and the next event is handled."""
    go = asyncio.Event()

    async def handle(event: Event) -> None:
        if event.event_type == "erased":
            await go.wait()
            if end != "returns":
                raise {"raises": RuntimeError, "gives up": FatalError}[end]

    recorder = Recorder(handle)
    await bus.subscribe(TOPIC, "g", recorder)
    erased = await bus.publish(TOPIC, "erased", {})
    await recorder.wait_for(1)
    assert [one.place for one in (await bus.erase(erased)).found] == ["stream"]
    assert await pending(raw, STREAM, "g") == []
    go.set()
    following = await bus.publish(TOPIC, "e", {})
    await recorder.wait_for(2)
    await settled(raw, STREAM, "g")
    await until(lambda: not bus.counters.group(TOPIC, "g").in_flight, "nothing in flight")
    assert recorder.ids == [erased, following]
    assert await raw.call("EXISTS", names.delayed_of("g", TOPIC), names.DEAD_LETTERS) == 0
    assert await raw.call("XLEN", names.retries_of("g", TOPIC)) == 0


async def test_what_fails_again_and_again_is_caught_on_its_way(config: BusConfig, raw: Connection) -> None:
    """Between delayed set, retry stream and handler at every moment: after the erasure it comes no more."""
    streams = (StreamConfig(name=TOPIC, retry_limit=1_000_000),)
    async with Bus(msgspec.structs.replace(config, streams=streams)) as bus:
        recorder = Recorder(_raise)
        await bus.subscribe(TOPIC, "g", recorder)
        for _ in range(10):
            sent = await publish(bus, TOPIC, 8)
            await recorder.wait_for(len(recorder.events) + 20)
            assert (await bus.erase(sent, topics=[TOPIC])).missing == ()
            await until(lambda: not bus.counters.group(TOPIC, "g").in_flight, "nothing in flight")
            assert await raw.call("ZCARD", names.delayed_of("g", TOPIC)) == 0
            assert await raw.call("XLEN", names.retries_of("g", TOPIC)) == 0
            assert await bus.dead_letters.count() == 0
            recorder.events.clear()


def _raise(_: Event) -> None:
    raise RuntimeError("again")


async def test_readers_go_on_while_the_stream_is_replaced(bus: Bus, raw: Connection) -> None:
    """Who blocks on it, with a group or without, gets the next event; and all the others come once, in order."""
    recorder = Recorder()
    tail = bus.tail([TOPIC])
    await tail.start()
    await bus.subscribe(TOPIC, "g", recorder, concurrency=1)
    seen: list[str] = []
    kept: list[str] = []
    for _ in range(10):
        some = [bus.publish(TOPIC, "e", {}) for _ in range(150)]
        sent = await asyncio.gather(*some[:50])
        await asyncio.gather(bus.erase(sent[::10], topics=[TOPIC]), *some)
        kept += [event_id for n, event_id in enumerate(await asyncio.gather(*some)) if n >= 50 or n % 10]
        await settled(raw, STREAM, "g")
        while seen[-1:] != kept[-1:]:
            seen.append((await anext(tail)).event_id)
    assert len(recorder.ids) == len(set(recorder.ids))
    assert [event_id for event_id in recorder.ids if event_id in set(kept)] == kept
    assert [event_id for event_id in seen if event_id in set(kept)] == kept
    assert await ids(bus.replay(ALWAYS, TOPIC)) == kept
    assert {group.group: group.lag for group in await bus.inspection.groups(TOPIC)}["g"] == 0
    await tail.close()


@pytest.mark.parametrize("moved", [1, 0])
async def test_the_archiver_takes_it_for_no_loss(
    bus: Bus, raw: Connection, folder: Path, moved: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The newest is erased, also after a kill between writing it and moving on: nothing is written twice."""
    sent = await publish(bus, TOPIC, 5)
    await bus.archive_now()
    if not moved:
        first = (await raw.call("XRANGE", STREAM, "-", "+", "COUNT", 1))[0][0]
        await raw.call("XGROUP", "SETID", STREAM, names.ARCHIVE_GROUP, first)
    await bus.erase(sent[3:])
    assert (await bus.archive_now()).entries == 0
    new = await publish(bus, TOPIC, 1)
    assert (await bus.archive_now()).entries == 1
    held = [entry[0] for entry in await raw.call("XRANGE", STREAM, "-", "+")]
    assert await archived(folder, STREAM) == held
    assert await ids(bus.replay(ALWAYS, TOPIC)) == sent[:3] + new
    assert "ahead of the server" not in caplog.text


async def test_trimming_goes_on(config: BusConfig, raw: Connection) -> None:
    """Down to `maxlen`, and not past what a group has not handled."""
    streams = (StreamConfig(name=TOPIC, maxlen=10),)
    async with Bus(msgspec.structs.replace(config, streams=streams)) as bus:
        sent = await publish(bus, TOPIC, 40)
        await bus.archive_now()
        await bus.erase(sent[::2])
        await raw.call("XGROUP", "CREATE", STREAM, "slow", "0")
        await bus._maintenance._trimmer.trim(TOPIC)
        assert await raw.call("XLEN", STREAM) == 20
        await raw.call("XGROUP", "SETID", STREAM, "slow", "$")
        await bus._maintenance._trimmer.trim(TOPIC)
        assert await raw.call("XLEN", STREAM) == 10
        assert await ids(bus.replay(ALWAYS, TOPIC)) == sent[1::2]


async def test_a_restore_brings_nothing_of_it_back(config: BusConfig, server: Server) -> None:
    """Nor from the events, nor from what waited to be tried again; and groups go on where they were."""
    async with Bus(config) as bus:
        raw = bus._connection
        sent = await publish(bus, TOPIC, 5)
        await raw.call("XGROUP", "CREATE", STREAM, "g", "0")
        rows = await raw.call("XREADGROUP", "GROUP", "g", "c", "COUNT", 3, "STREAMS", STREAM, ">")
        await raw.call("XACK", STREAM, "g", *(entry[0] for entry in rows[0][1]))
        for entry in rows[0][1]:
            await raw.call("ZADD", names.delayed_of("g", TOPIC), 4_000_000_000_000, entry[1][1])
        await bus.archive_now()
        await bus.erase([sent[1], sent[2], sent[4]])
        await raw.call("FLUSHALL")
    async with Bus(config) as bus:
        (done,) = [one for one in await bus.restore() if one.topic == TOPIC]
        assert (done.entries, done.groups, done.waiting, done.damaged) == (2, 1, 1, ())
        recorder = Recorder()
        await bus.subscribe(TOPIC, "g", recorder)
        await recorder.wait_for(1)
        await settled(bus._connection, STREAM, "g")
        assert recorder.ids == [sent[3]]
