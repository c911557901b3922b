"""Publishes what happened to settled paths: a file exists, has another path, or is gone."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from titan_bus import Bus, BusError
from titan_desktop.contracts.files import FileRemoved, FileRenamed
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.catalogue import Catalogue
from titan_desktop.ports.files_root import GONE, IGNORE_FILE, FilesRoot, FilesRootError, Stamp
from titan_desktop.ports.passages import IndexUnavailableError
from titan_desktop.services.files.outbox import Outbox
from titan_desktop.services.files.renames import Renames
from titan_desktop.services.files.settling import Rested, Settling

_INDEX_FOLLOWS_S = 5.0
"""A moved folder is scanned after this time, when the index has probably been updated: its files are unchanged
then."""


_ABSENT = GONE | {Reason.UNSUPPORTED}
"""What is left out now, by its name or an ignore file, is gone as well."""


class _Look(NamedTuple):
    """A path as the index spells it, and its file or the reason why there is none."""

    path: Path
    found: Stamp | Reason


class Announcer:
    """Checks the paths that the watcher reported, and publishes the results.

    Args:
        bus: publishes the events.
        files_root: checks the paths.
        catalogue: finds files that may have been renamed, and knows what there is to remove.
        settling: the paths that are still changing.
        want: called with a folder that must be scanned.
    """

    def __init__(
        self,
        bus: Bus,
        files_root: FilesRoot,
        catalogue: Catalogue,
        settling: Settling,
        want: Callable[[Path], None],
    ) -> None:
        self._bus = bus
        self._files_root = files_root
        self._catalogue = catalogue
        self._renames = Renames(files_root, catalogue)
        self._settling = settling
        self._want = want

    async def round(self) -> bool:
        """Check the changing paths once, and publish what happened to the settled ones. Returns whether any had.

        Raises:
            BusError: an event was not published; its path counts as changing again.
            IndexUnavailableError: nothing was published, and the same holds.
        """
        paths = self._settling.candidates()
        if not paths:
            return False
        looks = await asyncio.to_thread(lambda: {path: self._look(path) for path in paths})
        stamps = {path: look.found if isinstance(look.found, Stamp) else None for path, look in looks.items()}
        rested = self._settling.settled(stamps)
        try:
            await self._announce([(looks[path], rest) for path, rest in rested.items()])
        except (BusError, IndexUnavailableError):
            for path, rest in rested.items():
                self._settling.again(path, rest)
            raise
        return bool(rested)

    async def _announce(self, news: Sequence[tuple[_Look, Rested]]) -> None:
        outbox = Outbox(self._bus)
        moved = [rest.former for _, rest in news if rest.former is not None]
        lefts = await asyncio.to_thread(lambda: {former: self._look(former) for former in moved})
        held = await self._held([*(look for look, _ in news), *lefts.values()])
        former = await self._former_paths(look for look, _ in news)
        left = frozenset(former.values())
        for look, rest in news:
            path = str(look.path)
            if look.path.name == IGNORE_FILE:
                self._want(look.path.parent)
            elif rest.former is not None:
                await self._announce_moved(outbox, look, lefts[rest.former], held)
            elif isinstance(look.found, Stamp) and path in former:
                await outbox.say_renamed(path, look.found, former[path])
            elif isinstance(look.found, Stamp):
                await outbox.say_seen(path, look.found)
            elif look.found is Reason.NOT_REGULAR:
                self._want(look.path)
            elif look.found in _ABSENT and path in held and path not in left:
                await outbox.say(FileRemoved(path=path, folder=rest.is_folder))
        await outbox.flush()

    async def _held(self, looks: Iterable[_Look]) -> frozenset[str]:
        """Return the paths without a file, a link's in the place of one too, of which the index knows something.

        Only these are said to be gone: what was never read has a name that nobody needs to know.
        """
        gone = [str(path) for path, found in looks if not isinstance(found, Stamp) and found in _ABSENT]
        return await self._catalogue.held(gone) if gone else frozenset()

    async def _former_paths(self, looks: Iterable[_Look]) -> Mapping[str, str]:
        """Return the former paths of renamed files; while the index is away they count as new."""
        files = [(str(path), found) for path, found in looks if isinstance(found, Stamp)]
        with contextlib.suppress(IndexUnavailableError):
            return await self._renames.of(files)
        return {}

    async def _announce_moved(self, outbox: Outbox, look: _Look, left: _Look, held: Collection[str]) -> None:
        """Publish that a folder has moved from where it `left`, if that is still so and the index knows it."""
        if left.found is Reason.VANISHED and look.found is Reason.NOT_REGULAR and str(left.path) in held:
            await outbox.say(FileRenamed(path=str(look.path), former_path=str(left.path), folder=True))
            asyncio.get_running_loop().call_later(_INDEX_FOLLOWS_S, self._want, look.path)
            return
        for path, found in (left, look):
            if found is Reason.NOT_REGULAR:
                self._want(path)
            elif str(path) in held:
                await outbox.say(FileRemoved(path=str(path), folder=True))

    def _look(self, path: Path) -> _Look:
        """Check a path. Blocking: runs in a thread."""
        try:
            spelled = self._files_root.canonical(path)
        except FilesRootError:  # outside the roots, or a path that no event can carry: nothing is published
            return _Look(path, Reason.UNREADABLE)
        try:
            if self._files_root.is_ignored(path):
                return _Look(spelled, Reason.UNSUPPORTED)
            return _Look(spelled, self._files_root.stamp(path))
        except FilesRootError as error:
            return _Look(spelled, error.reason)
