"""Files that are in the index under another path: renamed, moved from root to root, or while nobody watched.

A file system numbers its files, and a rename keeps the number. A file that has the number, the size and the time
of one in the index, at whose path there is none any more, is that one. Where there are no numbers it is new.
"""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.catalogue import Catalogue
from titan_desktop.ports.files_root import FilesRoot, FilesRootError, Stamp

GONE = frozenset({Reason.VANISHED, Reason.OUTSIDE, Reason.NOT_REGULAR})
"""What the files root says of a path at which there is no file any more; UNREADABLE may pass."""


class Renames:
    """Tells former paths."""

    def __init__(self, files_root: FilesRoot, catalogue: Catalogue) -> None:
        self._files_root = files_root
        self._catalogue = catalogue

    async def of(self, files: Iterable[tuple[str, Stamp]]) -> Mapping[str, str]:
        """Return the former path of each of these files that had another one."""
        numbered = {stamp.inode: (path, stamp) for path, stamp in files if stamp.inode}
        if not numbered:
            return {}
        same: dict[str, str] = {}
        for former, known in (await self._catalogue.with_inodes(list(numbered))).items():
            path, stamp = numbered[known.inode]
            if path != former and known == stamp:
                same[former] = path
        gone = await asyncio.to_thread(lambda: [former for former in same if self._has_left(Path(former))])
        return {same[former]: former for former in gone}

    def _has_left(self, path: Path) -> bool:
        """Say whether a file has left its path, and not its whole disk with it. In a thread."""
        try:
            return self._files_root.root_of(path).is_dir() and self.is_gone(path)
        except FilesRootError:  # of a folder that is no root any more
            return True

    def is_gone(self, path: Path) -> bool:
        """Say whether there is no file of ours at a path any more. In a thread."""
        try:
            self._files_root.stamp(path)
            return self._files_root.is_ignored(path)
        except FilesRootError as error:
            return error.reason in GONE
