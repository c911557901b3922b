"""Deletes vectors of texts that are in no file any more, with an embedder or without one."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from titan_desktop.ports.passages import IndexUnavailableError, Vectors
from titan_desktop.system.outage import Outage

PRUNE_EVERY_S = 600.0
KEPT_S = 3_600.0
"""How long the vectors of a removed text are kept, so that a moved file finds them again."""

log = logging.getLogger(__name__)


class Pruning:
    """Prunes within `async with`: at once, for what the last process left, and then every few minutes."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._prune_in_time(), name="pruning of vectors")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _prune_in_time(self) -> None:
        """Prune until cancelled: the supervisor; a failure is logged and retried in the next round."""
        outage = Outage(log, "pruning of vectors")
        while True:
            try:
                pruned = await self._vectors.prune(KEPT_S)
            except Exception as error:  # noqa: BLE001 - a supervisor: without it nothing would be pruned any more
                outage.begins(error, foreseen=isinstance(error, IndexUnavailableError))
            else:
                outage.ends()
                if pruned:
                    log.info("%d vectors of texts that are gone were dropped", pruned)
            await asyncio.sleep(PRUNE_EVERY_S)
