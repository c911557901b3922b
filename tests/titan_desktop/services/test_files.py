"""Claims about what is said of files: real folders, a real bus, a catalogue that holds what the indexer would."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.files_service import (
    LONGEST_OUTAGE,
    Ear,
    Index,
    becomes,
    is_removed,
    is_seen,
    make_root_with,
    started,
)
from titan_bus import Bus, BusConfig, names, new_ulid
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts import files
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.message import publish
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import IndexUnavailableError
from titan_desktop.services import waiting
from titan_desktop.services.files import FilesService
from titan_desktop.services.files.outbox import Outbox
from titan_desktop.services.files.settling import PATIENCE_S, QUIET_S, Rested, Settling


@pytest.mark.by_url
async def test_the_first_scan_says_every_file_once(bus: Bus, ear: Ear, index: Index, desktop: Path) -> None:
    """At the start all files beneath the roots are said; hidden ones and what links lead to are not."""
    async with serving(bus, Chain(), FilesService(bus, LocalFilesRoot([desktop]), index)):
        finished = await ear.finished()
    assert ear.of(files.FileSeen) == sorted(
        [str(desktop / "work" / "notes.md"), str(desktop / "Договор.txt")]
    )
    assert (finished.seen, finished.unchanged, finished.refused) == (2, 0, 0)


async def test_what_the_service_says_does_not_come_back_to_it(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """After 10,000 files were said, its group has been given the one command, and none of them."""
    async with started(bus, ear, index, desktop):
        outbox = Outbox(bus)
        for number in range(10_000):
            await outbox.say(files.FileSeen(path=f"{desktop}/{number}.txt", size=1, mtime_ns=1))
        await outbox.flush()
        command = files.IndexPaths(job_id=new_ulid(), paths=(str(desktop / "work"),))
        await publish(bus, command)
        await ear.finished(command.job_id)
        given = 0
        for topic in await bus.inspection.topic_names():
            for flat in await bus._connection.call("XINFO", "GROUPS", names.stream_of(topic)):
                group = dict(zip(flat[::2], flat[1::2], strict=True))
                given += group[b"entries-read"] if group[b"name"] == b"files" else 0
    assert given == 1


async def test_a_second_scan_says_nothing_of_what_is_known(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """Unchanged files are counted, those that failed among them, not said, unless they are forced."""
    index.broken[str(desktop / "Договор.txt")] = Reason.BROKEN
    async with started(bus, ear, index, desktop):
        command = files.IndexPaths(job_id=new_ulid())
        await publish(bus, command)
        finished = await ear.finished(command.job_id)
        assert (finished.seen, finished.unchanged, finished.failed) == (0, 2, 1)
        forced = files.IndexPaths(job_id=new_ulid(), force=True)
        await publish(bus, forced)
        assert (await ear.finished(forced.job_id)).seen == 2
        assert all(event.force for event in ear.heard if isinstance(event, files.FileSeen))


async def test_what_an_older_version_has_read_is_read_again(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """Once, at the next scan: there is more to be had from it than there was."""
    async with started(bus, ear, index, desktop):
        index.old.add(str(desktop / "Договор.txt"))
        command = files.IndexPaths(job_id=new_ulid())
        await publish(bus, command)
        finished = await ear.finished(command.job_id)
    assert (finished.seen, finished.unchanged) == (1, 1)
    assert [event.path for event in ear.heard if isinstance(event, files.FileSeen) and event.force] == [
        str(desktop / "Договор.txt")
    ]


@pytest.mark.logs("^refused ")
async def test_paths_outside_and_paths_that_are_not_there_are_refused(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """Each refused path is said with its reason; the good one among them is said too."""
    os.mkfifo(desktop / "fifo")
    asked = {
        "/etc/passwd": "outside",
        f"{desktop}/../x.txt": "outside",
        f"{desktop}/outside/passwd": "outside",
        f"{desktop}/none.txt": "vanished",
        f"{desktop}/fifo": "not_regular",
        f"{desktop}/.hidden": "unsupported",
    }
    async with started(bus, ear, index, desktop):
        command = files.IndexPaths(
            job_id=new_ulid(), paths=(*asked, str(desktop / "work" / "notes.md")), force=True
        )
        await publish(bus, command)
        finished = await ear.finished(command.job_id)
    refused = {event.path: event.reason for event in ear.heard if isinstance(event, files.PathRefused)}
    assert refused == asked
    assert (finished.seen, finished.refused) == (1, len(asked))


async def test_a_scan_finds_what_went_while_nobody_watched(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """Files that the index knows and the disk does not are removed; those of a root that is not there are kept."""
    absent = desktop.with_name("Downloads")
    index.stamps = {str(desktop / "old.pdf"): Stamp(1, 1), str(absent / "kept.pdf"): Stamp(1, 1)}
    async with serving(bus, Chain(), FilesService(bus, LocalFilesRoot([desktop, absent]), index)):
        await ear.finished()
        command = files.IndexPaths(job_id=new_ulid(), paths=(str(absent),))
        await publish(bus, command)
        assert (await ear.finished(command.job_id)).refused == 1
    assert set(ear.of(files.FileRemoved)) == {str(desktop / "old.pdf")}


async def test_a_file_that_could_not_be_opened_is_tried_at_every_scan(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """Permission that is given, and a program that lets go of a file, leave size and time as they were."""
    locked = desktop / "Договор.txt"
    index.broken[str(locked)] = Reason.UNREADABLE
    async with started(bus, ear, index, desktop):
        command = files.IndexPaths(job_id=new_ulid())
        await publish(bus, command)
        finished = await ear.finished(command.job_id)
        assert (finished.seen, finished.unchanged, finished.failed) == (1, 1, 0)
        assert [event.force for event in ear.heard if isinstance(event, files.FileSeen)] == [True]


async def test_a_file_that_was_too_large_is_tried_once_by_each_core(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """The limit may have been raised since; but a scan reads nothing twice."""
    large = str(desktop / "Договор.txt")
    index.broken[large] = Reason.TOO_LARGE
    for _ in ("one core", "the next"):
        async with serving(bus, Chain(), FilesService(bus, LocalFilesRoot([desktop]), index)):
            await ear.finished()
            index.learn(ear.heard)
            await publish(bus, files.IndexPaths(job_id=(job := new_ulid())))
            await ear.finished(job)
            assert ear.of(files.FileSeen).count(large) == 1
        ear.forget()


@pytest.mark.logs(" waits: ")
async def test_a_command_that_was_not_finished_is_done_by_the_next_core(
    bus: Bus, ear: Ear, index: Index, desktop: Path, clean_redis_url: str
) -> None:
    """A scan that fails half-way is not acknowledged; it comes again and ends."""
    async with started(bus, ear, index, desktop):
        index.down = True
        command = files.IndexPaths(job_id=new_ulid(), force=True)
        await publish(bus, command)
    index.down = False
    async with serving(bus, Chain(), FilesService(bus, LocalFilesRoot([desktop]), index)):
        assert (await ear.finished(command.job_id)).seen == 2


@pytest.mark.logs(" waits: ")
async def test_a_job_outlives_an_outage_of_the_index(
    bus: Bus, ear: Ear, index: Index, desktop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the index refuses, the command waits and its end is said."""
    monkeypatch.setattr(waiting, "FIRST_PAUSE_S", 0.0)
    async with started(bus, ear, index, desktop):
        index.down = True
        command = files.IndexPaths(job_id=new_ulid(), force=True)
        await publish(bus, command)
        assert (await ear.finished(command.job_id)).seen == 2


