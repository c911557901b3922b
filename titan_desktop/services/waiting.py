"""Waits for a store that is away, for services whose events must outlive its restart.

Returned to the bus, an event would use up its few retries within seconds and be dead-lettered. So its handler
waits, and the event stays in flight, until the store is back or the service stops.
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
    """Repeat `ask`, with growing pauses, while it raises one of `away`; return its result.

    `told` is called each time it has to wait.
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
