"""What an erasure does to the archive's objects, in a folder and in a bucket."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from tests.bytes_in_files import holding
from tests.s3_server.server import Bucket
from tests.titan_bus.archives import ALWAYS, archived, cut, ids, publish, write_segment
from titan_bus import ArchiveConfig, Bus, BusConfig, ErasureInterruptedError, StoreError, names, new_ulid
from titan_bus.archive import archiver
from titan_bus.archive.archive import Archive, SnapshotName
from titan_bus.archive.folder import FolderStore
from titan_bus.archive.segment import SegmentWriter
from titan_bus.archive.segment_name import SegmentName
from titan_bus.connections.connection import Connection
from titan_bus.entry_id import EntryId

from .conftest import SECRETS, STREAM, TOPIC

Entry = tuple[bytes, list[bytes]]


def entry(ms: int, event_id: str, n: int = 0) -> Entry:
    body = {"event_id": event_id, "topic": TOPIC, "payload": {"n": n}}
    return b"%d-0" % ms, [b"e", msgspec.json.encode(body)]


async def numbered(folder: Path) -> list[bytes]:
    return await archived(folder, STREAM)


async def test_it_is_the_same_in_a_bucket(config: BusConfig, bucket: Bucket) -> None:
    """Segments and snapshots are written anew, the old ones go, and what is wholly erased leaves nothing."""
    target = f"{bucket.target}/{new_ulid()}"
    config = msgspec.structs.replace(
        config, archive=ArchiveConfig(target=target, options=bucket.options, every_s=3_600)
    )
    async with Bus(config) as bus:
        raw = bus._connection
        sent = await publish(bus, TOPIC, 6)
        await raw.call("XGROUP", "CREATE", STREAM, "g", "0")
        for _, fields in (await raw.call("XRANGE", STREAM, "-", "+"))[:2]:
            await raw.call("ZADD", names.delayed_of("g", TOPIC), 4_000_000_000_000, fields[1])
        await bus.archive_now()
        receipt = await bus.erase(sent[1:4])
        assert receipt.complete
        assert {one.place for one in receipt.found} == {"stream", "delayed", "archive", "snapshot"}
        await cut(raw, TOPIC, 0)
        assert await ids(bus.replay(ALWAYS, TOPIC)) == [sent[0], *sent[4:]]
        rest = sorted(one.place for one in (await bus.erase(sent)).found)
        assert rest == ["archive"] * 3 + ["delayed", "snapshot"]
        archive = Archive.open(config.archive)  # type: ignore[arg-type]  # it is there
        assert await archive.segments() == []
        assert await archive.snapshots() == [SnapshotName(STREAM)]


async def test_a_segment_of_its_new_name_may_be_there(bus: Bus, folder: Path) -> None:
    """Of a server that lost events and gave others their ids: both are kept, under a name of their own."""
    erased, *others = [new_ulid() for _ in range(6)]
    now = [int(one) for one in range(1_000, 1_010)]
    one = [
        entry(now[0], others[0]),
        entry(now[1], erased),
        entry(now[2], others[1]),
        entry(now[9], others[2]),
    ]
    two = [entry(now[0], others[0]), entry(now[2], others[3]), entry(now[9], others[4])]
    await write_segment(folder, STREAM, one)
    await write_segment(folder, STREAM, two)
    assert (await bus.erase(erased)).complete
    (kept,) = await Archive(FolderStore(folder)).segments(STREAM)
    assert kept.name.count == 5
    assert await numbered(folder) == [b"1000-0", b"1002-0", b"1002-0", b"1009-0", b"1009-0"]


async def test_two_that_overlap_are_both_cleaned(bus: Bus, folder: Path) -> None:
    """The same entries twice, as two archivers at once write them."""
    some = [new_ulid() for _ in range(9)]
    kept = [entry(1_000 + n, event_id, n) for n, event_id in enumerate(some)]
    await write_segment(folder, STREAM, kept[:6])
    await write_segment(folder, STREAM, kept[3:])
    receipt = await bus.erase([some[4], some[8]])
    assert [(one.event_id, one.copies) for one in receipt.found] == sorted([(some[4], 2), (some[8], 1)])
    assert set(await numbered(folder)) == {
        entry_id for n, (entry_id, _) in enumerate(kept) if n not in {4, 8}
    }


def several(entries: Sequence[Entry]) -> tuple[SegmentName, bytes]:
    """Return a segment with a block for each entry."""
    writer = SegmentWriter(STREAM)
    for one in entries:
        writer.extend([one])
        writer._end_block()
    return writer.finish()


async def test_what_is_damaged_is_cleaned_where_it_is_read(
    bus: Bus, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A torn segment has the event in a whole block: the whole rest stays, and what nobody can read goes."""
    some = [new_ulid() for _ in range(4)]
    name, data = several([entry(1_000 + n, event_id) for n, event_id in enumerate(some)])
    damaged = bytearray(data[:-10])
    damaged[damaged.rindex(b"\x28\xb5\x2f\xfd") + 12] ^= 0xFF  # the last block
    await FolderStore(folder).put(str(name), bytes(damaged))
    with caplog.at_level(logging.ERROR):
        receipt = await bus.erase(some[1])
    assert receipt.complete
    assert str(name) in caplog.text
    caplog.clear()
    assert await numbered(folder) == [b"1000-0", b"1002-0"]


