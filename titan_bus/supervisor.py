"""Keeps a background loop running: catches every error, logs it, and continues after a pause."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from titan_bus.backoff import Backoff
from titan_bus.errors import BusOverloadedError, BusUnavailableError, ServerRefusedError

logger = logging.getLogger("titan_bus")


async def keep_going(step: Callable[[], Awaitable[object]], what: str) -> None:
    """Repeat `step` until cancelled. Waits for a server that is away; logs every other error once."""
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
            if repr(error) != said:  # otherwise a lasting fault would fill the log, twice a second
                said = repr(error)
                # A server's refusal (NOREPLICAS where replicas are missing) says all; our frames add nothing.
                ours = error if not isinstance(error, ServerRefusedError) else None
                logger.error("%s: a step failed, going on: %s", what, error, exc_info=ours)  # noqa: TRY400
            await backoff.pause()
