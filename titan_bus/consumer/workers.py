"""A pool of tasks that repeat one step and wait while there is nothing to do.

A task is created when it is first needed and lives until `close`: waking one costs a third of creating one.
`processor` runs its handlers in them.
"""

import asyncio
import contextvars
import logging
import time
from collections.abc import Awaitable, Callable

YIELD_AFTER_S = 0.004
"""How long handlers that never wait may run before other tasks get a turn; the window's frame is 16 ms."""
REPLACE_DELAY_S = 0.05
"""How long a cancelled worker is not replaced. When the program's loop ends, all tasks are cancelled, and the loop
is closed before replacements could start."""
_ABSENT = object()
CANCEL_TIMEOUT_S = 2.0
"""How long shutdown waits for a handler that swallows its cancellation."""

logger = logging.getLogger("titan_bus")


class Workers:
    """At most `limit` tasks that call `step` until it returns False, then wait for `wake`.

    `step` handles its own errors. A worker ends and is replaced when its step is cancelled, or leaves a context
    variable changed, which the next step would see.

    Attributes:
        limit: may be changed. Workers beyond it end after their step. Call `wake` after raising it.
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
        """Start up to `count` more workers."""
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
                work.add_done_callback(
                    self._tasks.discard
                )  # one that is cancelled before it began never leaves
            else:
                return

    def close(self) -> None:
        """End idle workers; busy ones end after their step."""
        self._closed = True
        for rest in self._resting:
            if not rest.done():
                rest.set_result(None)
        self._resting.clear()

    def wanted(self) -> bool:
        """Whether the calling worker is within `limit`."""
        return len(self._tasks) <= self.limit

    def running(self) -> set[asyncio.Task[None]]:
        """Return the tasks that have not ended, except the calling one."""
        return {task for task in self._tasks if task is not asyncio.current_task()}

    async def _work(self) -> None:
        size = len(self._context)
        try:
            # With `asyncio.eager_task_factory` it would run within `wake`: before it is among the tasks, in the
            # middle of whatever queued the event.
            await asyncio.sleep(0)
            while not self._closed and len(self._tasks) <= self.limit:
                if not await self._step():
                    if self.wanted():
                        await self._rest()
                    continue
                if time.perf_counter() - self._paused_at > YIELD_AFTER_S:
                    await asyncio.sleep(0)
                    self._paused_at = time.perf_counter()
                context = contextvars.copy_context()
                if len(context) != size or (size and not _same(context, self._context)):
                    break
        except BaseException as error:
            self._leave()
            if isinstance(error, asyncio.CancelledError):
                asyncio.get_running_loop().call_later(REPLACE_DELAY_S, self.wake, 1)
            raise
        self._leave()
        self.wake(1)  # for the wake-up that this worker did not serve

    def _leave(self) -> None:
        # Here and not in a done callback: a `wake` in between would count this worker as available.
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
    """Whether both contexts hold the same objects. Identity, because `==` would call the program's code."""
    for name in context:  # noqa: SIM110 -- a generator would cost more than the loop, for every event
        if other.get(name, _ABSENT) is not context[name]:
            return False
    return True


async def cancel(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for them; those that do not end are logged and left running."""
    for task in tasks:
        task.cancel()
    if tasks:
        _, stubborn = await asyncio.wait(tasks, timeout=CANCEL_TIMEOUT_S)
        for task in stubborn:
            logger.error("%s did not end after it was cancelled", task.get_name())
