"""Rate limits: token buckets (Turner, 1986). A consumer takes a token of each before it calls its handler.

One bucket belongs to the whole bus (`bus`); each consumer of a topic with a limit has one more (`processor`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

SLACK_S = 1e-9
"""A wait shorter than this counts as over: rounding errors of a float clock would keep it above zero for ever."""


class RateLimit:
    """A token bucket: in any time t at most `burst + rate * t` events pass. The burst is one second's worth.

    Args:
        rate: events a second, more than 0.
        clock: returns seconds and never goes back.
        sleep: waits for a number of seconds.

    Attributes:
        lock: held while waiting for a token; waiters get it in order, so nobody is overtaken.
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
        self.lock = asyncio.Lock()

    async def ready(self) -> None:
        """Wait until there is a token. The token stays available while the caller holds `lock`."""
        while (wait_s := self._wait_s()) > 0:
            await self._sleep(wait_s)

    def is_ready(self) -> bool:
        """Whether there is a token."""
        return self._wait_s() <= 0

    def take(self) -> None:
        """Take a token."""
        self._count()
        self._tokens -= 1

    def give_back(self) -> None:
        """Return a token, as if it had not been taken."""
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
    """Wait until every limit has a token, then take one of each at the same moment.

    Takes none when cancelled. All callers pass their limits in the same order, the shared one last.
    """
    async with AsyncExitStack() as locks:
        for limit in limits:
            await locks.enter_async_context(limit.lock)
            await limit.ready()
        for limit in limits:
            limit.take()


class Gate:
    """The limits of one consumer, and its tasks that wait for them."""

    def __init__(self, limits: Sequence[RateLimit]) -> None:
        self._limits = limits
        self._waiting: set[asyncio.Task[Any]] = set()

    def __bool__(self) -> bool:
        """Whether there is any limit."""
        return bool(self._limits)

    async def enter(self) -> float:
        """Wait for a token of each limit. Returns the time waited in milliseconds."""
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

    def enter_at_once(self) -> bool:
        """Take a token of each limit if that needs no wait, and nobody waits. Returns whether it did."""
        if any(limit.lock.locked() or not limit.is_ready() for limit in self._limits):
            return False
        for limit in self._limits:
            limit.take()
        return True

    def give_back(self) -> None:
        """Return the tokens unused. Does not await."""
        for limit in self._limits:
            limit.give_back()

    def close(self) -> None:
        """Cancel the tasks that wait."""
        for task in tuple(self._waiting):
            task.cancel()
