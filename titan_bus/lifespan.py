"""Lifespans: what a program opens before its handlers run and closes after them, such as a database pool.

Declared by `Handlers.lifespan`. `bus` enters the lifespans of a collection before it subscribes its handlers, and
leaves them after the last handler has ended, while the bus can still publish.
"""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, cast

from titan_bus.consumer.workers import cancel
from titan_bus.errors import HandlerRefusedError

Context = Callable[[Any], AbstractAsyncContextManager[Any]]
Lifespan = Callable[[Any], AbstractAsyncContextManager[Any] | AsyncIterator[Any]]
"""Takes the `Bus`; an async generator with one `yield`, or what returns an async context manager."""

logger = logging.getLogger("titan_bus")


def context_of(lifespan: Lifespan) -> Context:
    """Return what makes the context manager of a lifespan.

    Raises:
        HandlerRefusedError: it is neither an async generator nor a function that returns a context manager.
    """
    if inspect.isasyncgenfunction(lifespan):
        return asynccontextmanager(lifespan)
    if (
        inspect.iscoroutinefunction(lifespan)
        or inspect.isgeneratorfunction(lifespan)
        or not callable(lifespan)
    ):
        name = str(getattr(lifespan, "__qualname__", lifespan))
        raise HandlerRefusedError(
            name, "a lifespan is an async generator: write `async def`, and one `yield`"
        )
    return cast("Context", lifespan)


class _Running:
    """One lifespan. It is entered and left in one task, as a TaskGroup or a timeout within it requires."""

    def __init__(self, context: AbstractAsyncContextManager[Any]) -> None:
        self._context = context
        self._over = asyncio.Event()
        self.entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._run(), name="titan_bus lifespan")

    def end(self) -> None:
        self._over.set()

    async def _run(self) -> None:
        try:
            async with self._context:
                if not self.entered.done():
                    self.entered.set_result(None)
                await self._over.wait()
        except BaseException as error:
            if not self.entered.done():  # whoever enters it gets the error
                self.entered.set_exception(error)
                return
            if not isinstance(error, Exception):
                raise
            when = "at its end" if self._over.is_set() else "while its handlers run, and is over"
            logger.exception("a lifespan failed %s", when)


class Lifespans:
    """The entered lifespans of one bus."""

    def __init__(self) -> None:
        self._running: dict[Context, _Running] = {}

    async def enter(self, contexts: Iterable[Context], bus: object) -> list[Context]:
        """Enter one after another those that are not entered yet; all or none. Returns them.

        Raises whatever one of them raises.
        """
        begun: list[Context] = []
        try:
            for context in contexts:
                if context in self._running:
                    continue
                running = self._running[context] = _Running(context(bus))
                begun.append(context)
                await running.entered
        except BaseException:
            await self.leave(0.0, begun)
            raise
        return begun

    async def leave(self, timeout_s: float, contexts: Iterable[Context] | None = None) -> None:
        """Leave these, or all, the last one first. Those that take longer than `drain_s` are cancelled."""
        leaving = tuple(self._running) if contexts is None else tuple(contexts)
        tasks = []
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    for context in reversed(leaving):
                        running = self._running.pop(context)
                        tasks.append(running.task)
                        running.end()
                        await asyncio.wait([running.task])
        finally:
            rest = [self._running.pop(context).task for context in leaving if context in self._running]
            await cancel({task for task in (*tasks, *rest) if not task.done()})
