"""The window's loop keeps asyncio's promises where qasync breaks them."""

import asyncio
import contextvars
import socket
import sys
import time

import pytest
from PySide6.QtCore import QEventLoop

from titan_desktop.ui.base.event_loop import AppLoop


def loop() -> AppLoop:
    running = asyncio.get_running_loop()
    assert isinstance(running, AppLoop)
    return running


async def test_ui_tests_run_on_the_windows_loop():
    """The suites of the window run on its own loop, not on asyncio's."""
    assert isinstance(asyncio.get_running_loop(), AppLoop)


async def test_nested_qt_loop_lets_other_tasks_step():
    """A coroutine that opens a nested Qt loop does not stop, nor break, the other tasks."""
    nested = QEventLoop()
    steps = []

    async def other():
        for step in range(5):
            steps.append((step, asyncio.current_task().get_name()))
            await asyncio.sleep(0)
        loop().call_soon(nested.quit)

    task = asyncio.create_task(other(), name="other")
    me = asyncio.current_task()
    nested.exec()
    assert asyncio.current_task() is me
    await task
    assert steps == [(step, "other") for step in range(5)]


async def test_nested_qt_loop_finds_what_was_ready():
    """Callbacks of the turn in which a nested Qt loop opens run inside it."""
    nested = QEventLoop()
    done = asyncio.Event()

    def open_nested():
        nested.exec()
        done.set()

    loop().call_soon(open_nested)
    loop().call_soon(nested.quit)
    await asyncio.wait_for(done.wait(), 30)


@pytest.mark.parametrize("delay_s", [0.001, 0.0105, 0.1])
async def test_a_sleeper_is_never_woken_early(delay_s):
    """A sleep takes at least its time."""
    begin = time.perf_counter()
    await asyncio.sleep(delay_s)
    assert time.perf_counter() - begin >= delay_s


async def test_delays_beyond_24_days_do_not_overflow():
    """A delay that does not fit into Qt's 32 bits waits instead of firing at once."""
    fired = []
    handle = loop().call_later(40 * 86_400, fired.append, "early")
    await asyncio.sleep(0.01)
    assert not fired
    handle.cancel()


async def test_a_cancelled_timer_is_freed_at_once():
    """A cancelled timeout leaves no Qt timer behind."""
    before = loop().sleeping_timers
    handles = [loop().call_later(3600, print) for _ in range(100)]
    assert loop().sleeping_timers == before + 100
    for handle in handles:
        handle.cancel()
    assert loop().sleeping_timers == before


async def test_call_soon_threadsafe_keeps_context_variables():
    """A callback from another thread sees that thread's context variables."""
    variable = contextvars.ContextVar("variable", default="lost")
    seen = loop().create_future()
    running = loop()

    def in_thread():
        variable.set("kept")
        running.call_soon_threadsafe(lambda: seen.set_result(variable.get()))

    await asyncio.to_thread(in_thread)
    assert await seen == "kept"


async def test_system_exit_in_a_thread_reaches_the_awaiter():
    """SystemExit in to_thread is raised where the thread is awaited; nobody waits for ever."""
    with pytest.raises(SystemExit):
        await asyncio.to_thread(sys.exit, 3)


async def test_an_exception_in_a_callback_reaches_the_handler():
    """The loop's exception handler gets what a callback raised, and the loop goes on."""
    caught = loop().create_future()
    loop().set_exception_handler(lambda _loop, context: caught.set_result(context["exception"]))
    try:
        loop().call_soon(lambda: 1 / 0)
        assert isinstance(await asyncio.wait_for(caught, 30), ZeroDivisionError)
    finally:
        loop().set_exception_handler(None)


async def test_callbacks_run_in_the_order_of_call_soon():
    """First called, first run, as asyncio promises."""
    order = []
    for number in range(50):
        loop().call_soon(order.append, number)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == list(range(50))


async def test_streams_and_subprocesses_work():
    """Sockets and child processes work on the loop."""
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=ours)
    reader, other = await asyncio.open_connection(sock=theirs)
    writer.write(b"x" * 100_000)
    writer.write_eof()
    assert len(await asyncio.wait_for(reader.read(), 30)) == 100_000
    writer.close()
    other.close()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(input())", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(b"hello\n"), 20)
    assert out.strip() == b"hello"


def test_system_exit_in_a_task_leaves_run_forever(qapp):
    """SystemExit that a task lets through ends the loop and is raised to whoever runs it."""

    async def leave():
        raise SystemExit(4)

    own = AppLoop(qapp)
    task = own.create_task(leave())
    with pytest.raises(SystemExit) as raised:
        own.run_forever()
    assert raised.value.code == 4
    assert isinstance(task.exception(), SystemExit)
    own.close()


def test_nothing_runs_between_two_runs(qapp):
    """Qt events that are turned over while the loop does not run leave its callbacks for the next run."""
    own = AppLoop(qapp)
    ran = []
    own.call_soon(ran.append, "soon")
    own.call_later(0, ran.append, "later")
    qapp.processEvents()
    assert not ran

    async def wait() -> None:
        await asyncio.sleep(0.01)

    own.run_until_complete(wait())
    assert sorted(ran) == ["later", "soon"]
    own.close()


def test_a_closed_loop_refuses(qapp):
    """A closed loop takes no more callbacks, from no thread."""
    own = AppLoop(qapp)
    own.close()
    with pytest.raises(RuntimeError, match="closed"):
        own.call_soon(print)
    with pytest.raises(RuntimeError, match="closed"):
        own.call_soon_threadsafe(print)
