"""Redelivers failed events from the delayed set when their pause is over, and publishes delayed ones."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from titan_bus.consumer.settlement import Settlement
from titan_bus.errors import ServerRefusedError

IDLE_S = 5.0
"""How often the delayed set is checked when it seems empty: a dead consumer may have left entries in it."""
SOON_S = 0.001
"""Added to each wait, because the server counts in whole milliseconds and a check could come too early."""


class Delayed:
    """The delayed set of one subscription, and its topic's events that are published later.

    Args:
        settlement: redelivers.
        publish_due: publishes; refused without the right to, which publishers have (`later`).
    """

    def __init__(self, settlement: Settlement, publish_due: Callable[[], Awaitable[float | None]]) -> None:
        self._settlement = settlement
        self._publish_due = publish_due
        self._publishes = True
        self._added = asyncio.Event()

    def added(self) -> None:
        """Note that an event was added: it may be the first that is due."""
        self._added.set()

    async def redeliver_due(self) -> None:
        """Redeliver what is due, then wait until something else is. The caller repeats it."""
        self._added.clear()
        due_s = (await self._settlement.redeliver_due(), await self._published())
        next_s = min((one + SOON_S for one in due_s if one is not None), default=IDLE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(next_s, IDLE_S)):
                await self._added.wait()

    async def _published(self) -> float | None:
        if self._publishes:
            try:
                return await self._publish_due()
            except ServerRefusedError as error:
                if error.code != "NOPERM":
                    raise
                self._publishes = False
        return None
