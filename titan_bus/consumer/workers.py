"""A few tasks that do one thing again and again, and rest while there is nothing to do.

They are made when they are first needed and live until `close`: waking one costs a third of making one.
Used by `processor`, whose handlers run in them.
"""

import asyncio
import contextvars
import logging
import time
from collections.abc import Awaitable, Callable

TURN_S = 0.004
"""For so long handlers that never wait may keep the loop to themselves; the window's frame is 16 ms."""
REPLACED_S = 0.05
"""How long the place of a worker that was cancelled stays empty. At the end of the program's loop all are, and the
loop is gone before others could begin."""
_ABSENT = object()
STUBBORN_S = 2.0
"""How long the end waits for a handler that swallows its cancellation."""

logger = logging.getLogger("titan_bus")


class Workers:
    """At most `limit` tasks that call `step` until it returns False, then rest until `wake`.

    `step` handles its own errors. A step that is cancelled ends its worker, and another takes the place; so does
    one that leaves a context variable changed, which the next would see.

    Attributes:
        limit: may be changed; what is at work beyond it ends with its step. After a rise, `wake`.
    """

    def __init__(self, name: str, limit: int, step: Callable[[], Awaitable[bool]]) -> None:
        self._name = name
        self.limit = limit
        self._step = step
        self._context = contextvars.copy_context()
        self._tasks: set[asyncio.Task[None]] = set()
        self._resting: list[asyncio.Future[None]] = []
        self._paused_at = 0.0
        self._closed = False

    def wake(self, count: int) -> None:
        """Set up to `count` more workers to work."""
        while count > 0 and not self._closed:
            count -= 1
            if self._resting:
                rest = self._resting.pop()
                if not rest.done():  # else its worker was cancelled
                    rest.set_result(None)
            elif len(self._tasks) < self.limit:
                work = asyncio.get_running_loop().create_task(
                    self._work(), name=self._name, context=self._context.copy()
                )
                self._tasks.add(work)
            else:
                return

    def close(self) -> None:
        """End those that rest; those at work end with their step."""
        self._closed = True
        for rest in self._resting:
            if not rest.done():
                rest.set_result(None)
        self._resting.clear()

    def wanted(self) -> bool:
        """Whether the worker that asks is one of those that `limit` allows now."""
        return len(self._tasks) <= self.limit

    def running(self) -> set[asyncio.Task[None]]:
        """Return the tasks that have not ended, but for the one that asks."""
        return {task for task in self._tasks if task is not asyncio.current_task()}

    async def _work(self) -> None:
        size = len(self._context)
        try:
            while not self._closed and len(self._tasks) <= self.limit:
                if not await self._step():
                    if self.wanted():
                        await self._rest()
                    continue
                if time.perf_counter() - self._paused_at > TURN_S:
                    await asyncio.sleep(0)
                    self._paused_at = time.perf_counter()
                context = contextvars.copy_context()
                if len(context) != size or (size and not _same(context, self._context)):
                    break
        except BaseException as error:
            self._leave()
            if isinstance(error, asyncio.CancelledError):
                asyncio.get_running_loop().call_later(REPLACED_S, self.wake, 1)
            raise
        self._leave()
        self.wake(1)  # for what it was woken for, and did not do

    def _leave(self) -> None:
        # By itself and not when the task is done: what comes in between would find no worker.
        task = asyncio.current_task()
        if task is not None:
            self._tasks.discard(task)

    async def _rest(self) -> None:
        if self._closed:
            return
        rest = asyncio.get_running_loop().create_future()
        self._resting.append(rest)
        await rest


def _same(context: contextvars.Context, other: contextvars.Context) -> bool:
    """Whether what one holds is the same in the other; asking what is equal would call the program's code."""
    for name in context:  # noqa: SIM110 -- a generator would cost more than the loop, for every event
        if other.get(name, _ABSENT) is not context[name]:
            return False
    return True


async def cancel(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their end; those that refuse are named in the log and left behind."""
    for task in tasks:
        task.cancel()
    if tasks:
        _, stubborn = await asyncio.wait(tasks, timeout=STUBBORN_S)
        for task in stubborn:
            logger.error("%s does not end though it was cancelled", task.get_name())
