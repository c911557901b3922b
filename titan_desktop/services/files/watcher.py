"""Reports changes beneath the roots by the system's notifications, where these are to be had; else see `polling`.

watchdog's threads pass every path to the loop; the files root checks it later. Links are not followed. Only
folders' renames are reported as such: a renamed file is recognised by its inode.
"""

import asyncio
import contextlib
import errno
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from titan_desktop.ports.files_root import PinnedRoot
from titan_desktop.services.files import inotify
from titan_desktop.system.file_names import spelled

_log = logging.getLogger(__name__)

_HEARD: list[type[events.FileSystemEvent]] = [
    *(events.FileCreatedEvent, events.FileModifiedEvent, events.FileMovedEvent, events.FileDeletedEvent),
    *(events.FileClosedEvent, events.DirCreatedEvent, events.DirMovedEvent, events.DirDeletedEvent),
]
"""Without opening and reading, which the workers do all the time."""
_EXHAUSTED = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENOMEM})
"""The errors of inotify when the user's watches or instances are used up (inotify_add_watch(2),
inotify_init(2))."""
_STOP_TIMEOUT_S = 5.0

Touch = Callable[[Path, bool], None]
Moved = Callable[[Path, Path], None]
Observe = Callable[[], BaseObserver]


class Watcher:
    """Watches roots as they appear and disappear.

    Args:
        touch: called on the loop with a changed path and whether it is a folder.
        moved: called on the loop with a folder's old and new path, both beneath one root.
        observe: the system's notifications.
        used_up: says whether the system has no watch left; blocking.
    """

    def __init__(
        self,
        touch: Touch,
        moved: Moved,
        observe: Observe = Observer,
        used_up: Callable[[], bool] = inotify.is_used_up,
    ) -> None:
        self._touch = touch
        self._moved = moved
        self._observe = observe
        self._used_up = used_up
        self._observer: BaseObserver | None = None
        self._starting: asyncio.Future[None] | None = None
        self._lost = False
        self._watches: dict[Path, PinnedRoot] = {}
        self._refused: set[Path] = set()
        self.exhausted = False
        """Whether the system refused to watch so many folders: then nothing is reported."""

    def watches(self, root: Path) -> bool:
        """Whether changes beneath this root are reported at once."""
        return root in self._watches and not self.exhausted

    async def follow(self, there: Mapping[Path, PinnedRoot]) -> set[Path]:
        """Watch these roots, and no others. Returns those whose watch has just begun.

        A root may have disappeared and come back under its name, or be another folder now, which watchdog does not
        notice: then all watches begin anew.
        """
        loop = asyncio.get_running_loop()
        if self._lost or any(there.get(root) != pin for root, pin in self._watches.items()):
            await self.stop()
        new = {root: pin for root, pin in there.items() if root not in self._watches}
        if new:
            self._starting = asyncio.ensure_future(asyncio.to_thread(self._watch, new, loop))
            await asyncio.shield(self._starting)
        if not self.exhausted and self._watches and await asyncio.to_thread(self._used_up):
            await asyncio.to_thread(self._give_up, OSError(errno.ENOSPC, "no watch is left"))
        return {root for root in new if root in self._watches}

    async def stop(self) -> None:
        """End the threads, including those that a cancelled `follow` is still starting."""
        if self._starting is not None:
            await asyncio.gather(self._starting, return_exceptions=True)
        observer, self._observer = self._observer, None
        self._watches.clear()
        self._lost = False
        if observer is not None:
            await asyncio.to_thread(_ended, observer)

    def _watch(self, new: Mapping[Path, PinnedRoot], loop: asyncio.AbstractEventLoop) -> None:
        if not self.exhausted:
            try:
                self._schedule(new, loop)
            except OSError as error:
                self._give_up(error)
        if self.exhausted:
            self._watches.update(new)

    def _give_up(self, error: OSError) -> None:
        _log.warning("the system cannot watch so many folders (%s): polling instead", error)
        self.exhausted = True
        observer, self._observer = self._observer, None
        if observer is not None:
            _ended(observer)

    def _schedule(self, roots: Mapping[Path, PinnedRoot], loop: asyncio.AbstractEventLoop) -> None:
        if self._observer is None:
            self._observer = self._observe()
            self._observer.start()
        for root, pin in roots.items():
            handler = _Handler(loop, self._touch, self._moved, Path(pin.path), self._lose)
            try:
                self._observer.schedule(handler, pin.path, recursive=True, event_filter=_HEARD)
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    raise
                if root not in self._refused:  # it disappeared just now, or may not be read
                    _log.warning("cannot watch %s: %s", root, error)
                    self._refused.add(root)
            else:
                self._refused.discard(root)
                self._watches[root] = pin

    def _lose(self) -> None:
        self._lost = True


class _Handler(events.FileSystemEventHandler):
    """Runs in watchdog's threads."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        touch: Touch,
        moved: Moved,
        root: Path,
        lose: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._touch = touch
        self._moved = moved
        self._root = Path(spelled(str(root)))
        self._lose = lose

    def on_any_event(self, event: events.FileSystemEvent) -> None:
        """Report both ends of an event, but not what moved along with its folder, which watchdog generates."""
        if isinstance(event, events.FileSystemMovedEvent) and event.is_synthetic:
            return
        paths = [Path(spelled(os.fsdecode(name))) for name in (event.src_path, event.dest_path) if name]
        with contextlib.suppress(RuntimeError):  # the loop is closed
            if isinstance(event, events.DirDeletedEvent) and paths == [self._root]:
                self._loop.call_soon_threadsafe(self._lose)
            if isinstance(event, events.DirMovedEvent):
                self._loop.call_soon_threadsafe(self._moved, paths[0], paths[-1])
                return
            for path in paths:
                self._loop.call_soon_threadsafe(self._touch, path, event.is_directory)


def _ended(observer: BaseObserver) -> None:
    observer.stop()
    observer.join(_STOP_TIMEOUT_S)
