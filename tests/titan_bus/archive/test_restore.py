"""Bringing the archive back into a server that lost its data."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.titan_bus.archives import ALWAYS, cut, entries, ids, publish, quiet, write_segment
from tests.titan_bus.conftest import QUICK_RETRY, Recorder, Server, settled, until
from titan_bus import (
    ArchiveConfig,
    ArchiveElsewhereError,
    Bus,
    BusConfig,
    RestoreDisturbedError,
    RestoreRefusedError,
    StreamConfig,
    codec,
    names,
    scripts,
)  # fmt: skip
from titan_bus.archive import restore
from titan_bus.archive.archive import Archive
from titan_bus.archive.folder import FolderStore
from titan_bus.archive.snapshot import groups_of
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint
from titan_bus.errors import BusUnavailableError

TOPIC = "orders.v1"
STREAM = names.stream_of(TOPIC)


@pytest.fixture
def config(server: Server, tmp_path: Path) -> BusConfig:
    """A bus on a server of its own, with an archive that is written when it is asked for."""
    return BusConfig(
        url=server.url,
        source="tests@v1",
        retry=QUICK_RETRY,
        streams=(StreamConfig(name=TOPIC, maxlen=1_000),),
        archive=ArchiveConfig(target=str(tmp_path / "archive"), every_s=3_600.0),
    )


@pytest.fixture
async def raw(server: Server) -> AsyncIterator[Connection]:
    connection = Connection(Endpoint.parse(server.url), 5.0)
    await connection.open()
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
async def no_round(raw: Connection, config: BusConfig) -> None:
    await quiet(raw, config)


async def lose(raw: Connection) -> None:
    """Empty the server, as after a lost disk; nothing is archived by itself then."""
    await raw.call("FLUSHALL")
    await raw.call("SET", names.archive_done((), 3_600.0), "1")


async def test_entries_come_back_under_their_ids(bus: Bus, raw: Connection) -> None:
    """Byte for byte, also what is no event, and the dead letters; replay and publishing go on as before."""
    sent = await publish(bus, TOPIC, 450)
    await raw.call("XADD", STREAM, "*", b"\xff", b"\n", "a", "b")
    await raw.call("XADD", names.DEAD_LETTERS, "*", "d", "{}", "raw:e", b"\x00")
    before = await entries(raw, STREAM), await entries(raw, names.DEAD_LETTERS)
    await bus.archive_now()
    await lose(raw)
    done = {one.topic: one for one in await bus.restore()}
    assert (await entries(raw, STREAM), await entries(raw, names.DEAD_LETTERS)) == before
    assert (done[TOPIC].entries, done[names.DEAD_LETTERS].entries) == (451, 1)
    sent.append(await bus.publish(TOPIC, "e", {}))
    assert await ids(bus.replay(ALWAYS, TOPIC)) == sent
    assert (await bus.archive_now()).entries == 1  # what was restored is not archived again


def elsewhere(bus: Bus, folder: Path) -> BusConfig:
    return msgspec.structs.replace(bus.config, archive=ArchiveConfig(target=str(folder), every_s=3_600.0))


async def test_a_restored_server_is_archived_to_where_it_came_from(
    bus: Bus, raw: Connection, tmp_path: Path
) -> None:
    """After a restore a mistyped target is refused, as before the loss, and the right one is taken."""
    await publish(bus, TOPIC, 3)
    await bus.archive_now()
    await lose(raw)
    await bus.restore()
    await publish(bus, TOPIC, 1)
    async with Bus(elsewhere(bus, tmp_path / "archve")) as mistaken:
        with pytest.raises(ArchiveElsewhereError, match=str(tmp_path / "archive")):
            await mistaken.archive_now()
    assert (await bus.archive_now()).entries == 1


async def test_a_server_of_another_archive_is_not_restored_from_this(
    bus: Bus, raw: Connection, tmp_path: Path
) -> None:
    """What that archive has alone would be hidden from then on: nothing is restored."""
    await publish(bus, TOPIC, 3)
    await bus.archive_now()
    await raw.call("DEL", STREAM)
    async with Bus(elsewhere(bus, tmp_path / "other")) as other:
        await raw.call("DEL", names.ARCHIVE_TARGET)
        await publish(other, "others.v1", 1)
        await other.archive_now()
        with pytest.raises(ArchiveElsewhereError):
            await bus.restore()
    assert not await raw.call("EXISTS", STREAM)


async def test_only_the_tail_comes_back(bus: Bus, raw: Connection) -> None:
    """About `maxlen` entries, by whole segments; a later time than that brings less."""
    for start in range(0, 3_000, 500):
        await publish(bus, TOPIC, 500, start)
        await bus.archive_now()
    held = await entries(raw, STREAM)
    await lose(raw)
    await bus.restore()
    assert await entries(raw, STREAM) == held[-1_000:]
    since_ms = int(held[2_700][0].split(b"-")[0])
    await lose(raw)
    await bus.restore(since=datetime.fromtimestamp(since_ms / 1_000, UTC))
    newer = [one for one in held if int(one[0].split(b"-")[0]) >= since_ms]
    assert await entries(raw, STREAM) == newer


async def test_groups_go_on_where_they_were(bus: Bus, raw: Connection) -> None:
    """What was acknowledged does not come again; what was in flight or unread does, however far back it is."""
    recorder = Recorder()
    subscription = await bus.subscribe(TOPIC, "done", recorder)
    sent = await publish(bus, TOPIC, 5)
    await recorder.wait_for(5)
    await settled(raw, STREAM, "done")
    await subscription.stop()
    await raw.call("XGROUP", "CREATE", STREAM, "slow", "0")
    await raw.call("XREADGROUP", "GROUP", "slow", "c", "COUNT", 2, "STREAMS", STREAM, ">")
    await raw.call("XACK", STREAM, "slow", (await entries(raw, STREAM))[0][0])
    for start in range(0, 2_000, 500):  # more than `maxlen` behind it
        sent += await publish(bus, TOPIC, 500, start)
        await bus.archive_now()
    await lose(raw)
    (done,) = await bus.restore([TOPIC])
    assert done.groups == 2
    slow, quick = Recorder(), Recorder()
    await bus.subscribe(TOPIC, "slow", slow)
    await bus.subscribe(TOPIC, "done", quick)
    await slow.wait_for(2_004)
    await quick.wait_for(2_000)
    assert slow.ids == sent[1:]
    assert quick.ids == sent[5:]
    assert (await groups_of(raw, STREAM))[names.ARCHIVE_GROUP]["pending"] == 0


async def test_what_waited_to_be_tried_again_does(bus: Bus, raw: Connection) -> None:
    """A failed event, acknowledged on its stream and in a delayed set, is handled after the server's loss."""
    sent = await publish(bus, TOPIC, 1)
    encoded = (await entries(raw, STREAM))[0][1][1]
    await raw.call("XGROUP", "CREATE", STREAM, "g", "$")
    await raw.call("ZADD", names.delayed_of("g", TOPIC), 1, codec.with_retries(encoded, 2))
    await bus.archive_now()
    await lose(raw)
    (done,) = await bus.restore([TOPIC])
    assert done.waiting == 1
    recorder = Recorder()
    await bus.subscribe(TOPIC, "g", recorder)
    (event,) = await recorder.wait_for(1)
    assert (event.event_id, event.meta.retries) == (sent[0], 2)


