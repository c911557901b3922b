"""Retries one step of the store until it succeeds, without repeating the work before it.

An answer that was paid for is not generated again because PostgreSQL restarts. A store that restarts is back
before anybody needs to know; a full disk needs a person, so it is published.
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
    """Runs steps for the commands. Requests have a deadline and do not wait here."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def until_taken(self, step: Callable[[], Awaitable[T]], question_id: str = "") -> T:
        """Repeat a step while it raises HistoryUnavailableError, and return its result.

        Args:
            step: one call of the history that may be repeated.
            question_id: the question it is done for, "" for none.
        """

        async def tell(error: Exception) -> None:
            if isinstance(error, HistoryFullError):
                await self._say(StoringDelayed(question_id=question_id, delay=Delay.DISK_FULL))

        return await waiting.until_there(step, HistoryUnavailableError, told=tell)

    async def _say(self, delayed: StoringDelayed) -> None:
        try:
            await publish(self._bus, delayed)
        except BusError as error:  # its disk may be the same one
            _log.warning("the news of a full disk could not be published: %s", error)
