"""Indexes files: reads, cuts and stores those that `files.v1` reports, and removes those that are gone.

An event is acknowledged when the index has its outcome and `file_indexed` is published. After a kill in between it
is delivered again and its stamp is known, so nothing is lost or done twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from titan_bus import Bus, Event
from titan_desktop.contracts import files
from titan_desktop.contracts.indexing import FileIndexed, Outcome, Reason
from titan_desktop.contracts.message import publish
from titan_desktop.ports.extractor import Extracted, ExtractionError, Extractor, ExtractorUnavailableError
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, IndexUnavailableError, Passage, Passages
from titan_desktop.services.indexing import cutting
from titan_desktop.services.indexing.disk import Disk
from titan_desktop.services.indexing.ordering import PathOrder
from titan_desktop.services.waiting import until_there

SKIPS = frozenset({Reason.UNSUPPORTED, Reason.EMPTY, Reason.NO_TEXT, Reason.FORGOTTEN})
"""Reasons that are nobody's fault; all others are failures."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class Indexer:
    """Handles the events of files.

    Args:
        bus: publishes `file_indexed`.
        passages: the index.
        extractor: extracts the text of files; limits its own workers.
        disk: says whether a file is still there.
        passages_stored: called after a file's passages were stored or removed.
    """

    def __init__(
        self,
        bus: Bus,
        passages: Passages,
        extractor: Extractor,
        disk: Disk,
        passages_stored: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._passages = passages
        self._extractor = extractor
        self._disk = disk
        self._passages_stored = passages_stored
        self._order = PathOrder()

    @property
    def busy(self) -> bool:
        """Whether a file is being indexed."""
        return len(self._order) > 0

    async def file_seen(self, seen: files.FileSeen, event: Event) -> None:
        """Read a file into the index.

        A file that raises an unexpected error is recorded as well, otherwise a job that counts its files would
        never end.
        """
        async with self._order.turn(seen.path):
            await self._say(await self._outcome(seen, event.event_id))

    async def file_removed(self, removed: files.FileRemoved) -> None:
        """Remove a file, or everything beneath a folder: what the disk does not have any more."""
        path, job_id = removed.path, removed.job_id
        async with self._order.turn(path, folder=removed.folder):
            if removed.folder:
                gone = await self._remove_left(path)
            else:
                gone = await self._disk.has_left(path)
                if gone:
                    await _patiently(lambda: self._passages.remove(path))
            outcome = Outcome.REMOVED if gone else Outcome.UNCHANGED
            await self._say(FileIndexed(path=path, outcome=outcome, job_id=job_id))
        self._passages_stored()

    async def file_renamed(self, renamed: files.FileRenamed, event: Event) -> None:
        """Give a file, or everything beneath a folder, the new paths; a file that must be read is read."""
        former, path = renamed.former_path, renamed.path
        async with self._order.turn(former, path, folder=renamed.folder):
            if renamed.folder:
                await self._say(await self._folder_outcome(renamed))
            elif await self._disk.has_moved(former, path, _stamp(renamed)) and await _patiently(
                lambda: self._passages.move(former, path, _stamp(renamed))
            ):
                await self._say(_moved(renamed))
            else:
                if await self._disk.has_left(former):
                    await self._forget_moved(former, renamed)
                    await _patiently(lambda: self._passages.remove(former))
                    await self._say(FileIndexed(path=former, outcome=Outcome.REMOVED))
                await self._say(await self._outcome(_seen(renamed), event.event_id))
        self._passages_stored()

    async def _forget_moved(self, former: str, renamed: files.FileRenamed) -> None:
        """Let a forgotten file that was given another name be forgotten under that one."""
        known = await _patiently(lambda: self._passages.entry_of(former))
        if known is not None and known.reason is Reason.FORGOTTEN:
            entry = FileEntry(
                path=renamed.path, stamp=_stamp(renamed), outcome=Outcome.SKIPPED, reason=Reason.FORGOTTEN
            )
            await _patiently(lambda: self._passages.store(entry, ()))

    async def _folder_outcome(self, renamed: files.FileRenamed) -> FileIndexed:
        former, path = renamed.former_path, renamed.path
        if await self._disk.folder_has_moved(former, path):
            await _patiently(lambda: self._passages.move_folder(former, path))
            return _moved(renamed)
        # It has moved on meanwhile; the scan of where it is now finds the files again.
        if await self._remove_left(former):
            await self._say(FileIndexed(path=former, outcome=Outcome.REMOVED))
        return FileIndexed(path=path, outcome=Outcome.UNCHANGED, job_id=renamed.job_id)

    async def _remove_left(self, folder: str) -> bool:
        """Remove what the disk does not have any more of what the index has beneath a folder.

        Returns:
            Whether that was all of it. Else the removed files are said one by one.
        """
        known = await _patiently(lambda: self._passages.known(Path(folder)))
        left = await self._disk.left_among(known)
        if len(left) == len(known):
            await _patiently(lambda: self._passages.remove(folder, folder=True))
            return True
        for path in left:
            await _patiently(lambda gone=path: self._passages.remove(gone))  # type: ignore[misc]
            await self._say(FileIndexed(path=path, outcome=Outcome.REMOVED))
        return False

    async def _outcome(self, seen: files.FileSeen, event_id: str) -> FileIndexed:
        stamp = _stamp(seen)
        known = await _patiently(lambda: self._passages.entry_of(seen.path))
        if known is not None and known.reason is Reason.FORGOTTEN:
            return _said(seen, Outcome.SKIPPED, reason=Reason.FORGOTTEN)
        # An entry made from this very event was perhaps never said by a core that was killed after storing it:
        # the graph does not hear of a file that is only unchanged.
        if known is not None and known.stamp == stamp and not seen.force and known.event_id != event_id:
            return _said(seen, Outcome.UNCHANGED)
        try:
            return await self._with_text(seen, stamp, event_id)
        except ExtractionError as error:
            return await self._without_text(seen, stamp, event_id, error)
        except Exception as error:  # a supervisor of one file: the error would repeat
            log.exception("%s cannot be indexed", seen.path)
            crash = ExtractionError(Reason.CRASHED, type(error).__name__)
            return await self._without_text(seen, stamp, event_id, crash)

    async def _with_text(self, seen: files.FileSeen, stamp: Stamp, event_id: str) -> FileIndexed:
        extracted, passages = await until_there(
            lambda: self._passages_of(seen.path), ExtractorUnavailableError
        )
        reason, detail = extracted.gap, extracted.gap_detail
        if len(passages) > cutting.MOST_PASSAGES:
            passages = passages[: cutting.MOST_PASSAGES]
            reason, detail = Reason.CUT, ""
        entry = FileEntry(path=seen.path, stamp=stamp, reason=reason, detail=detail, event_id=event_id)
        if not await _patiently(lambda: self._passages.store(entry, passages)):
            return _said(seen, Outcome.SKIPPED, reason=Reason.FORGOTTEN)
        if await self._disk.has_left(seen.path):
            # It went while it was read, when the index did not know it, so nobody said that it has to go.
            raise ExtractionError(Reason.VANISHED)
        self._passages_stored()
        return _said(seen, Outcome.INDEXED, reason=reason, detail=detail, passages=len(passages))

    async def _passages_of(self, path: str) -> tuple[Extracted, list[Passage]]:
        extracted = await self._extractor.extract(Path(path))
        passages = await asyncio.to_thread(cutting.cut, extracted.blocks)
        if not passages:
            raise ExtractionError(Reason.NO_TEXT)
        return extracted, passages

    async def _without_text(
        self, seen: files.FileSeen, stamp: Stamp, event_id: str, error: ExtractionError
    ) -> FileIndexed:
        """Record why there is no text, under this stamp, so that the file is tried again only when it changes."""
        outcome = Outcome.SKIPPED if error.reason in SKIPS else Outcome.FAILED
        if error.reason in {Reason.VANISHED, Reason.OUTSIDE}:
            # Neither belongs to the index: one does not exist any more, the other must not be in it.
            await _patiently(lambda: self._passages.remove(seen.path))
            outcome = Outcome.REMOVED if error.reason is Reason.VANISHED else Outcome.FAILED
        else:
            entry = FileEntry(
                path=seen.path,
                stamp=stamp,
                outcome=outcome,
                reason=error.reason,
                detail=error.detail,
                event_id=event_id,
            )
            await _patiently(lambda: self._passages.store(entry, ()))
        return _said(seen, outcome, reason=error.reason, detail=error.detail)

    async def _say(self, said: FileIndexed) -> None:
        await publish(self._bus, said)


def _stamp(event: files.FileSeen | files.FileRenamed) -> Stamp:
    return Stamp(size=event.size, mtime_ns=event.mtime_ns, inode=event.inode)


def _seen(renamed: files.FileRenamed) -> files.FileSeen:
    return files.FileSeen(
        path=renamed.path,
        size=renamed.size,
        mtime_ns=renamed.mtime_ns,
        inode=renamed.inode,
        job_id=renamed.job_id,
    )


def _moved(renamed: files.FileRenamed) -> FileIndexed:
    return FileIndexed(
        path=renamed.path,
        former_path=renamed.former_path,
        outcome=Outcome.MOVED,
        size=renamed.size,
        mtime_ns=renamed.mtime_ns,
        job_id=renamed.job_id,
    )


def _said(
    seen: files.FileSeen,
    outcome: Outcome,
    *,
    reason: Reason = Reason.NONE,
    detail: str = "",
    passages: int = 0,
) -> FileIndexed:
    return FileIndexed(
        path=seen.path,
        outcome=outcome,
        reason=reason,
        detail=detail,
        passages=passages,
        size=seen.size,
        mtime_ns=seen.mtime_ns,
        job_id=seen.job_id,
    )


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Run a step of the index, and wait while it is away."""
    return await until_there(ask, IndexUnavailableError)
