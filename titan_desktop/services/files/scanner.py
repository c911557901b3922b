"""Compares folders with the index, and publishes the differences.

Called by the service, for commands and by itself. A killed scan is run again from its beginning: files that were
indexed meanwhile are unchanged then, and a file that is published twice is indexed once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from titan_bus import Bus, BusError
from titan_desktop.contracts.files import FileRemoved, PathRefused, ScanFinished
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.catalogue import Catalogue
from titan_desktop.ports.files_root import GONE, FilesRoot, FilesRootError, Stamp
from titan_desktop.ports.passages import IndexUnavailableError
from titan_desktop.services.files.outbox import Outbox
from titan_desktop.services.files.renames import Renames

_log = logging.getLogger(__name__)

_BATCH_FILES = 256


class Scanner:
    """Runs scans; from one to the next it keeps only which of the files that were too large it has tried."""

    def __init__(self, bus: Bus, files_root: FilesRoot, catalogue: Catalogue) -> None:
        self._bus = bus
        self._files_root = files_root
        self._catalogue = catalogue
        self._tried: set[str] = set()

    async def scan(self, paths: Iterable[str], job_id: str, *, force: bool = False) -> ScanFinished:
        """Publish every new, changed and gone file beneath `paths` (none: all roots), then the end of the scan.

        Raises:
            BusError: an event was not published; scan again.
            IndexUnavailableError: the index is away; scan again.
        """
        job = _Job(self._bus, self._files_root, self._catalogue, job_id, self._tried, force=force)
        for asked in list(paths) or map(str, await asyncio.to_thread(self._files_root.standing)):
            try:
                await job.scan(asked)
            except (BusError, IndexUnavailableError):
                raise
            except Exception:  # noqa: BLE001 - a supervisor: one folder's error must not stop the others
                _log.exception("%s cannot be scanned", asked)
                await job.refuse(asked, Reason.UNREADABLE)
        return await job.finish()


class _Job:
    """One running scan."""

    def __init__(
        self,
        bus: Bus,
        files_root: FilesRoot,
        catalogue: Catalogue,
        job_id: str,
        tried: set[str],
        *,
        force: bool,
    ) -> None:
        self._outbox = Outbox(bus)
        self._files_root = files_root
        self._catalogue = catalogue
        self._renames = Renames(files_root, catalogue)
        self._job_id = job_id
        self._tried = tried
        self._force = force
        self._seen = self._unchanged = self._failed = self._refused = 0
        self._missed: dict[str, None] = {}
        self._followed: set[str] = set()

    async def scan(self, asked: str) -> None:
        try:
            path = await asyncio.to_thread(self._accepted, asked)
        except FilesRootError as error:
            await self.refuse(asked, error.reason)
            return
        known = dict(await self._catalogue.known(path))
        failed = await self._catalogue.failed(path)
        outdated = await self._catalogue.outdated(path)
        try:
            async for batch in self._batches(path):
                former = await self._former_paths(batch, known)
                for file, stamp in batch:
                    name = str(file)
                    if name in former:
                        known.pop(name, None)
                        await self._follow(name, stamp, former[name])
                        continue
                    again = name in outdated
                    await self._take(name, stamp, known.pop(name, None), failed.get(name), again=again)
        except FilesRootError as error:
            await self.refuse(asked, error.reason)
            if error.reason not in GONE:
                return
        # A missing root is an unplugged disk: its files may come back.
        root = self._files_root.root_of(path)
        if await asyncio.to_thread(self._files_root.pinned, root) is not None:
            self._missed |= dict.fromkeys(known)

    async def finish(self) -> ScanFinished:
        # After the whole walk, because a file that is missing here may be found elsewhere.
        await self._look_for([path for path in self._missed if path not in self._followed])
        await self._outbox.flush()
        finished = ScanFinished(
            job_id=self._job_id,
            seen=self._seen,
            unchanged=self._unchanged,
            failed=self._failed,
            refused=self._refused,
        )
        await self._outbox.say(finished)
        await self._outbox.flush()
        return finished

    def _accepted(self, asked: str) -> Path:
        path = self._files_root.canonical(Path(asked))
        if self._files_root.is_ignored(path):
            raise FilesRootError(asked, Reason.UNSUPPORTED)
        return path

    async def _batches(self, path: Path) -> AsyncIterator[list[tuple[Path, Stamp]]]:
        found = await asyncio.to_thread(self._found, path)
        while batch := await asyncio.to_thread(lambda: list(islice(found, _BATCH_FILES))):
            yield batch

    async def _former_paths(
        self, batch: list[tuple[Path, Stamp]], known: Mapping[str, Stamp]
    ) -> Mapping[str, str]:
        """Return the former paths of renamed files, except those that are read anyway."""
        if self._force:
            return {}
        return await self._renames.of(
            (str(file), stamp) for file, stamp in batch if known.get(str(file)) != stamp
        )

    def _found(self, path: Path) -> Iterator[tuple[Path, Stamp]]:
        """Return the file at `path`, or those beneath it."""
        try:
            return iter([(path, self._files_root.stamp(path))])
        except FilesRootError as error:
            if error.reason is not Reason.NOT_REGULAR:
                raise
            return self._files_root.walk(path)

    async def _take(
        self, path: str, stamp: Stamp, known: Stamp | None, failed: Reason | None, *, again: bool
    ) -> None:
        # Permissions may change, and another program may close a file, without a change of its stamp. A limit may
        # have changed while Titan was not running.
        force = self._force or again or failed is Reason.UNREADABLE
        if failed is Reason.TOO_LARGE and path not in self._tried:
            self._tried.add(path)
            force = True
        if known == stamp and not force:
            self._unchanged += 1
            self._failed += failed is not None
            return
        self._seen += 1
        await self._outbox.say_seen(path, stamp, job_id=self._job_id, force=force)

    async def _follow(self, path: str, stamp: Stamp, former_path: str) -> None:
        self._seen += 1
        self._followed.add(former_path)
        await self._outbox.say_renamed(path, stamp, former_path, job_id=self._job_id)

    async def _look_for(self, missed: list[str]) -> None:
        """Check the files of the index that the walk did not find: a folder may have been unreadable."""
        gone = await asyncio.to_thread(
            lambda: [path for path in missed if self._files_root.has_left(Path(path))]
        )
        for path in gone:
            await self._outbox.say(FileRemoved(path=path, job_id=self._job_id))

    async def refuse(self, asked: str, reason: Reason) -> None:
        self._refused += 1
        await self._outbox.say(PathRefused(path=asked, reason=reason, job_id=self._job_id))
