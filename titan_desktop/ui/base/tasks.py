"""The supervisor of the window's tasks: names them, reports their faults and ends them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Tasks:
    """Runs coroutines for the window. A fault is logged and reported; it never ends the program.

    Args:
        on_fault: called with the exception of a failed task.
    """

    def __init__(self, on_fault: Callable[[BaseException], None]) -> None:
        self._on_fault = on_fault
        self._tasks: dict[str, asyncio.Task[object]] = {}
        self._number = 0
        self._closed = False

    def start(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Run `work` concurrently."""
        self._number += 1
        self._own(work, f"{name} #{self._number}")

    def replace(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Run `work`, and cancel the task of the same name: only the newest matters."""
        self.cancel(name)
        self._own(work, name)

    def cancel(self, name: str) -> None:
        """Cancel the task that `replace` started under this name, if it runs."""
        former = self._tasks.pop(name, None)
        if former is not None:
            former.cancel()

    async def close(self, timeout_s: float) -> None:
        """Cancel all tasks, wait at most `timeout_s`, and accept no more."""
        self._closed = True
        running = list(self._tasks.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=timeout_s)

    def _own(self, work: Coroutine[Any, Any, object], name: str) -> None:
        if self._closed:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[object]) -> None:
        if self._tasks.get(task.get_name()) is task:
            del self._tasks[task.get_name()]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("the task %r failed", task.get_name(), exc_info=error)
            self._on_fault(error)
