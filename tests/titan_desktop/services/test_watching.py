"""Claims about what is noticed while Titan runs: by the system's notifications, or by looking."""

import asyncio
import errno
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from watchdog.observers import Observer

from tests.files_service import (
    Ear,
    Index,
    becomes,
    is_removed,
    is_renamed,
    is_seen,
    make_root_with,
    started,
)
from titan_bus import Bus
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts import files
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.services.files import FilesService
from titan_desktop.services.files.watcher import Moved, Touch, Watcher


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


async def test_what_an_ignore_file_says_holds_at_once(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """What `.titanignore` newly leaves out is forgotten, and read again when the file has gone."""
    async with started(bus, ear, index, desktop):
        notes = desktop / "work" / "notes.md"
        (desktop / ".titanignore").write_text("*.md\n", "utf-8")
        await ear.until(is_removed(notes))
        del index.stamps[str(notes)]
        ear.forget()
        (desktop / ".titanignore").unlink()
        await ear.until(is_seen(notes))


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


@pytest.mark.logs("^refused the root ")
async def test_a_root_that_is_refused_is_read_once_it_is_allowed(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """A Desktop that leads to a hidden folder is neither scanned nor watched, until the person allows that."""
    hidden = desktop.with_name(".hidden")
    await asyncio.to_thread(desktop.rename, hidden)
    await asyncio.to_thread(desktop.symlink_to, hidden)
    files_root = LocalFilesRoot([desktop])
    async with serving(bus, Chain(), FilesService(bus, files_root, index)) as service:
        await becomes(lambda: not service.busy())
        assert [(root.exists, root.watched) for root in service.roots_status()] == [(False, False)]
        files_root.consent([hidden])
        service.look_at_roots()
        await ear.until(is_seen(desktop / "work" / "notes.md"))
        await becomes(lambda: service.roots_status()[0].watched)
        (hidden / "new.txt").write_text("x", "utf-8")
        await ear.until(is_seen(desktop / "new.txt"))


@pytest.mark.logs("^refused the root ")
async def test_what_was_read_of_a_root_that_is_refused_is_forgotten(
    bus: Bus, ear: Ear, index: Index, desktop: Path
) -> None:
    """Read by a former version, or allowed and no longer: the index is told, and finds that nothing is left."""
    hidden = desktop.with_name(".hidden")
    await asyncio.to_thread(desktop.rename, hidden)
    await asyncio.to_thread(desktop.symlink_to, hidden)
    files_root = LocalFilesRoot([desktop], consented=[hidden])
    async with serving(bus, Chain(), FilesService(bus, files_root, index)) as service:
        await ear.finished()
        index.learn(ear.heard)
        files_root.consent([])
        service.look_at_roots()
        await ear.until(is_removed(desktop, folder=True))
        assert all(files_root.has_left(Path(path)) for path in index.stamps)


async def test_a_root_behind_a_link_is_watched(
    bus: Bus, ear: Ear, index: Index, desktop: Path, tmp_path: Path
) -> None:
    """A Desktop that is a link to another disk is followed under its own name."""
    spelled = tmp_path / "link"
    spelled.symlink_to(desktop)
    async with started(bus, ear, index, spelled):
        (desktop / "new.txt").write_text("x", "utf-8")
        await ear.until(is_seen(spelled / "new.txt"))


class Exhausted(Observer):  # type: ignore[misc, valid-type]
    """As watchdog is when the first folder cannot be watched."""

    def schedule(self, *args: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")


@pytest.mark.parametrize(
    "refused",
    [
        lambda touch, moved: Watcher(touch, moved, Exhausted),
        lambda touch, moved: Watcher(touch, moved, used_up=lambda: True),
    ],
    ids=["at the root", "further down"],
)
async def test_where_the_system_cannot_watch_titan_polls(
    bus: Bus, ear: Ear, index: Index, desktop: Path, caplog: pytest.LogCaptureFixture,
    refused: Callable[[Touch, Moved], Watcher],
) -> None:  # fmt: skip
    """With inotify used up, changes are found by looking, and the status says so; links are not followed."""
    beyond = desktop.with_name("beyond")
    make_root_with(beyond / "secret.txt")
    (desktop / "link").symlink_to(beyond)
    async with started(
        bus, ear, index, desktop, make_watcher=refused, poll_interval_s=0.05
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