async def test_what_cannot_be_read_is_told(bus: Bus, folder: Path) -> None:
    """It may hold the event, so the receipt is not complete; and nothing of it is touched."""
    event_id = new_ulid()
    now = EntryId(int((await bus._connection.call("TIME"))[0]) * 1_000)
    strange = SegmentName(STREAM, now, now, 1)
    await FolderStore(folder).put(str(strange), b"no segment")
    await FolderStore(folder).put(f"{TOPIC}/groups.jsonl.zst", b"no snapshot")
    receipt = await bus.erase(event_id)
    assert not receipt.complete
    assert len(receipt.unreadable) == 2
    assert await FolderStore(folder).get(str(strange)) == b"no segment"


async def test_what_a_killed_writer_left_is_taken_away(bus: Bus, folder: Path) -> None:
    """Half a file has the bytes of whatever was being written."""
    (sent,) = [await bus.publish(TOPIC, "said", {"text": SECRETS[1]})]
    await bus.archive_now()
    half = folder / TOPIC / ".x.half"
    half.write_text(SECRETS[1], "utf-8")
    assert (await bus.erase(sent)).complete
    assert holding(SECRETS[1], folder) == []
    assert not half.exists()


async def test_a_store_that_fails_is_no_receipt(
    bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says so, nothing is lost, and the next erasure finishes."""
    sent = await publish(bus, TOPIC, 3)
    await bus.archive_now()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(StoreError, match="No space left"):
            await bus.erase(sent[1])
    assert [one.place for one in (await bus.erase(sent[1])).found] == ["archive"]
    assert await ids(bus.replay(ALWAYS, TOPIC)) == [sent[0], sent[2]]


async def test_an_archiver_that_stood_still_writes_nothing_of_it(
    bus: Bus, raw: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had read the event, and lost its lease before it wrote: the next round writes the others alone."""
    sent = await publish(bus, TOPIC, 3)
    finish = SegmentWriter.finish

    def late(writer: SegmentWriter) -> tuple[SegmentName, bytes]:
        loop.call_soon_threadsafe(read.set)
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
        return finish(writer)

    loop, read, go = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    with monkeypatch.context() as patch:
        patch.setattr(archiver.SegmentWriter, "finish", late)
        round_ = asyncio.create_task(bus.archive_now())
        await read.wait()
        await raw.call("DEL", names.ARCHIVE_LEASE)
        patch.setattr(archiver.SegmentWriter, "finish", finish)
        await bus.erase(sent[1])
        go.set()
        assert (await round_).entries == 0
    assert (await bus.archive_now()).entries == 2
    assert len(await numbered(folder)) == 2


async def test_an_erasure_that_stood_still_writes_nothing(
    bus: Bus, raw: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another has begun since: what that one took away would come back."""
    sent = await publish(bus, TOPIC, 4)
    await bus.archive_now()
    read = Archive.read

    async def slow(archive: Archive, name: SegmentName) -> object:
        segment = await read(archive, name)
        monkeypatch.setattr(Archive, "read", read)
        await raw.call("DEL", names.ARCHIVE_LEASE)
        await bus.erase(sent[2])
        return segment

    monkeypatch.setattr(Archive, "read", slow)
    with pytest.raises(ErasureInterruptedError):
        await bus.erase(sent[1])
    assert (await bus.erase(sent[1])).complete
    await cut(raw, TOPIC, 0)
    assert await ids(bus.replay(ALWAYS, TOPIC)) == [sent[0], sent[3]]
