"""Redelivers failed events from the delayed set when their pause is over."""

import asyncio
import contextlib

from titan_bus.consumer.settlement import Settlement

IDLE_S = 5.0
"""How often the delayed set is checked when it seems empty: a dead consumer may have left entries in it."""
SOON_S = 0.001
"""Added to each wait, because the server counts in whole milliseconds and a check could come too early."""


class Delayed:
    """The delayed set of one subscription."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement
        self._added = asyncio.Event()

    def added(self) -> None:
        """Note that an event was added: it may be the first that is due."""
        self._added.set()

    async def redeliver_due(self) -> None:
        """Redeliver what is due, then wait until something else is. The caller repeats it."""
        self._added.clear()
        next_s = await self._settlement.redeliver_due()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S if next_s is None else min(next_s + SOON_S, IDLE_S)):
                await self._added.wait()