@pytest.mark.logs("is ahead of the server, which lost events", "is created again")
async def test_a_consumer_and_a_round_may_come_before_it(bus: Bus, raw: Connection) -> None:
    """On the empty server a group begins anew and a round archives: places and what waits are kept for us."""
    sent = await publish(bus, TOPIC, 3)
    failed = (await entries(raw, STREAM))[0][1][1]
    await raw.call("XGROUP", "CREATE", STREAM, "g", "0")
    await raw.call("XREADGROUP", "GROUP", "g", "dead", "COUNT", 2, "STREAMS", STREAM, ">")
    await raw.call("XACK", STREAM, "g", *[entry_id for entry_id, _ in (await entries(raw, STREAM))[:2]])
    await raw.call("ZADD", names.delayed_of("g", TOPIC), 1, codec.with_retries(failed, 2))
    await bus.archive_now()
    await lose(raw)
    recorder = Recorder()
    await bus.subscribe(TOPIC, "g", recorder)
    await bus.archive_now()
    (done,) = await bus.restore([TOPIC])
    assert (done.entries, done.groups, done.waiting) == (3, 1, 1)
    await recorder.wait_for(2)
    await settled(raw, STREAM, "g")
    assert sorted(recorder.ids) == [sent[0], sent[2]]
    await bus.archive_now()  # now again with a snapshot
    await lose(raw)
    assert (await bus.restore([TOPIC]))[0].waiting == 0


