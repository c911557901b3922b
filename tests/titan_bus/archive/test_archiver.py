"""Archiving what is new."""

import asyncio
import errno
import logging
import os
import shutil
import signal
import sys
from pathlib import Path

import msgspec
import pytest

from tests.s3_server.server import Bucket
from tests.titan_bus.archives import ALWAYS, archived, cut, entries, ids, publish
from tests.titan_bus.conftest import until
from titan_bus import ArchiveConfig, Bus, BusConfig, names, new_ulid
from titan_bus.archive import archiver
from titan_bus.archive.archive import Archive
from titan_bus.archive.folder import FolderStore
from titan_bus.archive.snapshot import groups_of
from titan_bus.connections.connection import Connection
from titan_bus.errors import ArchiveElsewhereError, StoreError
from titan_bus.lease import Lease

DAY_MS = 86_400_000

pytestmark = pytest.mark.usefixtures("no_round")


@pytest.mark.by_url
async def test_everything_new_is_archived_once(bus: Bus, raw: Connection, topic: str, folder: Path) -> None:
    """Round by round each entry is written exactly once, also one that is no event, and the place moves."""
    stream = names.stream_of(topic)
    await publish(bus, topic, 1_500)
    await raw.call("XADD", stream, "*", "x", b"\xff\x00")
    first = await bus.archive_now()
    await publish(bus, topic, 3)
    second = await bus.archive_now()
    third = await bus.archive_now()
    assert [done.entries for done in (first, second, third)] == [1_501, 3, 0]
    held = [entry_id for entry_id, _ in await entries(raw, stream)]
    assert await archived(folder, stream) == held
    assert bus.counters.archived >= 1_504
    group = (await groups_of(raw, stream))[names.ARCHIVE_GROUP]
    assert (group["last-delivered-id"], group["lag"]) == (held[-1], 0)


@pytest.mark.parametrize("count", [1, 999, 1_000, 1_001, 2_000])
async def test_a_round_ends_with_the_last_entry(bus: Bus, topic: str, count: int) -> None:
    """Whatever number of pages it is, nothing is left for the next round."""
    await publish(bus, topic, count)
    assert (await bus.archive_now()).entries == count


async def test_a_deleted_end_is_no_hindrance(bus: Bus, raw: Connection, topic: str, folder: Path) -> None:
    """The newest entry was deleted: what is before it is archived, and what comes after it too."""
    stream = names.stream_of(topic)
    await publish(bus, topic, 3)
    await raw.call("XDEL", stream, (await entries(raw, stream))[-1][0])
    assert (await bus.archive_now()).entries == 2
    await publish(bus, topic, 1)
    assert (await bus.archive_now()).entries == 1
    assert await archived(folder, stream) == [entry_id for entry_id, _ in await entries(raw, stream)]


async def test_the_lag_is_known_after_a_round(bus: Bus, raw: Connection, topic: str) -> None:
    """What came since the last round is a number that the server tells, also when the stream was trimmed."""
    await publish(bus, topic, 5)
    await cut(raw, topic, 2)
    await bus.archive_now()
    await publish(bus, topic, 4)
    assert (await groups_of(raw, names.stream_of(topic)))[names.ARCHIVE_GROUP]["lag"] == 4


async def test_trimming_never_overtakes_the_archive(bus: Bus, raw: Connection, topic: str) -> None:
    """With maxlen 10, what is not archived stays, and goes as soon as it is."""
    await publish(bus, topic, 5)
    await bus.archive_now()
    await publish(bus, topic, 95)
    await bus._maintenance._trimmer.trim(topic)
    assert await raw.call("XLEN", names.stream_of(topic)) >= 95
    await bus.archive_now()
    await bus._maintenance._trimmer.trim(topic)
    assert await raw.call("XLEN", names.stream_of(topic)) == 10
    assert bus.counters.topic(topic).trimmed == 90


async def test_a_topic_that_no_round_has_met_is_not_trimmed(
    bus: Bus, raw: Connection, topic: str, folder: Path
) -> None:
    """A burst on a new topic stays until the first round has it; the lag is a number then, too."""
    await publish(bus, topic, 95)
    await bus._maintenance._trimmer.trim(topic)
    assert await raw.call("XLEN", names.stream_of(topic)) == 95
    assert (await bus.archive_now()).entries == 95
    assert (await groups_of(raw, names.stream_of(topic)))[names.ARCHIVE_GROUP]["lag"] == 0


