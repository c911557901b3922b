"""Brings failed events back from the delayed set when their time has come."""

import asyncio
import contextlib

from titan_bus.consumer.settlement import Settlement

IDLE_S = 5.0
"""How often the delayed set is looked at when nothing is known to wait: a dead consumer may have left some."""
SOON_S = 0.001
"""The server counts in milliseconds: a look on the very one may be too early."""


class Delayed:
    """The delayed set of one subscription."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement
        self._added = asyncio.Event()

    def added(self) -> None:
        """An event was put there: it may be the first whose time comes."""
        self._added.set()

    async def release(self) -> None:
        """Bring back what is due, then wait until something else is; to be called again and again."""
        self._added.clear()
        next_s = await self._settlement.release()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S if next_s is None else min(next_s + SOON_S, IDLE_S)):
                await self._added.wait()
