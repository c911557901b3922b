"""One step that the store has to take: tried until it is taken, alone, with all that came before it in hand.

An answer that has been paid for is not asked for again because PostgreSQL restarts. A store that restarts is back
before anybody needs to know; a full disk waits for a person, so that one is said.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from titan_bus import Bus, BusError
from titan_desktop.contracts.chat import Delay, StoringDelayed
from titan_desktop.contracts.message import publish
from titan_desktop.ports.history import HistoryFullError, HistoryUnavailableError
from titan_desktop.services import waiting

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Storing:
    """Takes steps for the commands. Requests have a deadline and do not wait here."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def until_taken(self, step: Callable[[], Awaitable[T]], question_id: str = "") -> T:
        """Take a step until it raises HistoryUnavailableError no more; return what it returns.

        Args:
            step: one call of the history, which a second one does not harm.
            question_id: what it is done for, "" for what concerns no question.
        """

        async def tell(error: Exception) -> None:
            if isinstance(error, HistoryFullError):
                await self._say(StoringDelayed(question_id=question_id, delay=Delay.DISK_FULL))

        return await waiting.until_there(step, HistoryUnavailableError, told=tell)

    async def _say(self, delayed: StoringDelayed) -> None:
        try:
            await publish(self._bus, delayed)
        except BusError as error:  # its disk may be the same one
            _log.warning("that the disk is full could not be said: %s", error)
