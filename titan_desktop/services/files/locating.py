"""Answers whether what a source names may be opened, by the same module that every reading goes through.

It needs no store, so it serves as soon as the bus does.
"""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from titan_bus import Bus, Event, RequestRefused, Subscription
from titan_desktop.contracts import topics
from titan_desktop.contracts.files import Located, LocateSource
from titan_desktop.contracts.message import event_type
from titan_desktop.ports.files_root import FilesRoot, FilesRootError

GROUP = "files"


class LocatingService:
    """Serves `topics.FS_REQUESTS`."""

    def __init__(self, bus: Bus, files_root: FilesRoot) -> None:
        self._bus = bus
        self._files_root = files_root
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> Self:
        self._subscription = await self._bus.subscribe(topics.FS_REQUESTS, GROUP, self._answer)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._subscription is not None:
            await self._subscription.stop()

    async def _answer(self, event: Event) -> Located:
        if event.event_type != event_type(LocateSource):
            raise RequestRefused("unknown_request", event.event_type)
        return await asyncio.to_thread(self._locate, event.payload_as(LocateSource).path)

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
