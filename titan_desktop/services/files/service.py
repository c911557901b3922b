"""`FilesService`: runs scans on command and by itself, and follows the watcher.

Unpublished changes are kept in memory only: a scan at the next start finds them again, since the index, not this
service, records what was done.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from pathlib import Path
from types import TracebackType
from typing import Self

from titan_bus import Bus, BusError, Event, Handlers, new_ulid
from titan_desktop.contracts.declaring import take, tell
from titan_desktop.contracts.files import (
    FileRemoved,
    FileRenamed,
    FileSeen,
    IndexPaths,
    PathRefused,
    ScanFinished,
)
from titan_desktop.contracts.system import RootStatus
from titan_desktop.ports.catalogue import Catalogue
from titan_desktop.ports.files_root import FilesRoot
from titan_desktop.ports.passages import IndexUnavailableError
from titan_desktop.services.files.announcing import Announcer
from titan_desktop.services.files.scanner import Scanner
from titan_desktop.services.files.settling import Settling
from titan_desktop.services.files.watcher import Moved, Touch, Watcher
from titan_desktop.services.waiting import until_there
from titan_desktop.system.outage import Outage

_log = logging.getLogger(__name__)

GROUP = "files"
_TICK_S = 0.1
_ROOTS_INTERVAL_S = 30.0
_RESCAN_INTERVAL_S = 1800.0
"""The kernel drops changes when its queue overflows (inotify(7)), without a notification of the watch."""
_PAUSE_AFTER_FAILURE_S = 2.0
DRAIN_S = 1.0
"""A scan takes longer than a shutdown may: the next process starts it again, and unchanged files cost nothing."""


def by_paths(event: Event) -> Hashable:
    """Return the command's paths: two commands with the same paths run one after the other."""
    return event.payload_as(IndexPaths).paths


class FilesService:
    """Needs an open bus. The first scan of all roots starts at once, in the background."""

    drain_s = DRAIN_S

    def __init__(
        self,
        bus: Bus,
        files_root: FilesRoot,
        catalogue: Catalogue,
        *,
        make_watcher: Callable[[Touch, Moved], Watcher] = Watcher,
        roots_interval_s: float = _ROOTS_INTERVAL_S,
    ) -> None:
        self._bus = bus
        self._files_root = files_root
        self._scanner = Scanner(bus, files_root, catalogue)
        self._settling = Settling()
        self._announcer = Announcer(bus, files_root, catalogue, self._settling, self._want)
        self._watcher = make_watcher(self._touched, self._moved)
        self._roots_interval_s = roots_interval_s
        self._there: set[Path] | None = None
        self._wanted: dict[Path, None] = {}
        self._wake = asyncio.Event()
        self._scanning = 0
        self._forget_connection: Callable[[], None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.handlers = Handlers()
        take(self.handlers, GROUP, self.index_paths, partition_by=by_paths)
        tell(self.handlers, FileSeen, FileRenamed, FileRemoved, PathRefused, ScanFinished)

    async def __aenter__(self) -> Self:
        self._forget_connection = self._bus.on_connection(self._connection_changed)
        for step, name in (
            (self._follow_roots, "roots"),
            (self._settle, "settle"),
            (self._scan_wanted, "scan"),
            (self._rescan, "rescan"),
        ):
            self._tasks.append(
                asyncio.create_task(_supervised(step, f"files: {name}"), name=f"files: {name}")
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._forget_connection is not None:
            self._forget_connection()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._watcher.stop()

    def busy(self) -> bool:
        """Whether there is something to scan or to publish."""
        return bool(self._there is None or self._scanning or self._wanted or self._settling)

    def roots_status(self) -> tuple[RootStatus, ...]:
        """Return the state of the roots. Reads the disk: call it in a thread."""
        return tuple(
            RootStatus(path=str(root), exists=root.is_dir(), watched=self._watcher.watches(root))
            for root in self._files_root.roots
        )

    async def index_paths(self, command: IndexPaths) -> None:
        """Scan; acknowledged when everything has been published.

        Waits for a catalogue that is away, otherwise a job would never get its end.
        """
        self._scanning += 1
        try:
            await until_there(
                lambda: self._scanner.scan(command.paths, command.job_id, force=command.force),
                IndexUnavailableError,
            )
        finally:
            self._scanning -= 1

    def _want(self, folder: Path) -> None:
        self._wanted[folder] = None
        self._wake.set()

    def _want_all(self) -> None:
        for root in self._files_root.roots:
            self._want(root)

    def _connection_changed(self, connected: bool) -> None:  # noqa: FBT001 - the bus's callback
        if connected:
            self._want_all()

    async def _rescan(self) -> None:
        await asyncio.sleep(_RESCAN_INTERVAL_S)
        self._want_all()

    async def _scan_wanted(self) -> None:
        """Scan all wanted folders at once; failed ones stay wanted."""
        await self._wake.wait()
        self._wake.clear()
        wanted, self._wanted = list(self._wanted), {}
        self._scanning += 1
        try:
            there = await asyncio.to_thread(lambda: [folder for folder in wanted if folder.is_dir()])
            if there:
                await self._scanner.scan(_outermost(there), new_ulid())
        except BaseException:
            for folder in wanted:
                self._want(folder)
            raise
        finally:
            self._scanning -= 1

    async def _follow_roots(self) -> None:
        """Watch the existing roots. The watch begins before the scan, so that no change is missed in between."""
        there = set(
            await asyncio.to_thread(lambda: [root for root in self._files_root.roots if root.is_dir()])
        )
        watched_anew = await self._watcher.follow(self._files_root.roots)
        for root in watched_anew | (there - (self._there or set())):
            self._want(root)
        self._there = there
        await asyncio.sleep(self._roots_interval_s)

    def _touched(self, path: Path, is_folder: bool) -> None:  # noqa: FBT001 - the watcher's callback
        self._settling.touch(path, is_folder=is_folder)

    def _moved(self, old: Path, new: Path) -> None:
        self._settling.moved(old, new)

    async def _settle(self) -> None:
        await asyncio.sleep(_TICK_S)
        await self._announcer.round()


def _outermost(folders: list[Path]) -> list[str]:
    """Remove the folders that are beneath another of them."""
    every = set(folders)
    return [str(folder) for folder in folders if every.isdisjoint(folder.parents)]


async def _supervised(step: Callable[[], Awaitable[None]], what: str) -> None:
    """Repeat `step` until cancelled: the supervisor of this service's tasks."""
    outage = Outage(_log, what)
    while True:
        try:
            await step()
        except Exception as error:  # noqa: BLE001 - a supervisor: one bad step must not end the watch
            outage.begins(error, foreseen=isinstance(error, BusError | IndexUnavailableError))
            await asyncio.sleep(_PAUSE_AFTER_FAILURE_S)
        else:
            outage.ends()
