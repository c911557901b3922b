"""Keeps a background loop going: it catches everything, names it in the log, and goes on after a pause."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from titan_bus.errors import BusOverloadedError, BusUnavailableError

logger = logging.getLogger("titan_bus")


class Backoff:
    """Pauses that double from 50 ms to 500 ms, with jitter: a returning server is found within a second."""

    FIRST_S = 0.05
    LONGEST_S = 0.5

    def __init__(self) -> None:
        self._pause_s = self.FIRST_S

    async def pause(self) -> None:
        """Wait, longer each time."""
        await asyncio.sleep(self._pause_s * random.uniform(0.5, 1.0))  # noqa: S311 -- jitter, no secret
        self._pause_s = min(self._pause_s * 2, self.LONGEST_S)

    def reset(self) -> None:
        """Begin with the shortest pause again."""
        self._pause_s = self.FIRST_S


async def keep_going(step: Callable[[], Awaitable[object]], what: str) -> None:
    """Repeat `step` until cancelled. A server that is away is waited for; what else fails is logged once."""
    backoff = Backoff()
    said = ""
    while True:
        try:
            await step()
            backoff.reset()
            said = ""
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            logger.exception("%s: what a step waited for was cancelled, going on", what)
            await backoff.pause()
        except (BusUnavailableError, BusOverloadedError):
            await backoff.pause()
        except Exception as error:  # a supervisor: one bad step must not end the loop
            if repr(error) != said:  # or a lasting fault would fill the log, twice a second
                said = repr(error)
                logger.exception("%s: a step failed, going on", what)
            await backoff.pause()
