"""What the core knows of its own state: stores, models, roots. `services.system` shows it to clients."""

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from titan_desktop import __version__, settings
from titan_desktop.contracts.system import Located, ModelStatus, RootStatus, Status, StoreStatus
from titan_desktop.ports.files_root import FilesRoot, FilesRootError
from titan_desktop.system.paths import Paths, allowed_roots

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


class Board:
    """Filled by whoever knows, read by every `GetStatus`. On the loop, but `roots` and `files_root` in threads.

    Args:
        paths: where the settings are.
        chosen: the settings as they were at the start; `read_settings` replaces them.
    """

    def __init__(self, paths: Paths, chosen: settings.Settings) -> None:
        self._paths = paths
        self.settings = chosen
        self.ready = False
        self.files_root: FilesRoot | None = None
        self.roots: Callable[[], tuple[RootStatus, ...]] = _unwatched_roots
        self.dead_letters: Callable[[], Awaitable[int]] = _none
        self.model = self.embedder = ModelStatus(configured=False)
        places = {
            "redis": chosen.stores.redis,
            "postgres": chosen.stores.postgres,
            "graph": chosen.stores.graph,
        }
        self._stores = {
            name: StoreStatus(name=name, place=place, ok=False, detail="It is being started.", opening=True)
            for name, place in places.items()
        }
        self.key_problem = self._settings_problem = ""

    def mark_serving(self, store: str, product: str, version: str) -> None:
        """Note that a store is open, and what it is."""
        self._change(store, ok=True, product=product, version=version, detail="")

    def mark_failed(self, store: str, sentence: str) -> None:
        """Note what ails a store; an empty sentence says that it is well again, if it had been opened before."""
        self._change(store, ok=not sentence and bool(self._stores[store].version), detail=sentence)

    def read_settings(self) -> None:
        """Read the settings again. A file that makes no sense leaves the old ones, and is a problem to show."""
        try:
            self.settings = settings.load(self._paths.settings_file)
            self._settings_problem = ""
        except settings.SettingsError as error:
            self._settings_problem = str(error)
            log.warning("settings: %s", error)

    async def status(self) -> Status:
        """Answer GetStatus."""
        roots = await asyncio.to_thread(self.roots)
        return Status(
            version=__version__,
            pid=os.getpid(),
            ready=self.ready,
            stores=tuple(self._stores.values()),
            model=self.model,
            embedder=self.embedder,
            roots=roots,
            problems=tuple(filter(None, (self._settings_problem, self.key_problem))),
            dead_letters=await self.dead_letters(),
        )

    async def locate(self, path: str) -> Located:
        """Answer LocateSource, by the same module that every reading goes through."""
        files_root = self.files_root
        if files_root is None:
            return Located(path=path, allowed=False, exists=False)

        def look() -> Located:
            try:
                files_root.root_of(Path(path))
            except FilesRootError:
                return Located(path=path, allowed=False, exists=False)
            try:
                files_root.stamp(Path(path))
            except FilesRootError:
                return Located(path=path, allowed=True, exists=False)
            return Located(path=path, allowed=True, exists=True)

        return await asyncio.to_thread(look)

    def _change(self, store: str, **fields: object) -> None:
        self._stores[store] = msgspec.structs.replace(self._stores[store], opening=False, **fields)


async def _none() -> int:
    return 0


def _unwatched_roots() -> tuple[RootStatus, ...]:
    return tuple(RootStatus(path=str(root), exists=root.is_dir()) for root in allowed_roots())
