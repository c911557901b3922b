"""Many events to the bus, a bounded number of them on their way at once."""

import asyncio

from titan_bus import Bus
from titan_desktop.contracts.files import FsEvent
from titan_desktop.contracts.message import publish

_IN_FLIGHT_MAX = 256


class Outbox:
    """Of one scan or one round of the watcher, in one task."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._sent: list[asyncio.Future[str]] = []

    async def say(self, event: FsEvent) -> None:
        """Publish an event; waits for the earlier ones when many are on their way.

        Raises:
            BusError: an event was not taken.
        """
        self._sent.append(publish(self._bus, event))
        if len(self._sent) >= _IN_FLIGHT_MAX:
            await self.flush()

    async def flush(self) -> None:
        """Wait until the server has all of them.

        Raises:
            BusError: an event was not taken.
        """
        sent, self._sent = self._sent, []
        await asyncio.gather(*sent)
