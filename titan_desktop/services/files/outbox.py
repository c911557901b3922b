"""Publishes many events with a bounded number in flight."""

import asyncio

from titan_bus import Bus
from titan_desktop.contracts.files import FileRenamed, FileSeen, FsEvent
from titan_desktop.contracts.message import publish
from titan_desktop.ports.files_root import Stamp

_IN_FLIGHT_MAX = 256


class Outbox:
    """The outbox of one scan or one round of the watcher, used in one task."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._sent: list[asyncio.Future[str]] = []

    async def say(self, event: FsEvent) -> None:
        """Publish an event. Waits for earlier ones when many are in flight.

        Raises:
            BusError: an event was not published.
        """
        self._sent.append(publish(self._bus, event))
        if len(self._sent) >= _IN_FLIGHT_MAX:
            await self.flush()

    async def say_seen(self, path: str, stamp: Stamp, *, job_id: str = "", force: bool = False) -> None:
        """Publish that a file exists; see `say`."""
        await self.say(
            FileSeen(
                path=path,
                size=stamp.size,
                mtime_ns=stamp.mtime_ns,
                inode=stamp.inode,
                job_id=job_id,
                force=force,
            )
        )

    async def say_renamed(self, path: str, stamp: Stamp, former_path: str, *, job_id: str = "") -> None:
        """Publish that a file has another path; see `say`."""
        await self.say(
            FileRenamed(
                path=path,
                former_path=former_path,
                size=stamp.size,
                mtime_ns=stamp.mtime_ns,
                inode=stamp.inode,
                job_id=job_id,
            )
        )

    async def flush(self) -> None:
        """Wait until the server has stored all of them.

        Raises:
            BusError: an event was not published.
        """
        sent, self._sent = self._sent, []
        await asyncio.gather(*sent)