async def test_the_lag_is_known_again_after_a_crash(bus: Bus, raw: Connection, topic: str) -> None:
    """A place that was set without its count has one as soon as it is the stream's end."""
    stream = names.stream_of(topic)
    await publish(bus, topic, 5)
    await bus.archive_now()
    for count in (0, 3):
        await raw.call("XGROUP", "SETID", stream, names.ARCHIVE_GROUP, "0")
        await publish(bus, topic, count)
        await bus.archive_now()
        await publish(bus, topic, 2)
        assert (await groups_of(raw, stream))[names.ARCHIVE_GROUP]["lag"] == 2


async def test_a_crash_before_the_place_moved_writes_nothing_twice(
    bus: Bus, raw: Connection, topic: str, folder: Path
) -> None:
    """What the store has is believed over the group: a new archiver goes on behind its newest entry."""
    stream = names.stream_of(topic)
    await publish(bus, topic, 10)
    await bus.archive_now()
    await raw.call("XGROUP", "SETID", stream, names.ARCHIVE_GROUP, "0")
    await publish(bus, topic, 2, 10)
    assert (await bus.archive_now()).entries == 2
    assert await archived(folder, stream) == [entry_id for entry_id, _ in await entries(raw, stream)]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
async def test_an_archiver_killed_at_any_step_leaves_no_gap(
    bus: Bus, raw: Connection, redis_url: str, topic: str, folder: Path
) -> None:
    """Killed before each step in turn, while others publish and trim: the next goes on, and all comes once."""
    sent, stream = list[str](), names.stream_of(topic)
    await raw.call("XGROUP", "CREATE", stream, "g", "$", "MKSTREAM")
    for step in range(1, 40):
        sent += await publish(bus, topic, 60)
        await raw.call("XGROUP", "SETID", stream, "g", "$")
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.titan_bus.archiver_child", redis_url, str(folder), topic, str(step)
        )
        ended = await child.wait()
        await raw.call("DEL", names.ARCHIVE_LEASE)  # it would run out in 30 s
        await bus._maintenance._trimmer.trim(topic)
        assert await ids(bus.replay(ALWAYS, topic)) == sent
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
    assert step > 10
    await cut(raw, topic, 0)
    assert await ids(bus.replay(ALWAYS, topic)) == sent
    held = await archived(folder, stream)
    assert len(held) == len(set(held)) == len(sent)