async def test_what_comes_later_is_behind_every_place(bus: Bus, raw: Connection, tmp_path: Path) -> None:
    """A clock behind the lost server's, and a group's place behind the last segment: nothing is passed over."""
    await publish(bus, TOPIC, 3)
    await bus.archive_now()
    ahead = int(time.time() * 1000) + 3_600_000
    await raw.call("XADD", STREAM, f"{ahead}-0", "e", "{}")
    await raw.call("XGROUP", "CREATE", STREAM, "g", "$")
    await bus.archive_now()
    archive = Archive(FolderStore(tmp_path / "archive"))
    await archive.remove([(await archive.segments(STREAM))[-1].name])
    await lose(raw)
    assert (await bus.restore([TOPIC]))[0].entries == 3
    recorder = Recorder()
    await bus.subscribe(TOPIC, "g", recorder)
    later = await bus.publish(TOPIC, "e", {})
    assert [event.event_id for event in await recorder.wait_for(1)] == [later]


async def test_a_server_that_has_events_is_left_alone(bus: Bus, raw: Connection) -> None:
    """Refused with the topic and its length, before anything is changed anywhere."""
    await publish(bus, "a.v1", 3)
    await publish(bus, TOPIC, 3)
    await bus.archive_now()
    await lose(raw)
    await publish(bus, TOPIC, 2)
    with pytest.raises(RestoreRefusedError, match="empty server") as caught:
        await bus.restore()
    assert (caught.value.topic, caught.value.length) == (TOPIC, 2)
    assert await raw.call("EXISTS", names.stream_of("a.v1")) == 0


async def test_newer_ones_can_be_put_behind(bus: Bus, raw: Connection) -> None:
    """When asked for, a stream gets what is newer than its own, and nothing twice."""
    sent = await publish(bus, TOPIC, 30)
    held = await entries(raw, STREAM)
    await bus.archive_now()
    await lose(raw)
    for entry_id, fields in held[:10]:
        await raw.call("XADD", STREAM, entry_id, *fields)
    (done,) = await bus.restore([TOPIC], newer_only=True)
    assert done.entries == 20
    assert await ids(bus.replay(ALWAYS, TOPIC)) == sent
    (again,) = await bus.restore([TOPIC], newer_only=True)
    assert again.entries == 0