async def test_a_lasting_trouble_is_logged_once(
    bus: Bus, ear: Ear, index: Index, desktop: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """While the index is away the scan is tried again and again; the log says so once."""
    monkeypatch.setattr("titan_desktop.services.files.service._PAUSE_AFTER_FAILURE_S", 0.0)
    refusals = []

    async def known(_folder: Path) -> Mapping[str, Stamp]:
        if len(refusals) < LONGEST_OUTAGE:
            refusals.append(1)
            raise IndexUnavailableError("away")
        return {}

    monkeypatch.setattr(index, "known", known)
    async with started(bus, ear, index, desktop):
        assert len(refusals) == LONGEST_OUTAGE
    said = [(record.levelname, bool(record.exc_info)) for record in caplog.records]
    assert [one for one in said if one[0] != "INFO"] == [("WARNING", False)]


@pytest.mark.logs("^files: scan waits: ")
async def test_a_core_need_not_wait_for_an_index_that_stays_away(
    bus: Bus, index: Index, desktop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan that cannot get on keeps no core alive: the next start begins it again."""

    async def known(_folder: Path) -> Mapping[str, Stamp]:
        raise IndexUnavailableError("away")

    monkeypatch.setattr(index, "known", known)
    async with serving(bus, Chain(), FilesService(bus, LocalFilesRoot([desktop]), index)) as service:
        assert service.busy()
        await becomes(lambda: not service.busy())


async def test_the_trouble_of_one_folder_is_its_own(
    bus: Bus, ear: Ear, index: Index, desktop: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """A folder whose scan fails by a fault of ours is logged with its trace and refused; the rest is scanned."""
    known = index.known

    async def breaking(folder: Path) -> Mapping[str, Stamp]:
        if folder == desktop:
            raise KeyError(1)
        return await known(folder)

    monkeypatch.setattr(index, "known", breaking)
    other = desktop.with_name("Downloads")
    make_root_with(other / "a.txt")
    async with serving(bus, Chain(), FilesService(bus, LocalFilesRoot([desktop, other]), index)) as service:
        finished = await ear.finished()
        assert (finished.seen, finished.refused) == (1, 1)
        assert ear.of(files.PathRefused) == [str(desktop)]
        await becomes(lambda: not service.busy())
    said = [(record.levelname, bool(record.exc_info)) for record in caplog.records]
    assert [one for one in said if one[0] != "INFO"] == [("ERROR", True)]


@pytest.mark.logs("its path is too long")
async def test_a_folder_deeper_than_a_path_may_be_stops_nothing(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """Folders beyond PATH_MAX that come while the watcher looks cost themselves alone."""
    deep = desktop.with_name("deep")
    deep.mkdir()
    here = os.open(deep, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        there = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)
    async with started(bus, ear, index, desktop) as service:
        deep.rename(desktop / "deep")
        service._want(desktop.joinpath("deep", *["d" * 250] * 20))
        (desktop / "new.txt").write_text("x", "utf-8")
        await ear.until(is_seen(desktop / "new.txt"))
        await ear.finished()
        await becomes(lambda: not service.busy())


async def test_what_the_bus_does_not_take_is_said_later(desktop: Path, index: Index) -> None:
    """Changes made while the server is away are said when it is back."""
    from tests import servers

    with servers.short_folder() as folder:
        with servers.valkey(folder) as url:
            bus = Bus(BusConfig(url=url, source="test@v0", streams=STREAMS))
            await bus.open()
            ear = Ear(bus)
            service = FilesService(bus, LocalFilesRoot([desktop]), index)
            await service.__aenter__()
            await ear.finished()
            index.learn(ear.heard)
        (desktop / "late.txt").write_text("late", "utf-8")
        (desktop / "Договор.txt").unlink()
        await becomes(service.busy)
        with servers.valkey(folder):
            await ear.until(is_seen(desktop / "late.txt"), is_removed(desktop / "Договор.txt"))
            await service.__aexit__(None, None, None)
            await ear.close()
            await bus.close()


def test_a_file_rests_when_it_is_quiet_and_its_size_stands() -> None:
    """Neither a pause in the news alone nor a size that stands alone is rest; patience ends in any case."""
    now = 0.0
    settling = Settling(lambda: now)
    path = Path("/a")
    settling.touch(path, is_folder=False)
    assert settling.candidates() == []
    size = 0
    while now < PATIENCE_S - 2 * QUIET_S:
        now += QUIET_S
        size += 1
        assert settling.settled({path: Stamp(size, 0)}) == {}  # it grows without news
    now += QUIET_S
    assert settling.settled({path: Stamp(size, 0)}) == {path: Rested(is_folder=False)}
    settling.touch(path, is_folder=True)
    since = now
    while now - since < PATIENCE_S - QUIET_S:
        now += QUIET_S
        settling.touch(path, is_folder=True)
        assert settling.settled({path: None}) == {}
    now += QUIET_S
    assert settling.settled({path: None}) == {path: Rested(is_folder=True)}
    assert len(settling) == 0
