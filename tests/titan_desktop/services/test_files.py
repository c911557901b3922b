"""Claims about what is said of files: real folders, a real bus, a catalogue that holds what the indexer would."""

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from watchdog.observers import Observer

from titan_bus import Bus, BusConfig, names, new_ulid
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts import files
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.message import Kinds, publish
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import IndexUnavailableError
from titan_desktop.services import waiting
from titan_desktop.services.files import FilesService
from titan_desktop.services.files.outbox import Outbox
from titan_desktop.services.files.settling import PATIENCE_S, QUIET_S, Rested, Settling
from titan_desktop.services.files.watcher import Watcher

LONGEST_OUTAGE = 10
"""Refusals after which the index is back; files.commands.v1 has three retries."""
SAID = Kinds(files.FileSeen, files.FileRenamed, files.FileRemoved, files.PathRefused, files.ScanFinished)


class Index:
    """What the indexer remembers; `learn` deals with what was said as it would."""

    def __init__(self) -> None:
        self.stamps: dict[str, Stamp] = {}
        self.broken: dict[str, Reason] = {}
        self.old: set[str] = set()
        self.down = False
        self.refusals = 0

    async def known(self, folder: Path) -> Mapping[str, Stamp]:
        if self.down:
            self.refusals += 1
            self.down = self.refusals != LONGEST_OUTAGE
            raise IndexUnavailableError("it restarts")
        return {path: stamp for path, stamp in self.stamps.items() if Path(path).is_relative_to(folder)}

    async def failed(self, folder: Path) -> Mapping[str, Reason]:
        return {path: why for path, why in self.broken.items() if Path(path).is_relative_to(folder)}

    async def held(self, paths: Sequence[str]) -> frozenset[str]:
        return frozenset(path for path in paths if any(Path(one).is_relative_to(path) for one in self.stamps))

    async def with_inodes(self, inodes: Sequence[int]) -> Mapping[str, Stamp]:
        return {path: stamp for path, stamp in self.stamps.items() if stamp.inode in inodes}

    async def outdated(self, folder: Path) -> frozenset[str]:
        return frozenset(path for path in self.old if Path(path).is_relative_to(folder))

    def learn(self, heard: Sequence[msgspec.Struct]) -> None:
        for event in heard:
            if isinstance(event, files.FileSeen):
                self.stamps[event.path] = Stamp(event.size, event.mtime_ns, event.inode)
            elif isinstance(event, files.FileRenamed):
                for path in [one for one in self.stamps if Path(one).is_relative_to(event.former_path)]:
                    new = Path(event.path, Path(path).relative_to(event.former_path))
                    self.stamps[str(new)] = self.stamps.pop(path)


class Ear:
    """Hears everything said on the topic, in order, and waits for what a test names."""

    def __init__(self, bus: Bus) -> None:
        self._tail = bus.tail(SAID.topics, start="0")
        self.heard: list[msgspec.Struct] = []

    async def until(self, *wanted: Callable[[msgspec.Struct], bool]) -> list[msgspec.Struct]:
        """Listen until each of `wanted` was heard in this call, or before and not yet forgotten."""
        missing = [want for want in wanted if not any(map(want, self.heard))]
        async with asyncio.timeout(20):
            while missing:
                event = await anext(self._tail)
                if (said := SAID.read(event)) is not None:
                    self.heard.append(said)
                    missing = [want for want in missing if not want(self.heard[-1])]
        return self.heard

    async def finished(self, job_id: str = "") -> files.ScanFinished:
        """Wait for the end of a job, or of any."""
        await self.until(is_finished(job_id))
        return next(event for event in self.heard if is_finished(job_id)(event))

    def forget(self) -> None:
        self.heard.clear()

    def of(self, kind: type[msgspec.Struct]) -> list[str]:
        return sorted(event.path for event in self.heard if isinstance(event, kind))

    async def close(self) -> None:
        await self._tail.close()


def is_finished(job_id: str = "") -> Callable[[msgspec.Struct], bool]:
    return lambda event: isinstance(event, files.ScanFinished) and job_id in {"", event.job_id}


def is_seen(path: Path, size: int | None = None) -> Callable[[msgspec.Struct], bool]:
    return lambda event: (
        isinstance(event, files.FileSeen) and event.path == str(path) and size in {None, event.size}
    )


