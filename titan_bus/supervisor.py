"""Keeps a background loop going: the one place that catches everything, names it in the log, and goes on."""

import logging
from collections.abc import Awaitable, Callable

from titan_bus.connection import Backoff
from titan_bus.errors import BusUnavailableError

logger = logging.getLogger("titan_bus")


async def keep_going(step: Callable[[], Awaitable[object]], what: str) -> None:
    """Repeat `step` until cancelled. A server that is away is waited for; anything else is logged as well."""
    backoff = Backoff()
    while True:
        try:
            await step()
            backoff.reset()
        except BusUnavailableError:
            await backoff.pause()
        except Exception:  # a supervisor: one bad step must not end the loop
            logger.exception("%s: a step failed, going on", what)
            await backoff.pause()
