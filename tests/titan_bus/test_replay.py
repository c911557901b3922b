"""Replay by time, by id, and as of a group; from the stream, and from the archive before it."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from titan_bus import ArchiveConfig, Bus, BusConfig, Event, Meta, Priority, codec, names, new_ulid
from titan_bus.connections.connection import Connection
from titan_bus.errors import EventNotFoundError, GroupNotFoundError
from titan_bus.event import UlidSource
from titan_bus.replay import Replay

from .archives import ALWAYS, cut, entries, ids, publish, quiet, write_segment
from .conftest import Recorder, pending


@pytest.mark.by_url
async def test_a_span_of_time_is_replayed(bus: Bus, topic: str) -> None:
    """From one timestamp to another, both included, in order; the timestamps may be the events' own."""
    ids = []
    for n in range(5):
        ids.append(await bus.publish(topic, "e", {"n": n}))
        await asyncio.sleep(0.003)
    events = [event async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
    assert [event.event_id for event in events] == ids
    span = bus.replay(events[1].timestamp, topic, events[3].timestamp)
    replayed = [event.event_id async for event in span]
    assert replayed[0] == ids[1]
    assert replayed[-1] in ids[2:4]  # the server may have got the last one a millisecond after its timestamp


async def test_nothing_is_lost_over_many_pages(bus: Bus, topic: str) -> None:
    """A thousand events published while nobody consumed are all replayed, once."""
    before = datetime.now(UTC).isoformat()
    ids = await asyncio.gather(*[bus.publish(topic, "e", {"n": n}) for n in range(1_000)])
    assert [event.event_id async for event in bus.replay(before, topic)] == ids


async def test_malformed_entries_are_passed_over(bus: Bus, raw: Connection, topic: str) -> None:
    """Replay goes on behind an entry that is no event."""
    await raw.call("XADD", names.stream_of(topic), "*", "x", "y")
    event_id = await bus.publish(topic, "e", {})
    assert [event.event_id async for event in bus.replay("2020-01-01T00:00:00", topic)] == [event_id]


async def test_an_offset_counts(bus: Bus, topic: str) -> None:
    """A timestamp with an offset means that moment; a future one finds nothing."""
    event_id = await bus.publish(topic, "e", {})
    assert [event.event_id async for event in bus.replay("2020-01-01T00:00:00+03:00", topic)] == [event_id]
    assert [event async for event in bus.replay("2999-01-01T00:00:00Z", topic)] == []


async def test_a_timestamp_that_is_none_is_refused(bus: Bus, topic: str) -> None:
    """Anything but RFC 3339 raises ValueError."""
    with pytest.raises(ValueError, match="yesterday"):
        await anext(aiter(bus.replay("yesterday", topic)))


async def test_a_stopped_consumer_misses_nothing(bus: Bus, topic: str) -> None:
    """T4: the consumer stops, 1,000 events are published, and all are replayed, once, in order."""
    recorder = Recorder()
    subscription = await bus.subscribe(topic, "g", recorder)
    await publish(bus, topic, 3)
    await recorder.wait_for(3)
    await subscription.stop()
    missed = await publish(bus, topic, 1_000)
    assert await ids(bus.replay_unacknowledged("g", topic)) == missed


@pytest.mark.by_url
async def test_replay_begins_at_an_event(bus: Bus, raw: Connection, topic: str) -> None:
    """By an event's id or by its entry's, that one included, also an entry's that is gone."""
    sent = await publish(bus, topic, 700)
    held = [entry_id.decode() for entry_id, _ in await entries(raw, names.stream_of(topic))]
    assert await ids(bus.replay_from(sent[600], topic)) == sent[600:]
    assert await ids(bus.replay_from(held[600], topic)) == sent[600:]
    await raw.call("XDEL", names.stream_of(topic), held[600])
    assert await ids(bus.replay_from(held[600], topic)) == sent[601:]


async def test_an_event_that_is_nowhere_is_said(bus: Bus, topic: str) -> None:
    """An id that no entry has raises EventNotFoundError; what is no id at all ValueError."""
    await publish(bus, topic, 2)
    with pytest.raises(EventNotFoundError) as caught:
        await ids(bus.replay_from(new_ulid(), topic))
    assert caught.value.topic == topic
    for wrong in ("yesterday", "U" * 26, ""):
        with pytest.raises(ValueError, match="id"):
            await ids(bus.replay_from(wrong, topic))


async def test_a_clock_that_is_wrong_is_borne(bus: Bus, raw: Connection, topic: str) -> None:
    """An event whose publisher's clock is four minutes ahead of the server's is found by its id."""
    event_id = UlidSource(lambda: int(time.time() * 1000) + 240_000).next()
    await bus._publisher.publish(topic, "e", {}, event_id=event_id)
    last = await bus.publish(topic, "e", {})
    assert await ids(bus.replay_from(event_id, topic)) == [event_id, last]


@pytest.mark.parametrize("off_s", [-600, 600, 86_400])
async def test_a_clock_that_was_set_is_borne(bus: Bus, topic: str, off_s: int) -> None:
    """An event is found by its id also where its publisher's clock was further off than clocks are as a rule."""
    event_id = UlidSource(lambda: int(time.time() * 1000) + off_s * 1000).next()
    before = await bus.publish(topic, "e", {})
    await bus._publisher.publish(topic, "e", {}, event_id=event_id)
    last = await bus.publish(topic, "e", {})
    assert await ids(bus.replay_from(event_id, topic)) == [event_id, last]
    assert await ids(bus.replay_from(before, topic)) == [before, event_id, last]


async def test_what_a_group_has_in_flight_comes_first(bus: Bus, raw: Connection, topic: str) -> None:
    """As of a group: delivered and not acknowledged, then never delivered; the group itself stays as it was."""
    stream = names.stream_of(topic)
    sent = await publish(bus, topic, 6)
    held = [entry_id for entry_id, _ in await entries(raw, stream)]
    await raw.call("XGROUP", "CREATE", stream, "g", "0")
    await raw.call("XREADGROUP", "GROUP", "g", "c", "COUNT", 4, "STREAMS", stream, ">")
    await raw.call("XACK", stream, "g", held[0], held[2])
    assert await ids(bus.replay_unacknowledged("g", topic)) == [sent[n] for n in (1, 3, 4, 5)]
    assert await pending(raw, stream, "g") == [held[1], held[3]]
    for group, where in (("none", topic), ("g", "nowhere.v1")):
        with pytest.raises(GroupNotFoundError):
            await ids(bus.replay_unacknowledged(group, where))


class TestWithArchive:
    """Where the stream ends the archive goes on."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "archive"

    @pytest.fixture
    def config(self, config: BusConfig, topic: str, folder: Path) -> BusConfig:
        archive = ArchiveConfig(target=str(folder), every_s=3_600.0, topics=(topic,))
        return msgspec.structs.replace(config, archive=archive)

    @pytest.fixture(autouse=True)
    async def no_round(self, raw: Connection, config: BusConfig) -> None:
        """Archives nothing by itself, nor other tests' dead letters."""
        await raw.call("DEL", names.DEAD_LETTERS)
        await quiet(raw, config)

    async def test_archive_and_stream_are_one(self, bus: Bus, raw: Connection, topic: str) -> None:
        """Some only archived, some in both, some only in the stream: each comes once, in order."""
        sent = await publish(bus, topic, 1_200)
        await bus.archive_now()
        await cut(raw, topic, 300)
        sent += await publish(bus, topic, 400)
        assert await ids(bus.replay(ALWAYS, topic)) == sent
        assert await ids(bus.replay_from(sent[100], topic)) == sent[100:]
        await cut(raw, topic, 0)
        assert await ids(bus.replay(ALWAYS, topic)) == sent[:1_200]

    async def test_what_a_group_has_in_flight_may_be_in_the_archive_alone(
        self, bus: Bus, raw: Connection, topic: str
    ) -> None:
        """Pending entries that `trim: hard` or a hand removed from the stream come from the archive, in order."""
        stream = names.stream_of(topic)
        sent = await publish(bus, topic, 700)
        held = [entry_id for entry_id, _ in await entries(raw, stream)]
        await bus.archive_now()
        await raw.call("XGROUP", "CREATE", stream, "g", "0")
        await raw.call("XREADGROUP", "GROUP", "g", "c", "COUNT", 650, "STREAMS", stream, ">")
        await raw.call("XACK", stream, "g", held[3], held[645])
        await raw.call("XDEL", stream, held[641], held[642])
        await cut(raw, topic, 98)  # the stream begins at number 600
        expected = [sent[n] for n in range(700) if n not in {3, 645}]
        assert await ids(bus.replay_unacknowledged("g", topic)) == expected

    async def test_a_damaged_block_gives_nothing_that_a_group_has_acknowledged(
        self, bus: Bus, raw: Connection, topic: str, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What is pending and nowhere is left out, and the stream's other entries do not come in its place."""
        stream = names.stream_of(topic)
        sent = await publish(bus, topic, 9)
        held = [entry_id for entry_id, _ in await entries(raw, stream)]
        await bus.archive_now()
        (file,) = await asyncio.to_thread(lambda: list(folder.rglob("*-*.zst")))
        await asyncio.to_thread(truncate, file, 100)
        await raw.call("XGROUP", "CREATE", stream, "g", "0")
        await raw.call("XREADGROUP", "GROUP", "g", "c", "COUNT", 8, "STREAMS", stream, ">")
        await raw.call("XACK", stream, "g", *held[1:4])
        await raw.call("XDEL", stream, held[0], held[4])
        assert await ids(bus.replay_unacknowledged("g", topic)) == sent[5:]
        assert file.name in caplog.text
        caplog.clear()

    async def test_a_span_of_time_may_lie_in_the_archive(
        self, bus: Bus, raw: Connection, topic: str, folder: Path
    ) -> None:
        """Both ends are included there too, to the millisecond, over blocks and segments."""
        stream, base = names.stream_of(topic), 1_700_000_000_000
        for start in range(0, 60, 20):
            await write_segment(
                folder, stream, [entry(topic, base + n * 1_000, n) for n in range(start, start + 20)]
            )
        span = bus.replay("2023-11-14T22:13:35Z", topic, "2023-11-14T22:14:02.000Z")
        assert [event.payload_as(dict)["n"] async for event in span] == list(range(15, 43))
        late = bus.replay("2023-11-14T22:13:35.001Z", topic, "2023-11-14T22:13:36.999Z")
        assert [event.payload_as(dict)["n"] async for event in late] == [16]

    async def test_trimming_and_archiving_meanwhile_leave_no_gap(
        self, bus: Bus, raw: Connection, topic: str
    ) -> None:
        """While a slow reader replays, others publish, archive and cut the stream behind the archive."""
        sent = await publish(bus, topic, 2_000)
        found: list[str] = []
        async for event in bus.replay(ALWAYS, topic):
            found.append(event.event_id)
            if len(found) % 300 == 0 and len(sent) < 6_000:
                sent += await publish(bus, topic, 500)
                await bus.archive_now()
                await cut(raw, topic, 20)
        assert found == sent

    async def test_segments_that_overlap_give_each_event_once(
        self, bus: Bus, topic: str, folder: Path
    ) -> None:
        """Two archivers at once wrote some entries twice."""
        stream, kept = names.stream_of(topic), [entry(topic, 1_000 + n, n) for n in range(51)]
        for first, last in ((0, 30), (10, 20), (20, 50), (0, 10), (50, 51)):
            await write_segment(folder, stream, kept[first:last])
        replayed = [event.payload_as(dict)["n"] async for event in bus.replay("1970-01-01T00:00:00Z", topic)]
        assert replayed == list(range(51))

    async def test_damage_is_named_and_the_rest_served(
        self,
        bus: Bus,
        topic: str,
        folder: Path,
        raw: Connection,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Of an altered block nothing comes from the archive, but what the stream still has of it does."""
        monkeypatch.setattr("titan_bus.archive.segment.BLOCK_BYTES", 20_000)
        sent = await publish(bus, topic, 400)
        await bus.archive_now()
        (file,) = await asyncio.to_thread(lambda: list(folder.rglob("*-*.zst")))
        data = bytearray(await asyncio.to_thread(file.read_bytes))
        data[len(data) // 2] ^= 1
        await asyncio.to_thread(file.write_bytes, bytes(data))
        assert await ids(bus.replay(ALWAYS, topic)) == sent
        assert file.name in caplog.text
        await cut(raw, topic, 0)
        rest = await ids(bus.replay(ALWAYS, topic))
        assert 100 < len(rest) < 400
        assert rest == [event_id for event_id in sent if event_id in set(rest)]
        caplog.clear()

    async def test_a_torn_segment_is_filled_from_the_stream(
        self, bus: Bus, topic: str, folder: Path, raw: Connection, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Its end is lost; what was whole comes, and the stream gives the end."""
        sent = await publish(bus, topic, 50)
        await bus.archive_now()
        (file,) = await asyncio.to_thread(lambda: list(folder.rglob("*-*.zst")))
        data = await asyncio.to_thread(file.read_bytes)
        await asyncio.to_thread(file.write_bytes, data[:-10])
        assert await ids(bus.replay(ALWAYS, topic)) == sent
        await asyncio.to_thread(file.write_bytes, data[:100])
        await cut(raw, topic, 5)
        assert await ids(bus.replay(ALWAYS, topic)) == sent[-5:]
        assert file.name in caplog.text
        caplog.clear()

    async def test_a_torn_segment_stays_within_the_span(
        self, bus: Bus, topic: str, folder: Path, raw: Connection, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What the stream gives in place of a damaged segment is no more than was asked for."""
        kept = [entry(topic, 1_000 + n, n) for n in range(40)]
        for entry_id, fields in kept:
            await raw.call("XADD", names.stream_of(topic), entry_id, *fields)
        await asyncio.to_thread(truncate, await write_segment(folder, names.stream_of(topic), kept), 100)
        await cut(raw, topic, 35)
        span = bus.replay("1970-01-01T00:00:01Z", topic, "1970-01-01T00:00:01.010Z")
        assert [event.payload_as(dict)["n"] async for event in span] == list(range(5, 11))
        caplog.clear()

    async def test_a_torn_segment_hides_none_that_overlaps_it(
        self, bus: Bus, topic: str, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Written twice, damaged once: nothing is lost, however far the damaged one says that it goes."""
        stream, kept = names.stream_of(topic), [entry(topic, 1_000 + n, n) for n in range(60)]
        await write_segment(folder, stream, kept[:40])
        await write_segment(folder, stream, kept[40:])
        far = [*kept[:1], entry(topic, 9_000_000, 0)]
        await asyncio.to_thread(truncate, await write_segment(folder, stream, far), 100)
        await asyncio.to_thread(truncate, await write_segment(folder, stream, kept[:20]), 100)
        replayed = [event.payload_as(dict)["n"] async for event in bus.replay("1970-01-01T00:00:00Z", topic)]
        assert replayed == list(range(60))
        caplog.clear()

    @pytest.mark.parametrize("end", [b"no line of ours\n5-0\t[]\n", b"x\t{}\n5-0\t[]\n", b"5-0\t[]\n"])
    async def test_what_others_put_there_is_no_hindrance(
        self, bus: Bus, topic: str, folder: Path, end: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A file under a segment's name, but not of our making, is named in the log, and the rest comes."""
        stream = names.stream_of(topic)
        await write_segment(folder, stream, [entry(topic, 1_000 + n, n) for n in range(9)])
        packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()  # does not tell its size
        foreign = packer.compress(b"1-0\t[]\n" + end) + packer.flush()
        await asyncio.to_thread((folder / topic / "1-0_5-0_5.jsonl.zst").write_bytes, foreign)
        replayed = [event.payload_as(dict)["n"] async for event in bus.replay("1970-01-01T00:00:00Z", topic)]
        assert replayed == list(range(9))
        assert "1-0_5-0_5" in caplog.text
        caplog.clear()

    async def test_a_segment_that_retention_takes_meanwhile_is_no_error(
        self,
        bus: Bus,
        topic: str,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Listed, and gone when its turn comes: the log says so, and the stream has it."""
        sent = await publish(bus, topic, 30)
        await bus.archive_now()

        async def gone(*_: object) -> None:
            return None

        monkeypatch.setattr("titan_bus.archive.archive.Archive.read", gone)
        assert await ids(bus.replay(ALWAYS, topic)) == sent
        assert "it went meanwhile" in caplog.text
        caplog.clear()

    async def test_a_segment_that_is_missing_is_filled_from_the_stream(
        self, bus: Bus, topic: str, folder: Path
    ) -> None:
        """The middle one of three is gone, and before it the first: the stream still has what they had."""
        sent: list[str] = []
        for _ in range(3):
            sent += await publish(bus, topic, 20)
            await bus.archive_now()
        segments = sorted(await asyncio.to_thread(lambda: list(folder.rglob("*-*.zst"))))
        for file in segments[1::-1]:
            await asyncio.to_thread(file.unlink)
            assert await ids(bus.replay(ALWAYS, topic)) == sent

    async def test_segments_of_different_entries_may_overlap(
        self, bus: Bus, topic: str, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A clock that went back gave ids between those of the archive: all events come, in the order of ids."""
        monkeypatch.setattr("titan_bus.archive.segment.BLOCK_BYTES", 2_000)
        stream = names.stream_of(topic)
        kept = [entry(topic, 1_000 + n, n) for n in range(100)]
        await write_segment(folder, stream, kept[::2])
        await write_segment(folder, stream, kept[31:60:2])
        await write_segment(folder, stream, [*kept[1:31:2], *kept[45:50], *kept[61::2]])
        replayed = [event.payload_as(dict)["n"] async for event in bus.replay("1970-01-01T00:00:00Z", topic)]
        assert replayed == list(range(100))

    async def test_foreign_entries_are_passed_over(self, bus: Bus, raw: Connection, topic: str) -> None:
        """Archived entries that are no events, or not quite, do not stop a replay."""
        stream = names.stream_of(topic)
        for fields in (("x", "y"), ("e", "{"), ("e", "[]"), ("e", "{\n}")):
            await raw.call("XADD", stream, "*", *fields)
        event_id = await bus.publish(topic, "e", {})
        await bus.archive_now()
        await cut(raw, topic, 0)
        assert await ids(bus.replay(ALWAYS, topic)) == [event_id]

    async def test_an_abandoned_replay_leaves_nothing_behind(
        self, bus: Bus, raw: Connection, topic: str
    ) -> None:
        """Closed after the first event, its reading ahead ends too."""
        await publish(bus, topic, 10)
        await bus.archive_now()
        await cut(raw, topic, 0)
        events = bus.replay(ALWAYS, topic)
        async with contextlib.aclosing(events):
            await anext(events)
        left = [task.get_name() for task in asyncio.all_tasks()]
        assert not [name for name in left if name.startswith("titan_bus replay")]


def truncate(file: Path, length: int) -> None:
    file.write_bytes(file.read_bytes()[:length])


def entry(topic: str, ms: int, n: int) -> tuple[bytes, list[bytes]]:
    """An entry as the server would have it."""
    event = Event(
        event_id=new_ulid(),
        schema_version=1,
        topic=topic,
        event_type="e",
        timestamp="2023-11-14T22:13:20Z",
        encoded_payload=msgspec.Raw(b'{"n":%d}' % n),
        meta=Meta(priority=Priority.LOW, retries=0, trace_id="0" * 32, source="tests"),
    )
    return b"%d-0" % ms, [codec.FIELD, codec.encode(event)]


@pytest.mark.parametrize(("count", "length", "pages_max"), [(100, 30_000, 10), (1_200, 10, 5)])
async def test_a_page_is_bounded_in_bytes(
    bus: Bus, topic: str, monkeypatch: pytest.MonkeyPatch, count: int, length: int, pages_max: int
) -> None:
    """However long the events are, what is asked for at once is not; short ones come many at a time."""
    ids = await asyncio.gather(*(bus.publish(topic, "e", {"text": "x" * length}) for _ in range(count)))
    pages: list[int] = []
    events = Replay._events

    def watched(self: Replay, entries: list[Any]) -> list[Event]:
        pages.append(sum(len(word) for _, fields in entries for word in fields))
        return events(self, entries)

    monkeypatch.setattr(Replay, "_events", watched)
    assert [event.event_id async for event in bus.replay_from(ids[0], topic)] == ids
    assert max(pages) < 700_000
    assert len(pages) < pages_max
