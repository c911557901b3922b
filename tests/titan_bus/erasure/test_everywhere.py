"""An erased event is nowhere any more: not in what anybody reads, and not in any file."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.bytes_in_files import holding
from tests.titan_bus.archives import ALWAYS, cut, ids, publish, write_segment
from tests.titan_bus.conftest import Recorder, Server, pending_is, until
from titan_bus import Bus, BusConfig, Event, FatalError, names, new_ulid
from titan_bus.archive.archive import Archive
from titan_bus.archive.folder import FolderStore
from titan_bus.connections.connection import Connection
from titan_bus.erasure.receipt import ErasureReceipt
from titan_bus.errors import ArchiveElsewhereError, ArchiveUnnamedError, BusClosedError

from .conftest import SECRETS, STREAM, TOPIC

ALL = {"stream", "retries", "delayed", "dead_letters", "archive", "snapshot"}


def places(receipt: ErasureReceipt) -> set[tuple[str, str]]:
    return {(one.topic, one.place) for one in receipt.found}


@pytest.mark.logs("goes to the dead letters")
async def test_the_bytes_are_in_no_file(bus: Bus, raw: Connection, server: Server, folder: Path) -> None:
    """Of three events one is erased that lies in each place there is; the others are where they were."""
    before, erased, after = [await bus.publish(TOPIC, "said", {"text": text}) for text in SECRETS]
    await bus.subscribe(TOPIC, "fails", Recorder(_fatal))

    async def dead_lettered() -> bool:
        return await bus.dead_letters.count() == 3

    await until(dead_lettered, "three dead letters")
    bodies = [entry[1][1] for entry in await raw.call("XRANGE", STREAM, "-", "+")]
    await raw.call("XGROUP", "CREATE", STREAM, "slow", "0")
    await raw.call("XREADGROUP", "GROUP", "slow", "c", "STREAMS", STREAM, ">")
    for due, body in enumerate(bodies):
        await raw.call("ZADD", names.delayed_of("slow", TOPIC), 4_000_000_000_000 + due, body)
        await raw.call("XADD", names.retries_of("gone", TOPIC), "*", "e", body)
    await bus.archive_now()
    files = server.socket.parent, folder
    assert len(holding(SECRETS[1], *files)) == 4  # append-only file, two segments, snapshot

    receipt = await bus.erase([erased])
    assert receipt.complete
    assert receipt.missing == ()
    assert {one.place for one in receipt.found} == ALL
    assert (names.DEAD_LETTERS, "archive") in places(receipt)
    assert {one.event_id for one in receipt.found} == {erased}
    assert [len(holding(text, *files)) for text in SECRETS] == [4, 0, 4]

    assert await ids(bus.replay(ALWAYS, TOPIC)) == [before, after]
    assert {one.event.event_id for one in await bus.dead_letters.list() if one.event} == {before, after}
    assert await raw.call("ZCARD", names.delayed_of("slow", TOPIC)) == 2
    assert await raw.call("XLEN", names.retries_of("gone", TOPIC)) == 2
    await pending_is(raw, STREAM, "slow", 2)
    server.kill()
    server.start()
    assert await ids(bus.replay(ALWAYS, TOPIC)) == [before, after]


def _fatal(_: Event) -> None:
    raise FatalError("never")


async def test_erasing_again_finds_nothing_and_changes_nothing(bus: Bus, raw: Connection) -> None:
    """The second receipt says that the ids are missing, and the rest is as it was."""
    sent = await publish(bus, TOPIC, 6)
    await raw.call("XGROUP", "CREATE", STREAM, "g", "0")
    await bus.archive_now()
    first = await bus.erase(sent[1:3], topics=[TOPIC])
    assert [(one.event_id, one.place, one.copies) for one in first.found] == [
        (event_id, place, 1) for event_id in sent[1:3] for place in ("archive", "stream")
    ]
    again = await bus.erase(sent[1:3])
    assert (again.found, again.missing, again.complete) == ((), tuple(sent[1:3]), True)
    assert await ids(bus.replay(ALWAYS, TOPIC)) == [sent[0], *sent[3:]]
    assert (await bus.inspection.groups(TOPIC))[0].lag == 4


async def test_what_is_in_the_archive_alone_is_erased_there(
    bus: Bus, raw: Connection, server: Server, folder: Path
) -> None:
    """Trimmed from the stream, where its bytes outlive it beside those of the next, and archived since long."""
    sent = [await bus.publish(TOPIC, "said", {"text": text}) for text in SECRETS]
    await bus.archive_now()
    await cut(raw, TOPIC, 1)
    receipt = await bus.erase(sent[1], topics=(TOPIC,))
    assert places(receipt) == {(TOPIC, "archive")}
    assert holding(SECRETS[1], server.socket.parent, folder) == []
    assert await ids(bus.replay(ALWAYS, TOPIC)) == [sent[0], sent[2]]


async def test_every_copy_is_erased_wherever_it_lies(bus: Bus, raw: Connection, folder: Path) -> None:
    """Sent twice under its id, and given back from the dead letters to its topic a day later."""
    stray, other = await publish(bus, TOPIC, 2)
    (_, fields), (_, kept) = await raw.call("XRANGE", STREAM, "-", "+")
    await raw.call("XADD", STREAM, "*", *fields)
    day_ms = 86_400_000
    last = (await raw.call("XREVRANGE", STREAM, "+", "-", "COUNT", 1))[0][0]
    later = int(last.partition(b"-")[0]) + day_ms
    await write_segment(folder, STREAM, [(b"%d-0" % later, fields), (b"%d-0" % (later + 1), kept)])
    letter = [b"d", b"{}", b"raw:e", fields[1]]
    await write_segment(folder, names.DEAD_LETTERS, [(b"%d-0" % (later - 1), letter)])
    receipt = await bus.erase(stray)
    assert {(one.place, one.topic, one.copies) for one in receipt.found} == {
        ("stream", TOPIC, 2), ("archive", TOPIC, 1), ("archive", names.DEAD_LETTERS, 1),
    }  # fmt: skip
    archive = Archive(FolderStore(folder))
    assert await archive.segments(names.DEAD_LETTERS) == []
    assert [one.name.count for one in await archive.segments(STREAM)] == [1]
    assert set(await ids(bus.replay(ALWAYS, TOPIC))) == {other}


@pytest.mark.parametrize("kept", [2, 0])
async def test_an_id_whose_clock_was_wrong_is_found(bus: Bus, raw: Connection, kept: int) -> None:
    """A year ahead, and one that is no ULID: they are searched for in everything."""
    (model,) = await publish(bus, TOPIC, 1)
    [(_, fields)] = await raw.call("XRANGE", STREAM, "-", "+")
    odd = [f"7ZZZZZZZZZ{new_ulid()[10:]}", "urn:uuid:6e8bc430"]
    for event_id in odd:
        await raw.call("XADD", STREAM, "*", "e", fields[1].replace(model.encode(), event_id.encode()))
    await bus.archive_now()
    await cut(raw, TOPIC, kept)
    receipt = await bus.erase(odd)
    assert receipt.missing == ()
    assert await ids(bus.replay(ALWAYS, TOPIC)) == [model]


async def test_only_the_topics_named_are_searched(bus: Bus, raw: Connection) -> None:
    """In others the event stays, and the receipt says that it is missing."""
    (sent,) = await publish(bus, TOPIC, 1)
    receipt = await bus.erase(sent, topics="other.v1")
    assert receipt.missing == (sent,)
    assert await ids(bus.replay(ALWAYS, TOPIC)) == [sent]


async def test_what_is_no_event_is_left_alone(bus: Bus, raw: Connection) -> None:
    """Entries of others, long ones among them, and keys of another type under a name like ours."""
    sent = await publish(bus, TOPIC, 2)
    await raw.call("XADD", STREAM, "*", "any", "thing", "e", "{no event")
    await raw.call("XADD", STREAM, "*", *itertools.chain.from_iterable((f"n{n}", "v") for n in range(3_000)))
    before = await raw.call("XRANGE", STREAM, "-", "+")
    for key in (names.stream_of("strange"), names.retries_of("g", "strange"), names.delayed_of("g", "odd")):
        await raw.call("SET", key, "x")
    assert (await bus.erase(sent[0])).complete
    assert await raw.call("XRANGE", STREAM, "-", "+") == before[1:]


async def test_an_archive_that_is_not_named_is_no_receipt(
    bus: Bus, config: BusConfig, tmp_path: Path
) -> None:
    """A bus that would leave the archive out, or has another one, erases nothing and says so."""
    sent = await publish(bus, TOPIC, 1)
    async with Bus(msgspec.structs.replace(config, archive=None)) as blind:
        with pytest.raises(ArchiveUnnamedError, match=str(tmp_path)):
            await blind.erase(sent)
    assert config.archive is not None
    other = msgspec.structs.replace(config.archive, target=str(tmp_path / "other"))
    async with Bus(msgspec.structs.replace(config, archive=other)) as lost:
        with pytest.raises(ArchiveElsewhereError):
            await lost.erase(sent)
    with pytest.raises(BusClosedError):
        await lost.erase(sent)
    assert await ids(bus.replay(ALWAYS, TOPIC)) == sent


async def test_without_an_archive_the_server_is_all(server: Server) -> None:
    """The receipt names none."""
    async with Bus(BusConfig(url=server.url)) as bus:
        sent = await publish(bus, TOPIC, 3)
        receipt = await bus.erase(sent[1])
        assert (receipt.archive, receipt.complete) == (None, True)
        assert await ids(bus.replay(ALWAYS, TOPIC)) == [sent[0], sent[2]]


async def test_two_erasures_at_once_take_turns(bus: Bus, folder: Path) -> None:
    """Neither brings back in the archive what the other has erased."""
    sent = await publish(bus, TOPIC, 20)
    await bus.archive_now()
    await asyncio.gather(*(bus.erase(event_id) for event_id in sent[::4]))
    left = [event_id for n, event_id in enumerate(sent) if n % 4]
    await cut(bus._connection, TOPIC, 0)
    assert await ids(bus.replay(ALWAYS, TOPIC)) == left


async def _slowly(events: AsyncIterator[Event], bus: Bus, erased: str) -> list[str]:
    seen = [(await anext(events)).event_id]
    await bus.erase(erased)
    return seen + await ids(events)


async def test_a_replay_meanwhile_misses_nothing(
    bus: Bus, raw: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """A segment that was listed, and another in its place when it is opened: that is no damage."""
    sent = []
    for _ in range(4):
        sent += await publish(bus, TOPIC, 10)
        await bus.archive_now()
    await cut(raw, TOPIC, 0)
    seen = await _slowly(bus.replay(ALWAYS, TOPIC), bus, sent[35])
    assert seen == [event_id for event_id in sent if event_id != sent[35]]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
