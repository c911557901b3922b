"""Asks the disk whether a file is gone or has moved, before the index forgets or renames anything.

Any program of this user can publish on `files.v1`; an event that says that everything is gone must not empty the
index. The check is one look at the disk for each file, in a thread.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from titan_desktop.ports.files_root import FilesRoot, FilesRootError, Stamp


class Disk:
    """Asks the files root."""

    def __init__(self, files_root: FilesRoot) -> None:
        self._files_root = files_root

    async def has_left(self, path: str) -> bool:
        """Return whether a file is gone, ignored or outside; see `FilesRoot`."""
        return await asyncio.to_thread(self._files_root.has_left, Path(path))

    async def left_among(self, paths: Iterable[str]) -> list[str]:
        """Return those of these files that have left; see `has_left`."""
        return await asyncio.to_thread(
            lambda: [path for path in paths if self._files_root.has_left(Path(path))]
        )

    async def has_moved(self, former: str, path: str, stamp: Stamp) -> bool:
        """Return whether the file that looks like `stamp` is at `path`, and no longer at `former`."""

        def look() -> bool:
            try:
                return self._files_root.has_left(Path(former)) and self._files_root.stamp(Path(path)) == stamp
            except FilesRootError:
                return False

        return await asyncio.to_thread(look)

    async def folder_has_moved(self, former: str, path: str) -> bool:
        """Return whether there is a folder at `path`, and nothing at `former`, both beneath a root."""

        def look() -> bool:
            root = self._files_root
            try:
                root.root_of(Path(former))
            except FilesRootError:
                return False
            gone = root.has_left(Path(former)) and not root.is_folder(Path(former))
            return gone and root.is_folder(Path(path))

        return await asyncio.to_thread(look)
