"""Waiting for a store that is away, for the services whose events must outlive its restart.

Given back to the bus, an event would use up its few retries within seconds and end among the dead letters. So it
waits in its handler, which keeps it young on the bus, until the store is back or the service stops.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from titan_bus.backoff import Backoff
from titan_desktop.system.outage import Outage

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0

T = TypeVar("T")
_log = logging.getLogger(__name__)


async def until_there(
    ask: Callable[[], Awaitable[T]],
    *away: type[Exception],
    told: Callable[[Exception], Awaitable[None]] | None = None,
) -> T:
    """Ask again and again, with growing pauses, for as long as it raises one of `away`; return the answer.

    `told` hears of each time that it has to wait.
    """
    backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
    outage = Outage(_log, "an event")
    while True:
        try:
            answer = await ask()
        except away as error:
            outage.begins(error, foreseen=True)
            if told is not None:
                await told(error)
        else:
            outage.ends()
            return answer
        await backoff.pause()
