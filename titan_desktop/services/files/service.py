"""`FilesService`: runs scans on command and by itself, and follows the watcher.

Unpublished changes are kept in memory only: a scan at the next start finds them again, since the index, not this
service, records what was done.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Hashable, Mapping
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
from titan_desktop.contracts.message import publish
from titan_desktop.contracts.system import RootStatus
from titan_desktop.ports.catalogue import Catalogue
from titan_desktop.ports.files_root import FilesRoot, PinnedRoot, RootFault
from titan_desktop.ports.passages import IndexUnavailableError
from titan_desktop.services.files import polling
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
        poll_interval_s: float = polling.INTERVAL_S,
    ) -> None:
        self._bus = bus
        self._files_root = files_root
        self._catalogue = catalogue
        self._scanner = Scanner(bus, files_root, catalogue)
        self._settling = Settling()
        self._announcer = Announcer(bus, files_root, catalogue, self._settling, self._want)
        self._watcher = make_watcher(self._touched, self._moved)
        self._poller = polling.Poller(files_root, poll_interval_s)
        self._roots_interval_s = roots_interval_s
        self._there: Mapping[Path, PinnedRoot] | None = None
        self._wanted: dict[Path, None] = {}
        self._stalled = False
        self._silenced = False
        self._forgotten: frozenset[Path] = frozenset()
        self._wake = asyncio.Event()
        self._look = asyncio.Event()
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
            (self._poll, "poll"),
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
        # While the index or the bus is away nothing gets on, and the next start begins it again.
        scans = (self._scanning or self._wanted) and not self._stalled
        return bool(self._there is None or scans or (self._settling and not self._silenced))

    def look_at_roots(self) -> None:
        """Look now whether a root has come, gone or become another, not only from time to time."""
        self._look.set()

    def scan_roots(self) -> None:
        """Compare all roots with the index, because other files count now."""
        self._want_all()

    def roots_status(self) -> tuple[RootStatus, ...]:
        """Return the state of the roots. Reads the disk: call it in a thread."""
        pins = {root: self._files_root.pinned(root) for root in self._files_root.roots}
        watched = [pin for root, pin in pins.items() if pin and self._watcher.watches(root)]
        return tuple(
            RootStatus(
                path=str(root),
                exists=pin is not None,
                # One that lies beneath another is watched with that one.
                watched=bool(pin and any(Path(pin.path).is_relative_to(outer.path) for outer in watched)),
            )
            for root, pin in pins.items()
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
                told=self._stall,
            )
            self._stalled = False
        finally:
            self._scanning -= 1

    async def _stall(self, _error: Exception) -> None:
        self._stalled = True

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
        """Scan all wanted folders at once; they stay wanted while the bus or the index is away."""
        await self._wake.wait()
        self._wake.clear()
        wanted, self._wanted = list(self._wanted), {}
        self._scanning += 1
        try:
            there = await asyncio.to_thread(
                lambda: [one for one in wanted if self._files_root.is_folder(one)]
            )
            if there:
                await self._scanner.scan(_outermost(there), new_ulid())
            self._stalled = False
        except (BusError, IndexUnavailableError):
            self._stalled = True
            for folder in wanted:
                self._want(folder)
            raise
        finally:
            self._scanning -= 1

    async def _follow_roots(self) -> None:
        """Watch the roots that are there. The watch begins before the scan, so that no change is missed."""
        there = await asyncio.to_thread(self._files_root.standing)
        try:
            for root in await self._watcher.follow(there):
                self._want(root)
        finally:
            for root in there.keys() - (self._there or {}).keys():
                self._want(root)
            self._there = there
        await self._forget_refused()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._roots_interval_s):
                await self._look.wait()
        self._look.clear()

    async def _forget_refused(self) -> None:
        """Have the index forget what it knows of roots that may not be read: it was read before, or allowed."""
        refused = frozenset(one.path for one in self._files_root.refused() if one.fault is not RootFault.LINK)
        if new := refused - self._forgotten:
            for path in await self._catalogue.held([str(root) for root in new]):
                await publish(self._bus, FileRemoved(path=path, folder=True))
        self._forgotten = refused

    async def _poll(self) -> None:
        """Look for what has changed, where the system does not report it."""
        await asyncio.sleep(self._poller.pause_s)
        if self._watcher.exhausted:
            changed, new = await asyncio.to_thread(self._poller.changes, tuple(self._there or ()))
            for path in changed:
                self._settling.touch(path, is_folder=False)
            for root in new:
                self._want(root)

    def _touched(self, path: Path, is_folder: bool) -> None:  # noqa: FBT001 - the watcher's callback
        self._settling.touch(path, is_folder=is_folder)

    def _moved(self, old: Path, new: Path) -> None:
        self._settling.moved(old, new)

    async def _settle(self) -> None:
        await asyncio.sleep(_TICK_S)
        try:
            if await self._announcer.round():
                self._silenced = False
        except (BusError, IndexUnavailableError):
            self._silenced = True
            raise


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