async def test_a_kill_in_the_middle_is_repeated(
    bus: Bus, raw: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after some entries, the second run brings the rest; nothing is refused or doubled."""
    await publish(bus, TOPIC, 900)
    held = await entries(raw, STREAM)
    await bus.archive_now()
    await lose(raw)
    calls = 0
    call = Connection.call

    def failing(self: Connection, *words: object, **more: object) -> object:
        nonlocal calls
        calls += words[:2] == ("EVAL", scripts.RESTORE)
        if calls > 2:
            raise BusUnavailableError("here", "killed")
        return call(self, *words, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "call", failing)
        with pytest.raises(BusUnavailableError):
            await bus.restore()
    assert await raw.call("XLEN", STREAM) == 2 * restore.BATCH
    await bus.restore()
    assert await entries(raw, STREAM) == held
    assert await raw.call("GET", names.restoring(STREAM)) == names.RESTORED
    await bus.archive_now()
    assert await raw.call("EXISTS", names.restoring(STREAM)) == 0


def once_written(monkeypatch: pytest.MonkeyPatch, then: Callable[[], Awaitable[object]]) -> None:
    """Have something happen on the server after the first entries came back."""
    call, calls = Connection.call, count()

    async def followed(answer: Awaitable[Any]) -> Any:
        answered = await answer
        await then()
        return answered

    def calling(self: Connection, *words: Any, **more: Any) -> Awaitable[Any]:
        answer = call(self, *words, **more)
        return followed(answer) if words[:2] == ("EVAL", scripts.RESTORE) and not next(calls) else answer

    monkeypatch.setattr(Connection, "call", calling)


async def test_an_event_published_meanwhile_is_said(
    bus: Bus, raw: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Publishing behind a half-restored stream hides the rest: refused with the cure, which works."""
    await publish(bus, TOPIC, 900)
    held = await entries(raw, STREAM)
    await bus.archive_now()
    await lose(raw)
    with monkeypatch.context() as patch:
        once_written(patch, lambda: bus.publish(TOPIC, "e", {}))
        with pytest.raises(RestoreDisturbedError, match=rf"delete the stream {STREAM}") as caught:
            await bus.restore()
    assert (caught.value.topic, caught.value.length) == (TOPIC, restore.BATCH + 1)
    with pytest.raises(RestoreDisturbedError):  # the mark that was left does not make it an empty server
        await bus.restore()
    held.append((await entries(raw, STREAM))[-1])
    await bus.archive_now()
    await raw.call("DEL", STREAM)
    (done,) = await bus.restore()
    assert done.entries == 901
    assert await entries(raw, STREAM) == held


async def test_an_event_published_between_two_runs_is_said(
    bus: Bus, raw: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled half-way, one publish, repeated: an error, not a restore of nothing."""
    await publish(bus, TOPIC, 900)
    await bus.archive_now()
    await lose(raw)
    with monkeypatch.context() as patch:
        stopped = asyncio.Event()

        async def stop() -> None:
            stopped.set()
            await asyncio.Event().wait()

        once_written(patch, stop)
        restoring = asyncio.create_task(bus.restore())
        await stopped.wait()
        restoring.cancel()
        await asyncio.wait([restoring])
    await bus.publish(TOPIC, "e", {})
    with pytest.raises(RestoreDisturbedError):
        await bus.restore()


async def test_a_topic_that_gets_events_before_its_turn_is_said(
    bus: Bus, raw: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler of a restored topic publishes to one that is restored after it: that is not passed over."""
    await publish(bus, "a.v1", 3)
    await publish(bus, TOPIC, 3)
    await bus.archive_now()
    await lose(raw)
    with monkeypatch.context() as patch:
        once_written(patch, lambda: bus.publish(TOPIC, "e", {}))
        with pytest.raises(RestoreRefusedError) as caught:
            await bus.restore()
    assert (caught.value.topic, caught.value.length) == (TOPIC, 1)
    await raw.call("DEL", STREAM)
    assert [done.entries for done in await bus.restore([TOPIC])] == [3]


async def test_a_stream_that_was_emptied_but_not_deleted_is_said(bus: Bus, raw: Connection) -> None:
    """It has no entries, but takes none before its last id: nothing is silently left out."""
    await publish(bus, TOPIC, 3)
    await bus.archive_now()
    await cut(raw, TOPIC, 0)
    with pytest.raises(RestoreDisturbedError):
        await bus.restore()


@pytest.mark.logs("is ahead of the server, which lost events")
async def test_a_snapshot_survives_the_rounds_after_a_loss(bus: Bus, raw: Connection, tmp_path: Path) -> None:
    """The server lost its data and life went on, rounds too: what waited before comes back, and since."""
    sent = await publish(bus, TOPIC, 5)
    failed = (await entries(raw, STREAM))[0][1][1]
    await raw.call("XGROUP", "CREATE", STREAM, "g", "$")
    await raw.call("ZADD", names.delayed_of("g", TOPIC), 1, failed)
    await bus.archive_now()
    await lose(raw)
    await raw.call("XGROUP", "CREATE", STREAM, "g", "0", "MKSTREAM")
    await publish(bus, TOPIC, 1)
    await raw.call("XREADGROUP", "GROUP", "g", "c", "NOACK", "STREAMS", STREAM, ">")
    later = (await entries(raw, STREAM))[0]
    await raw.call("ZADD", names.delayed_of("g", TOPIC), 1, later[1][1])
    for _ in range(2):
        await bus.archive_now()
    await lose(raw)
    (done,) = await bus.restore([TOPIC])
    assert (done.entries, done.waiting) == (6, 2)
    waits = await raw.call("ZRANGE", names.delayed_of("g", TOPIC), 0, -1)
    assert sorted(waits) == sorted([failed, later[1][1]])
    place = (await groups_of(raw, STREAM))["g"]["last-delivered-id"]
    assert place == (await entries(raw, STREAM))[4][0]  # the earlier of the two
    assert [codec.decode_body(failed).event_id] == sent[:1]
    archive = Archive(FolderStore(tmp_path / "archive"))
    assert len(await archive.snapshots(STREAM)) == 2
    await bus.archive_now()  # has a snapshot of what came back: the old ones have done their work
    assert len(await archive.snapshots(STREAM)) == 1


async def test_a_group_that_is_gone_stays_gone(bus: Bus, raw: Connection) -> None:
    """Destroyed, and archived since: a restore does not bring it back."""
    await publish(bus, TOPIC, 2)
    await raw.call("XGROUP", "CREATE", STREAM, "old", "0")
    await bus.archive_now()
    await raw.call("XGROUP", "DESTROY", STREAM, "old")
    await bus.archive_now()
    await lose(raw)
    (done,) = await bus.restore([TOPIC])
    assert (done.entries, done.groups) == (2, 0)


@pytest.mark.logs("the rest is restored")
async def test_a_damaged_snapshot_brings_everything(bus: Bus, raw: Connection, tmp_path: Path) -> None:
    """Which groups there were, and how far, is unknown: also what is behind `maxlen` comes back."""
    await raw.call("XGROUP", "CREATE", STREAM, "g", "0", "MKSTREAM")
    for start in range(0, 2_000, 500):
        await publish(bus, TOPIC, 500, start)
        await bus.archive_now()
    await asyncio.to_thread(
        (tmp_path / "archive" / TOPIC / "groups.jsonl.zst").write_bytes, b"(\xb5/\xfd no snapshot"
    )
    await lose(raw)
    (done,) = await bus.restore([TOPIC])
    assert (done.entries, len(done.damaged)) == (2_000, 1)


@pytest.mark.logs("the rest is restored")
async def test_a_snapshot_of_another_stream_is_not_believed(
    bus: Bus, raw: Connection, tmp_path: Path
) -> None:
    """Copied into another topic's folder it is named as damage, and makes no groups there."""
    await raw.call("XGROUP", "CREATE", names.stream_of("a.v1"), "g", "0", "MKSTREAM")
    await publish(bus, "a.v1", 1)
    await publish(bus, TOPIC, 1)
    await bus.archive_now()
    folder = tmp_path / "archive"
    data = await asyncio.to_thread((folder / "a.v1/groups.jsonl.zst").read_bytes)
    await asyncio.to_thread((folder / TOPIC / "groups.jsonl.zst").write_bytes, data)
    await lose(raw)
    (done,) = await bus.restore([TOPIC])
    assert (done.entries, done.groups) == (1, 0)
    assert "a snapshot of topics:{a.v1}" in done.damaged[0]


async def test_an_entry_with_very_many_fields_comes_back(bus: Bus, raw: Connection) -> None:
    """More words than Lua can hand on at once: it comes back like the others, and so does what is behind it."""
    await publish(bus, TOPIC, 2)
    await raw.call("XADD", STREAM, "*", *(word for n in range(4_500) for word in (f"k{n}", "v")))
    await publish(bus, TOPIC, 2)
    held = await entries(raw, STREAM)
    await bus.archive_now()
    await lose(raw)
    (done,) = await bus.restore()
    assert done.entries == 5
    assert await entries(raw, STREAM) == held


@pytest.mark.parametrize("topic", ["", "уведомления-" * 20, "con", "a.", "..", "x" * 300])
async def test_a_topic_of_any_name_comes_back(bus: Bus, raw: Connection, tmp_path: Path, topic: str) -> None:
    """Without a name, too long for a folder, or one that Windows would not make: it is archived and restored."""
    await raw.call("XADD", names.stream_of(topic), "*", "x", "y")
    await publish(bus, TOPIC, 1)
    assert (await bus.archive_now()).entries == 2
    await lose(raw)
    again = Archive(FolderStore(tmp_path / "archive"))
    assert await again.streams() == sorted([STREAM, names.stream_of(topic)])
    assert len(await again.segments()) == 2
    assert [done.entries for done in await bus.restore()] == [1, 1]
    assert await raw.call("XLEN", names.stream_of(topic)) == 1


@pytest.mark.logs("the rest is restored")
async def test_damage_is_reported(bus: Bus, raw: Connection, tmp_path: Path) -> None:
    """A torn snapshot and a torn segment are in the report; groups then begin anew, nothing is skipped."""
    await publish(bus, TOPIC, 10)
    await raw.call("XGROUP", "CREATE", STREAM, "g", "$")
    await bus.archive_now()
    folder = tmp_path / "archive" / TOPIC
    for file in await asyncio.to_thread(lambda: list(folder.iterdir())):
        data = await asyncio.to_thread(file.read_bytes)
        await asyncio.to_thread(file.write_bytes, data[:-9])
    await lose(raw)
    (done,) = await bus.restore([TOPIC])
    assert len(done.damaged) == 2
    assert (done.entries, done.groups) == (10, 0)


async def test_a_killed_server_loses_nothing_that_was_archived(
    bus: Bus, server: Server, raw: Connection, tmp_path: Path
) -> None:
    """The server is killed and its files are gone; the same bus restores, and consumers go on."""
    sent = await publish(bus, TOPIC, 300)
    await bus.archive_now()
    server.kill()
    for file in await asyncio.to_thread(lambda: list(server.socket.parent.rglob("*"))):
        if file.is_file() and file.suffix in {".aof", ".rdb", ".manifest"}:
            await asyncio.to_thread(file.unlink)
    server.start()
    await until(lambda: bus.connected and raw.connected, "connections")
    assert await raw.call("DBSIZE") == 0
    await quiet(raw, bus.config)
    (done,) = await bus.restore()
    assert done.entries == 300
    recorder = Recorder()
    await bus.subscribe(TOPIC, "g", recorder)
    await recorder.wait_for(300)
    assert recorder.ids == sent


async def test_an_empty_archive_restores_nothing(bus: Bus) -> None:
    """No folder, no streams, no error."""
    assert await bus.restore() == []


async def test_a_stream_that_was_cut_keeps_its_beginning(bus: Bus, raw: Connection) -> None:
    """What was trimmed before it was lost comes from the archive as far as `maxlen` says."""
    await publish(bus, TOPIC, 600)
    held = await entries(raw, STREAM)
    await bus.archive_now()
    await cut(raw, TOPIC, 10)
    await lose(raw)
    await bus.restore()
    assert await entries(raw, STREAM) == held
    assert msgspec.json.decode(held[0][1][1])["topic"] == TOPIC


async def test_segments_that_overlap_come_back_whole(bus: Bus, raw: Connection, tmp_path: Path) -> None:
    """A clock that went back gave ids between those that were archived: all of them come back, in order."""
    kept = [(b"%d-0" % (1_000 + n), [b"x", b"%d" % n]) for n in range(50)]
    await write_segment(tmp_path / "archive", STREAM, [*kept[:20:2], *kept[20:]])
    await write_segment(tmp_path / "archive", STREAM, kept[1:30:2])
    assert [done.entries for done in await bus.restore()] == [50]
    assert await entries(raw, STREAM) == kept


async def test_a_segment_that_goes_meanwhile_is_reported(
    bus: Bus, raw: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Retention took it after it was listed: that is damage, not nothing."""
    await publish(bus, TOPIC, 3)
    await bus.archive_now()
    await lose(raw)

    async def gone(*_: object) -> None:
        return None

    monkeypatch.setattr(Archive, "read", gone)
    (done,) = await bus.restore()
    assert (done.entries, len(done.damaged)) == (0, 1)
    caplog.clear()
