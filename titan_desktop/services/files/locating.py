"""Answers whether a source's file may be opened, by the module that also guards every reading.

Needs no store, so it works as soon as the bus does.
"""

import asyncio
from pathlib import Path

from titan_bus import Handlers
from titan_desktop.contracts.declaring import take
from titan_desktop.contracts.files import Located, LocateSource
from titan_desktop.ports.files_root import FilesRoot, FilesRootError

GROUP = "files"


class LocatingService:
    """Answers `locate_source`."""

    drain_s = 1.0

    def __init__(self, files_root: FilesRoot) -> None:
        self._files_root = files_root
        self.handlers = Handlers()
        take(self.handlers, GROUP, self.locate_source)

    async def locate_source(self, wanted: LocateSource) -> Located:
        """Return whether a path is beneath a root and exists."""
        return await asyncio.to_thread(self._locate, wanted.path)

    def _locate(self, path: str) -> Located:
        try:
            self._files_root.root_of(Path(path))
        except FilesRootError:
            return Located(path=path, allowed=False, exists=False)
        try:
            self._files_root.stamp(Path(path))
        except FilesRootError:
            return Located(path=path, allowed=True, exists=False)
        return Located(path=path, allowed=True, exists=True)
