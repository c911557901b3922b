"""What an archive keeps beside the events, and for how long: snapshots of the groups, retention."""

import threading
import time
from pathlib import Path

import msgspec
import pytest

from tests.titan_bus.archives import ALWAYS, archived, cut, entries, ids, publish
from tests.titan_bus.conftest import Recorder, settled
from titan_bus import ArchiveConfig, Bus, BusConfig, codec, names
from titan_bus.archive.archive import Archive, SnapshotName, StoredSegment, open_store
from titan_bus.archive.archiver import Archiver
from titan_bus.archive.folder import FolderStore
from titan_bus.archive.retention import surplus
from titan_bus.archive.segment_name import SegmentName
from titan_bus.archive.snapshot import read
from titan_bus.connections.connection import Connection
from titan_bus.entry_id import EntryId

DAY_MS = 86_400_000

pytestmark = pytest.mark.usefixtures("no_round")


async def test_a_snapshot_tells_places_and_what_waits(
    bus: Bus, raw: Connection, topic: str, folder: Path
) -> None:
    """A group's place is before its oldest unfinished event; postponed and returned events are there."""
    stream = names.stream_of(topic)
    sent = await publish(bus, topic, 4)
    recorder = Recorder()
    subscription = await bus.subscribe(topic, "done", recorder)
    await recorder.wait_for(4)
    await settled(raw, stream, "done")
    await subscription.stop()
    held = await entries(raw, stream)
    await raw.call("XGROUP", "CREATE", stream, "slow", "0")
    await raw.call("XREADGROUP", "GROUP", "slow", "c", "COUNT", 3, "STREAMS", stream, ">")
    await raw.call("XACK", stream, "slow", held[0][0])
    await raw.call("ZADD", names.delayed_of("slow", topic), 4_000_000_000_000, held[0][1][1])
    await raw.call("XADD", names.retries_of("slow", topic), "*", "e", held[1][1][1])
    await bus.archive_now()
    store = open_store(str(folder), {})
    data = await store.get(f"{topic}/groups.jsonl.zst")
    assert data is not None
    places, waiting = read("s", data, stream)
    assert places.groups == {
        "done": held[-1][0].decode(),
        "slow": str(EntryId.parse(held[1][0]).previous()),
    }
    assert [(one.group, one.due_ms, msgspec.json.decode(one.event)["event_id"]) for one in waiting] == [
        ("slow", 4_000_000_000_000, sent[0]),
        ("slow", 0, sent[1]),
    ]


def kept(last_ms: int, size: int = 100) -> StoredSegment:
    return StoredSegment(SegmentName("s", EntryId(last_ms - 5), EntryId(last_ms), 6), size)


@pytest.mark.parametrize(
    ("days", "size", "gone"),
    [(None, None, 0), (2.0, None, 3), (None, 250, 3), (None, 1, 5), (2.0, 100, 4), (10.0, 1_000, 0)],
)
def test_retention_removes_the_oldest(days: float | None, size: int | None, gone: int) -> None:
    """By age, then by size, the oldest first, and no more than has to go."""
    now_ms = 100 * DAY_MS
    five = [kept(now_ms - age * DAY_MS) for age in (5, 4, 3, 1, 0)]
    config = ArchiveConfig(target="x", max_age_days=days, max_bytes=size)
    assert surplus(five, config, now_ms) == [one.name for one in five[:gone]]


async def test_retention_works_on_the_store(config: BusConfig, topic: str, folder: Path) -> None:
    """A round removes what is too much, and what is left is replayed."""
    assert config.archive is not None
    small = msgspec.structs.replace(config, archive=msgspec.structs.replace(config.archive, max_bytes=1))
    async with Bus(small) as bus:
        sent = await publish(bus, topic, 3)
        done = await bus.archive_now()
        assert (done.segments, done.removed) == (1, 1)
        assert await archived(folder, names.stream_of(topic)) == []
        assert await ids(bus.replay(ALWAYS, topic)) == sent


