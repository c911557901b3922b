"""Rate limits: token buckets (Turner, 1986) that a consumer passes before it hands an event to its handler.

One bucket belongs to the whole bus, one to each consumer of a topic that has a limit (`bus`, `processor`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

SLACK_S = 1e-9
"""What rounding may leave of a wait: a clock in floats would never quite come to its end."""


class RateLimit:
    """A token bucket: in any time t no more than `burst + rate * t` pass, the burst being one second's worth.

    Args:
        rate: events a second, more than 0.
        clock: seconds, never going back.
        sleep: waits so many seconds.

    Attributes:
        turn: who waits for a token holds this; the others stand behind in order, so nobody is passed over.
    """

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._burst = max(1.0, rate)
        self._clock = clock
        self._sleep = sleep
        self._tokens = self._burst
        self._counted_at = clock()
        self.turn = asyncio.Lock()

    async def ready(self) -> None:
        """Wait until there is a token. It stays there as long as the caller holds `turn`."""
        while (wait_s := self._wait_s()) > 0:
            await self._sleep(wait_s)

    def take(self) -> None:
        """Take a token."""
        self._count()
        self._tokens -= 1

    def give_back(self) -> None:
        """Return a token at the moment at which it was taken."""
        self._tokens += 1

    def _wait_s(self) -> float:
        self._count()
        missing_s = (1 - self._tokens) / self._rate
        return missing_s if missing_s > SLACK_S else 0.0

    def _count(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._counted_at) * self._rate)
        self._counted_at = now


async def pass_through(limits: Sequence[RateLimit]) -> None:
    """Wait until every limit has a token, and take one of each at the same moment.

    Cancelled, it takes none. All callers name their limits in the same order, the shared one last.
    """
    async with AsyncExitStack() as turns:
        for limit in limits:
            await turns.enter_async_context(limit.turn)
            await limit.ready()
        for limit in limits:
            limit.take()


class Gate:
    """The limits that one consumer passes, and those of its tasks that wait there."""

    def __init__(self, limits: Sequence[RateLimit]) -> None:
        self._limits = limits
        self._waiting: set[asyncio.Task[Any]] = set()

    def __bool__(self) -> bool:
        """Whether there is any limit."""
        return bool(self._limits)

    async def enter(self) -> float:
        """Wait for a token of each limit; returns for how many milliseconds."""
        began = time.perf_counter()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("called outside of a task")
        self._waiting.add(task)
        try:
            await pass_through(self._limits)
        finally:
            self._waiting.discard(task)
        return (time.perf_counter() - began) * 1000

    def turn_back(self) -> None:
        """Return the tokens: there is nothing to do with them. Without waiting in between."""
        for limit in self._limits:
            limit.give_back()

    def close(self) -> None:
        """Cancel the tasks that wait."""
        for task in tuple(self._waiting):
            task.cancel()
