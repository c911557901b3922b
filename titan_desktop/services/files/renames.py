"""Finds files that the index has under another path: renamed, moved between roots, or moved while nothing watched.

File systems number their files, and a rename keeps the number. A file with the number, size and time of one in the
index, whose path is gone, is that file. Without numbers it counts as new.
"""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

from titan_desktop.ports.catalogue import Catalogue
from titan_desktop.ports.files_root import FilesRoot, Stamp


class Renames:
    """Finds former paths."""

    def __init__(self, files_root: FilesRoot, catalogue: Catalogue) -> None:
        self._files_root = files_root
        self._catalogue = catalogue

    async def of(self, files: Iterable[tuple[str, Stamp]]) -> Mapping[str, str]:
        """Return the former path of each renamed file among these."""
        numbered = {stamp.inode: (path, stamp) for path, stamp in files if stamp.inode}
        if not numbered:
            return {}
        same: dict[str, str] = {}
        for former, known in (await self._catalogue.with_inodes(list(numbered))).items():
            path, stamp = numbered[known.inode]
            if path != former and known == stamp:
                same[former] = path
        gone = await asyncio.to_thread(
            lambda: [former for former in same if self._files_root.has_left(Path(former))]
        )
        return {same[former]: former for former in gone}