async def test_a_server_behind_its_archive_is_said(
    bus: Bus, raw: Connection, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that lost its newest events and got new ones with smaller ids has those archived too."""
    ahead = int(time.time() * 1000) + 3_600_000
    await raw.call("XADD", names.stream_of(topic), f"{ahead}-0", "e", "{}")
    await bus.archive_now()
    await raw.call("DEL", names.stream_of(topic))
    await publish(bus, topic, 2)
    assert (await bus.archive_now()).entries == 2
    assert "ahead of the server" in caplog.text
    caplog.clear()


@pytest.mark.parametrize("rounds", [1, 2])
async def test_events_of_a_clock_that_went_back_are_archived(
    bus: Bus, raw: Connection, topic: str, rounds: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A replica took over that lacked the newest, and gave new events ids among those: all are archived."""
    stream = names.stream_of(topic)

    async def add(*entry_ids: str) -> None:
        encoded = codec.encode(codec.decode_body((await entries(raw, f"{stream}x"))[0][1][1]))
        for entry_id in entry_ids:
            event = msgspec.structs.replace(codec.decode_body(encoded), event_id=entry_id)
            await raw.call("XADD", stream, entry_id, codec.FIELD, codec.encode(event))

    await bus.publish(topic, "e", {})
    await raw.call("RENAME", stream, f"{stream}x")
    before = [f"{n}-0" for n in range(1_000, 1_100)]
    await add(*before)
    await bus.archive_now()
    await raw.call("DEL", stream)
    since = [f"{n}-5" for n in range(1_060, 1_120, 2)]
    await add(*before[:51], *since[:20])
    if rounds > 1:
        await bus.archive_now()
    await add(*since[20:])  # now ahead of the archive
    await bus.archive_now()
    await cut(raw, topic, 0)
    expected = sorted([*before, *since], key=EntryId.parse)
    assert await ids(bus.replay("1970-01-01T00:00:00Z", topic)) == expected
    await raw.call("DEL", f"{stream}x")
    caplog.clear()


async def test_a_snapshot_is_what_the_store_has(
    config: BusConfig, bus: Bus, raw: Connection, topic: str, folder: Path
) -> None:
    """Two programs take turns: what the one replaced meanwhile is written again by the other."""
    stream = names.stream_of(topic)
    await publish(bus, topic, 1)
    await raw.call("XGROUP", "CREATE", stream, "g", "$")
    event = (await entries(raw, stream))[0][1][1]
    archive = Archive(FolderStore(folder))

    async def one() -> Archiver:
        assert config.archive is not None
        return Archiver(raw, archive, config.archive, bus.counters)

    first, second = await one(), await one()
    for program, waits in ((first, True), (second, False), (first, True)):
        await raw.call("DEL", names.delayed_of("g", topic))
        if waits:
            await raw.call("ZADD", names.delayed_of("g", topic), 1, event)
        await program.archive_now()
        data = await archive.read_snapshot(SnapshotName(stream))
        assert data is not None
        assert len(list(read("s", data, stream)[1])) == waits


async def test_a_snapshot_goes_with_its_topic(
    config: BusConfig, bus: Bus, raw: Connection, topic: str, folder: Path
) -> None:
    """A topic that was given up, and is too old to be kept, leaves no events in a snapshot either."""
    assert config.archive is not None
    await publish(bus, topic, 1)
    await raw.call("XGROUP", "CREATE", names.stream_of(topic), "g", "$")
    await bus.archive_now()
    await raw.call("DEL", names.stream_of(topic))
    old = msgspec.structs.replace(config.archive, max_age_days=1e-9)
    async with Bus(msgspec.structs.replace(config, archive=old)) as late:
        await late.archive_now()
    assert await Archive(FolderStore(folder)).streams() == []


async def test_names_are_read_beside_the_loop(
    bus: Bus, topic: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year of segments is a hundred thousand names: the loop does not stop for them."""
    await publish(bus, topic, 1)
    await bus.archive_now()
    threads: list[int] = []
    parse = SegmentName.parse

    def parsing(key: str, stream: str | None = None) -> SegmentName | None:
        threads.append(threading.get_ident())
        return parse(key, stream)

    monkeypatch.setattr(SegmentName, "parse", parsing)
    archive = Archive(FolderStore(folder))
    assert await archive.segments()
    assert await archive.streams()
    assert threads
    assert threading.get_ident() not in threads