async def test_a_long_backlog_becomes_many_segments(
    bus: Bus, topic: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Segments are bounded, so memory is, here and for who reads them."""
    monkeypatch.setattr(archiver, "SEGMENT_BYTES", 30_000)
    monkeypatch.setattr("titan_bus.archive.segment.BLOCK_BYTES", 10_000)
    sent = await publish(bus, topic, 2_500)
    done = await bus.archive_now()
    segments = await Archive(FolderStore(folder)).segments(names.stream_of(topic))
    assert done.entries == sum(one.name.count for one in segments) == 2_500
    assert max(one.name.count for one in segments) < 200  # also within what the server gives at once
    assert await ids(bus.replay(ALWAYS, topic)) == sent


async def test_dead_letters_are_archived_too(bus: Bus, raw: Connection, folder: Path) -> None:
    """What lies in `errors.dlq` is kept byte for byte beside the topics."""
    await raw.call("XADD", names.DEAD_LETTERS, "*", "d", "{}", "raw:e", b"\n\xff")
    await bus.archive_now()
    assert await archived(folder, names.DEAD_LETTERS) == [
        entry_id for entry_id, _ in await entries(raw, names.DEAD_LETTERS)
    ]


async def test_every_topic_is_found(config: BusConfig, raw: Connection, topic: str, folder: Path) -> None:
    """Without a list of topics all that the server has are archived."""
    assert config.archive is not None
    everything = msgspec.structs.replace(config, archive=msgspec.structs.replace(config.archive, topics=()))
    async with Bus(everything) as bus:
        await publish(bus, topic, 2)
        await publish(bus, f"{topic}/Ж", 1)
        await bus.archive_now()
    streams = await Archive(FolderStore(folder)).streams()
    assert {names.stream_of(topic), names.stream_of(f"{topic}/Ж")} <= set(streams)


async def test_a_bucket_serves_as_well(
    config: BusConfig, topic: str, bucket: Bucket, raw: Connection
) -> None:
    """Archived to S3, trimmed away, and replayed from there."""
    target = ArchiveConfig(
        target=f"{bucket.target}/{new_ulid()}", options=bucket.options, topics=(topic,), every_s=3_600.0
    )
    async with Bus(msgspec.structs.replace(config, archive=target)) as bus:
        sent = await publish(bus, topic, 700)
        await bus.archive_now()
        await cut(raw, topic, 0)
        sent += await publish(bus, topic, 5)
        assert await ids(bus.replay(ALWAYS, topic)) == sent


async def test_an_archive_that_was_deleted_begins_anew_where_that_is_meant(
    config: BusConfig, bus: Bus, raw: Connection, topic: str, folder: Path
) -> None:
    """As a rule an empty target is refused. One that begins anew has what came since, and can be erased from."""
    assert config.archive is not None
    await publish(bus, topic, 2)
    await bus.archive_now()
    await asyncio.to_thread(shutil.rmtree, folder)
    sent = await publish(bus, topic, 3)
    with pytest.raises(ArchiveElsewhereError):
        await bus.archive_now()
    own = msgspec.structs.replace(config.archive, begins_anew=True)
    other = msgspec.structs.replace(own, target=f"{folder}-other")
    async with Bus(msgspec.structs.replace(config, archive=other)) as elsewhere:
        with pytest.raises(ArchiveElsewhereError):
            await elsewhere.archive_now()
    async with Bus(msgspec.structs.replace(config, archive=own)) as anew:
        assert (await anew.erase(sent[0], topics=[topic])).complete
        assert (await anew.archive_now()).entries == 2
        await cut(raw, topic, 0)
        assert await ids(anew.replay(ALWAYS, topic)) == sent[1:]


@pytest.mark.by_url
async def test_a_server_has_one_archive(
    config: BusConfig, bus: Bus, raw: Connection, topic: str, folder: Path, tmp_path: Path
) -> None:
    """Another target is refused, and takes nothing from the first; a copy of the first goes on in its place."""
    assert config.archive is not None
    sent = await publish(bus, topic, 3)
    await bus.archive_now()
    sent += await publish(bus, topic, 3)
    second = msgspec.structs.replace(config.archive, target=str(tmp_path / "second"))
    async with Bus(msgspec.structs.replace(config, archive=second)) as other:
        with pytest.raises(ArchiveElsewhereError, match=f"archived to {folder}") as caught:
            await other.archive_now()
        assert caught.value.key in str(caught.value)
        assert not (tmp_path / "second").exists()
        await bus.archive_now()
        await cut(raw, topic, 0)
        assert await ids(bus.replay(ALWAYS, topic)) == sent
        await asyncio.to_thread(shutil.copytree, folder, tmp_path / "second")
        sent += await publish(other, topic, 2)
        assert (await other.archive_now()).entries == 2
        assert await ids(other.replay(ALWAYS, topic)) == sent
    assert str(tmp_path / "second") in (await raw.call("GET", names.ARCHIVE_TARGET)).decode()
    await raw.call("DEL", names.ARCHIVE_TARGET)
    third = msgspec.structs.replace(config.archive, target=str(tmp_path / "third"))
    async with Bus(msgspec.structs.replace(config, archive=third)) as other:
        assert (await other.archive_now()).entries == 0


async def test_who_archives_something_else_is_not_kept_from_it(
    config: BusConfig, bus: Bus, topic: str, folder: Path
) -> None:
    """The round of a program with other topics or another interval is not that of this one."""
    assert config.archive is not None
    await publish(bus, topic, 1)
    await publish(bus, f"{topic}.b", 1)
    await bus.archive_now()
    other = msgspec.structs.replace(config.archive, topics=(f"{topic}.b",))
    async with Bus(msgspec.structs.replace(config, archive=other)):

        async def there() -> bool:
            return len(await archived(folder, names.stream_of(f"{topic}.b"))) == 1

        await until(there, "a round of its own")
    assert names.archive_done((topic,), 1.0) != names.archive_done((topic,), 2.0)
    assert names.archive_done(("a", "b"), 1.0) == names.archive_done(("b", "a"), 1.0)


async def test_one_archiver_works_at_a_time(bus: Bus, raw: Connection, topic: str) -> None:
    """While another holds the lease, a round waits for it; a dead holder's lease runs out."""
    await publish(bus, topic, 1)
    other = Lease(raw, names.ARCHIVE_LEASE)
    async with other.held(wait=True) as held:
        assert held
        waiting = asyncio.create_task(bus.archive_now())
        async with Lease(raw, names.ARCHIVE_LEASE).held(wait=False) as second:
            assert not second
        assert not waiting.done()
    assert (await waiting).entries == 1
    assert await raw.call("EXISTS", names.ARCHIVE_LEASE) == 0


async def test_a_lease_that_went_to_another_is_left_alone(raw: Connection, topic: str) -> None:
    """Who lost it while standing still does not take it from who has it now."""
    async with Lease(raw, topic).held(wait=False):
        await raw.call("SET", topic, "another", "PX", 10_000)
    assert await raw.call("GET", topic) == b"another"


async def test_rounds_come_by_themselves(
    config: BusConfig, raw: Connection, topic: str, folder: Path
) -> None:
    """A bus with an archive writes what is new again and again, without being asked."""
    assert config.archive is not None
    quick = msgspec.structs.replace(config, archive=msgspec.structs.replace(config.archive, every_s=0.02))
    async with Bus(quick) as bus:
        for n in range(2):
            await publish(bus, topic, 3)

            async def all_there(count: int = 3 * (n + 1)) -> bool:
                return len(await archived(folder, names.stream_of(topic))) == count

            await until(all_there, "a round")


async def test_a_failing_store_is_said_once(
    config: BusConfig,
    raw: Connection,
    topic: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A full disk is counted each round and logged once; when there is room again nothing is missing."""
    assert config.archive is not None
    quick = msgspec.structs.replace(config, archive=msgspec.structs.replace(config.archive, every_s=0.005))

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, caplog.at_level(logging.INFO, "titan_bus"):
        patch.setattr(os, "fsync", full)
        async with Bus(quick) as bus:
            await publish(bus, topic, 20)
            await until(lambda: bus.counters.archive_failures >= 3, "three failures")
            assert await archived(folder, names.stream_of(topic)) == []
            assert isinstance(bus.archive_failure, StoreError)
            patch.undo()
            await until(lambda: "works again" in caplog.text, "recovery")
            assert bus.archive_failure is None
    assert caplog.text.count("No space left") == 1
    assert len(await archived(folder, names.stream_of(topic))) == 20
    caplog.clear()


async def test_a_full_disk_still_loses_what_is_too_much(
    config: BusConfig, topic: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retention works though nothing can be written: it is what makes room."""
    assert config.archive is not None
    async with Bus(config) as bus:
        await publish(bus, topic, 3)
        await bus.archive_now()
        await publish(bus, topic, 3)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    small = msgspec.structs.replace(config, archive=msgspec.structs.replace(config.archive, max_bytes=1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        async with Bus(small) as bus:
            with pytest.raises(StoreError, match="No space"):
                await bus.archive_now()
    assert await archived(folder, names.stream_of(topic)) == []


async def test_a_broken_store_is_the_callers_error(bus: Bus, topic: str, folder: Path) -> None:
    """Who asks for a round hears what is wrong."""
    await asyncio.to_thread(folder.write_text, "no folder")
    await publish(bus, topic, 1)
    with pytest.raises(StoreError, match="archive"):
        await bus.archive_now()


async def test_a_bus_without_an_archive_says_so(redis_url: str) -> None:
    """`archive_now` and `restore` need a configured archive."""
    async with Bus(BusConfig(url=redis_url)) as bus:
        with pytest.raises(ValueError, match="no archive"):
            await bus.archive_now()
        with pytest.raises(ValueError, match="no archive"):
            await bus.restore()


async def test_the_loop_goes_on_while_a_round_works(bus: Bus, raw: Connection, topic: str) -> None:
    """Packing, compressing and writing 20,000 events leave the loop its turns."""
    body = msgspec.json.encode({"text": "x" * 500})
    for _ in range(20):
        await asyncio.gather(
            *(raw.call("XADD", names.stream_of(topic), "*", "e", body) for _ in range(1_000))
        )
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    beating = asyncio.create_task(beat())
    await bus.archive_now()
    beating.cancel()
    assert turns > 20  # in one piece it would be one or two; `tests.benchmarks.bus_replay` has the figure
