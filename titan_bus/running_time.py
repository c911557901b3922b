"""Timeouts that count only the time during which the event loop ran. All waiting for a server's reply uses them.

A handler may block the loop for longer than a timeout. Meanwhile the reply lies in the socket, or the command was
not even sent. An ordinary timeout would then call a server silent that has the event, and the caller would
publish it again under a new id.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

STEP_S = 0.5
"""Time is counted in steps; one that ended late does not count."""
LATE_S = 0.1
"""A step that ends later than this was held up. Less is the timers' own inaccuracy, and a busy machine's."""


class Steps:
    """Decides which steps count."""

    def __init__(self) -> None:
        self._held_up = False

    def counted_s(self, step_s: float, late_s: float) -> float:
        """Return the seconds that count of a step that ended so late: none, or all.

        Of two late steps in a row the second one counts: in between the loop ran, and read what had come. So a
        loop that is always late gives up in the end.
        """
        self._held_up = late_s > LATE_S and not self._held_up
        return 0.0 if self._held_up else step_s


class Countdown:
    """Calls back once the loop has run for `seconds`."""

    def __init__(self, seconds: float, expire: Callable[[], None]) -> None:
        self._left_s = max(0.0, seconds)
        self._expire = expire
        self._loop = asyncio.get_running_loop()
        self._steps = Steps()
        self._begin_step()

    def cancel(self) -> None:
        """Do not call back."""
        self._timer.cancel()

    def _begin_step(self) -> None:
        step_s = min(self._left_s, STEP_S)
        self._timer = self._loop.call_at(self._loop.time() + step_s, self._end_step, step_s)

    def _end_step(self, step_s: float) -> None:
        self._left_s -= self._steps.counted_s(step_s, self._loop.time() - self._timer.when())
        if self._left_s > 0:
            self._begin_step()
        else:
            self._expire()


@contextlib.asynccontextmanager
async def limited(seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError once the loop has run for `seconds` inside the block; else as `asyncio.timeout`."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as scope:
        countdown = Countdown(seconds, lambda: scope.reschedule(loop.time()))
        try:
            yield
        finally:
            countdown.cancel()
