"""A task factory that starts each task at once, in the middle of `create_task`, as programs may set it.

From Python 3.12 on it is asyncio's own. For 3.11 it is made here, of asyncio's task in Python, so that the claims
hold on every version that runs the tests.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any


def use(loop: asyncio.AbstractEventLoop) -> None:
    """Let this loop start its tasks eagerly."""
    loop.set_task_factory(factory())


def factory() -> Any:
    """Return the factory."""
    return getattr(asyncio, "eager_task_factory", _started)


def _started(loop: Any, work: Coroutine[Any, Any, Any], **options: Any) -> Any:
    """Make a task, and run its first step now, in the place of the running task."""
    tasks: Any = asyncio.tasks
    task = tasks._PyTask(work, loop=loop, **options)
    if not loop.is_running():
        return task
    first_step = loop._ready.pop()
    running = asyncio.current_task(loop)
    if running is not None:
        tasks._leave_task(loop, running)
    try:
        first_step._run()
    finally:
        if running is not None:
            tasks._enter_task(loop, running)
    return task