def is_removed(path: Path, *, folder: bool = False) -> Callable[[msgspec.Struct], bool]:
    return lambda event: (
        isinstance(event, files.FileRemoved) and (event.path, event.folder) == (str(path), folder)
    )


def is_renamed(old: Path, new: Path) -> Callable[[msgspec.Struct], bool]:
    return lambda event: (
        isinstance(event, files.FileRenamed) and (event.former_path, event.path) == (str(old), str(new))
    )


def make_root_with(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("x", "utf-8")


async def becomes(condition: Callable[[], bool]) -> None:
    """Wait for a state of the service that nobody announces."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


@pytest.fixture
def desktop(tmp_path: Path) -> Path:
    """A root with two files, a hidden one and a link to the outside."""
    root = tmp_path / "Desktop"
    (root / "work").mkdir(parents=True)
    (root / "Договор.txt").write_text("залог", "utf-8")
    (root / "work" / "notes.md").write_text("notes", "utf-8")
    (root / ".hidden").write_text("x", "utf-8")
    (root / "outside").symlink_to("/etc")
    return root


@pytest.fixture
async def bus(clean_redis_url: str) -> AsyncIterator[Bus]:
    async with Bus(BusConfig(url=clean_redis_url, source="test@v0", streams=STREAMS)) as bus:
        yield bus


@pytest.fixture
async def ear(bus: Bus) -> AsyncIterator[Ear]:
    ear = Ear(bus)
    yield ear
    await ear.close()


@pytest.fixture
def index() -> Index:
    return Index()


@asynccontextmanager
async def started(
    bus: Bus, ear: Ear, index: Index, *roots: Path, **more: object
) -> AsyncIterator[FilesService]:
    """A service after its first scan, which the index has taken in."""
    files_service = FilesService(bus, LocalFilesRoot(roots), index, **more)  # type: ignore[arg-type]
    async with serving(bus, Chain(), files_service) as service:
        if any(root.is_dir() for root in roots):
            await ear.finished()
            index.learn(ear.heard)
        ear.forget()
        yield service


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


async def test_the_watcher_says_new_changed_and_gone_files(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """A file that is written, changed, renamed and deleted is followed."""
    async with started(bus, ear, index, desktop) as service:
        assert [(root.exists, root.watched) for root in service.roots_status()] == [(True, True)]
        new, other = desktop / "work" / "новый.txt", desktop / "renamed.txt"
        new.write_text("one", "utf-8")
        await ear.until(is_seen(new, 3))
        new.write_text("three", "utf-8")
        index.learn(await ear.until(is_seen(new, 5)))
        new.rename(other)
        index.learn(await ear.until(is_renamed(new, other)))
        other.unlink()
        await ear.until(is_removed(other))


@pytest.mark.logs("^refused ")
async def test_the_watcher_leaves_out_what_the_walk_leaves_out(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """Hidden and half-downloaded files and links are said neither as they come nor as they go; a download is."""
    async with started(bus, ear, index, desktop):
        (desktop / ".secret").write_text("x", "utf-8")
        (desktop / "link.txt").symlink_to("/etc/passwd")
        (desktop / "node_modules").mkdir()
        (desktop / "node_modules" / "readme.md").write_text("x", "utf-8")
        part = desktop / "film.pdf.part"
        part.write_text("film", "utf-8")
        part.rename(desktop / "film.pdf")
        await ear.until(is_seen(desktop / "film.pdf"))
        for name in (".secret", "link.txt", "outside"):
            (desktop / name).unlink()
        shutil.rmtree(desktop / "node_modules")
        (desktop / "work" / "notes.md").unlink()
        await ear.until(is_removed(desktop / "work" / "notes.md"))
    assert ear.of(files.FileSeen) == [str(desktop / "film.pdf")]
    assert ear.of(files.FileRemoved) == [str(desktop / "work" / "notes.md")]


async def test_whole_folders_come_and_go(
    bus: Bus, ear: Ear, index: Index, desktop: Path, tmp_path: Path
) -> None:
    """A folder moved in is scanned, moved within is renamed, deleted is removed as a folder."""
    (tmp_path / "trip" / "deep").mkdir(parents=True)
    (tmp_path / "trip" / "deep" / "ticket.txt").write_text("x", "utf-8")
    async with started(bus, ear, index, desktop):
        (tmp_path / "trip").rename(desktop / "trip")
        index.learn(await ear.until(is_seen(desktop / "trip" / "deep" / "ticket.txt")))
        (desktop / "trip").rename(desktop / "work" / "journey")
        index.learn(await ear.until(is_renamed(desktop / "trip", desktop / "work" / "journey")))
        shutil.rmtree(desktop / "work" / "journey")
        await ear.until(is_removed(desktop / "work" / "journey", folder=True))


async def test_a_root_that_appears_later_is_picked_up(
    bus: Bus, ear: Ear, index: Index, tmp_path: Path
) -> None:
    """A Downloads folder made later is scanned and watched, and again when it was deleted and came back."""
    root = tmp_path / "Downloads"
    async with started(bus, ear, index, root, roots_interval_s=0.1) as service:
        assert [(one.exists, one.watched) for one in service.roots_status()] == [(False, False)]
        for name in ("first.txt", "second.txt"):
            make_root_with(root / name)
            await ear.until(is_seen(root / name))
            await becomes(lambda: service.roots_status()[0].watched)
            shutil.rmtree(root)
            await becomes(lambda: not service.roots_status()[0].watched)


async def test_a_root_swapped_for_another_folder_is_watched(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """A root moved away or deleted, with a new one in its place before anybody looks, is watched again."""
    async with started(bus, ear, index, desktop, roots_interval_s=0.3):
        await asyncio.to_thread(desktop.rename, desktop.with_name("moved"))
        make_root_with(desktop / "one.txt")
        await ear.until(is_seen(desktop / "one.txt"))
        shutil.rmtree(desktop)
        make_root_with(desktop / "two.txt")
        await ear.until(is_seen(desktop / "two.txt"))


async def test_a_root_behind_a_link_is_watched(
    bus: Bus, ear: Ear, index: Index, desktop: Path, tmp_path: Path
) -> None:
    """A Desktop that is a link to another disk is followed under its own name."""
    spelled = tmp_path / "link"
    spelled.symlink_to(desktop)
    async with started(bus, ear, index, spelled):
        (desktop / "new.txt").write_text("x", "utf-8")
        await ear.until(is_seen(spelled / "new.txt"))


async def test_where_the_system_cannot_watch_titan_polls(
    bus: Bus, ear: Ear, index: Index, desktop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With inotify used up, changes are found by looking, and the status says so; links are not followed."""

    class Exhausted(Observer):  # type: ignore[misc, valid-type]
        def schedule(self, *args: object, **more: object) -> None:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")

    beyond = desktop.with_name("beyond")
    make_root_with(beyond / "secret.txt")
    (desktop / "link").symlink_to(beyond)
    async with started(
        bus, ear, index, desktop,
        make_watcher=lambda touch, moved: Watcher(touch, moved, Exhausted), poll_interval_s=0.05,
    ) as service:  # fmt: skip
        assert [(root.exists, root.watched) for root in service.roots_status()] == [(True, False)]
        await ear.finished()  # the second scan: from here on, every change is seen
        (beyond / "secret.txt").write_text("changed", "utf-8")
        (beyond / "another.txt").write_text("new", "utf-8")
        (desktop / "link").unlink()
        (desktop / "new.txt").write_text("x", "utf-8")
        (desktop / "work" / "notes.md").unlink()
        await ear.until(is_seen(desktop / "new.txt"), is_removed(desktop / "work" / "notes.md"))
    assert ear.of(files.FileSeen) == [str(desktop / "new.txt")]
    assert ear.of(files.FileRemoved) == [str(desktop / "work" / "notes.md")]
    assert "cannot watch" in caplog.text
    assert "secret" not in caplog.text


async def test_a_watch_that_is_only_starting_is_ended_too(desktop: Path) -> None:
    """Stopped in the middle of its start, the watcher waits for the thread that starts it, and leaves none."""
    begun, may_go_on, made = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    class Slow(Observer):  # type: ignore[misc, valid-type]
        def start(self) -> None:
            made.append(self)
            loop.call_soon_threadsafe(begun.set)
            may_go_on.wait(20)
            super().start()

    watcher = Watcher(lambda _path, _is_folder: None, lambda _old, _new: None, Slow)
    following = asyncio.create_task(watcher.follow(LocalFilesRoot([desktop]).standing()))
    await begun.wait()
    following.cancel()
    await asyncio.wait([following])
    stopping = asyncio.create_task(watcher.stop())
    await asyncio.sleep(0)
    may_go_on.set()
    await stopping
    assert following.cancelled()
    assert not made[0].is_alive()
    assert not watcher.watches(desktop)


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
