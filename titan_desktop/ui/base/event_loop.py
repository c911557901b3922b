"""asyncio on Qt's event loop: qasync's loop with fixes for faults that a daily-used window would meet.

`app` runs the window on `AppLoop`; no other module distinguishes it from a plain asyncio loop. qasync 0.28 starts
one coarse Qt timer a callback, wakes sleepers early, overflows after 24.8 days, keeps the timers of cancelled
handles, loses tasks inside a nested Qt loop (qasync issue #174), drops context variables between threads, and
hangs on SystemExit in a thread. Each fix below names its fault.
"""

import asyncio
import math
import time
from asyncio import tasks
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, TypeVarTuple

import qasync
from PySide6.QtCore import QObject, Qt, QTimerEvent, Signal
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    _QtLoop = asyncio.SelectorEventLoop
else:
    _QtLoop = qasync.QEventLoop

_Ts = TypeVarTuple("_Ts")

TIMER_MS_MAX = 2_000_000_000
"""Qt counts a timer's milliseconds in 32 bits with a sign; a longer delay is split."""
TURN_S = 0.008
"""Callbacks may take this much of the thread before Qt gets a turn: half a frame at 60 Hz."""


class _Clock(QObject):
    """The Qt timers behind a loop: one for everything that is ready, one for each waiting handle."""

    posted = Signal(object)
    """A handle from another thread; Qt queues it into this one."""

    def __init__(self, loop: "AppLoop") -> None:
        super().__init__()
        self._loop = loop
        self._ready: deque[asyncio.Handle] = deque()
        self._ready_timer = 0
        self._waiting: dict[int, asyncio.TimerHandle] = {}
        self._timers: dict[asyncio.TimerHandle, int] = {}
        self._put_off_handles: list[asyncio.TimerHandle] = []
        self._stopped = False
        self.posted.connect(self.run_soon)

    @property
    def waiting(self) -> int:
        """How many Qt timers are waiting."""
        return len(self._waiting)

    def run_soon(self, handle: asyncio.Handle) -> None:
        """Run the handle in the next turn; one Qt timer serves a whole turn."""
        if self._stopped:
            return
        self._ready.append(handle)
        self._arm()

    def run_at(self, handle: asyncio.TimerHandle) -> None:
        """Run the handle when its time has come, never before: milliseconds round up, the timer is precise."""
        if self._stopped:
            return
        delay_ms = math.ceil((handle.when() - self._loop.time()) * 1000)
        timer = self.startTimer(min(max(0, delay_ms), TIMER_MS_MAX), Qt.TimerType.PreciseTimer)
        self._waiting[timer] = handle
        self._timers[handle] = timer

    def forget(self, handle: asyncio.TimerHandle) -> None:
        """Free the timer of a cancelled handle; a timeout of an hour must not live an hour."""
        timer = self._timers.pop(handle, None)
        if timer is not None:
            del self._waiting[timer]
            self.killTimer(timer)

    def stop(self) -> None:
        """Stop running handles. qasync calls it when the loop is closed."""
        self._stopped = True
        for timer in (*self._waiting, self._ready_timer):
            if timer:
                self.killTimer(timer)
        self._ready.clear()
        self._put_off_handles.clear()
        self._waiting.clear()
        self._timers.clear()

    def set_debug(self, enabled: bool) -> None:  # noqa: FBT001  # qasync calls it so
        """Do nothing: qasync asks its own timer for its own log lines."""

    def timerEvent(self, event: QTimerEvent) -> None:
        """Run what is due.

        When a coroutine opened a nested Qt loop (a native dialog does), its task is still entered and asyncio
        would refuse to step another one: leave it for as long as the callbacks run.
        """
        timer = event.timerId()
        self.killTimer(timer)
        if asyncio._get_running_loop() is not self._loop:  # noqa: SLF001  # public, but raises where there is none
            self._put_off(timer)
            return
        interrupted = tasks.current_task(self._loop)
        if interrupted is not None:
            tasks._leave_task(self._loop, interrupted)  # noqa: SLF001  # asyncio documents it for loop authors
        try:
            if timer == self._ready_timer:
                self._ready_timer = 0
                self._run_turn()
            else:
                self._run_waiting(timer)
        finally:
            if interrupted is not None:
                tasks._enter_task(self._loop, interrupted)  # noqa: SLF001  # the other half

    def resume(self) -> None:
        """Start the timers again that fired while the loop was not running."""
        self._arm()
        handles, self._put_off_handles = self._put_off_handles, []
        for handle in handles:
            if not handle.cancelled():
                self.run_at(handle)

    def _put_off(self, timer: int) -> None:
        """Keep for the next run what fired between two runs: Qt events are processed without the loop.

        asyncio's own loop runs nothing then, and a callback would find no running loop.
        """
        if timer == self._ready_timer:
            self._ready_timer = 0
        elif (handle := self._waiting.pop(timer, None)) is not None:
            del self._timers[handle]
            self._put_off_handles.append(handle)

    def _arm(self) -> None:
        if self._ready and not self._ready_timer:
            self._ready_timer = self.startTimer(0)

    def _run_turn(self) -> None:
        turn_ends = time.perf_counter() + TURN_S
        for _ in range(len(self._ready)):
            if not self._ready:  # a nested Qt loop has run the rest
                break
            handle = self._ready.popleft()
            self._arm()  # before it runs: the callback may open a nested loop, which must find the others
            self._run(handle)
            if time.perf_counter() > turn_ends:
                break
        if self._ready_timer and not self._ready:
            self.killTimer(self._ready_timer)
            self._ready_timer = 0

    def _run_waiting(self, timer: int) -> None:
        handle = self._waiting.pop(timer, None)
        if handle is None:
            return
        del self._timers[handle]
        if handle.when() > self._loop.time():  # a leg of a long delay, or Qt was early
            self.run_at(handle)
        else:
            self._run(handle)

    def _run(self, handle: asyncio.Handle) -> None:
        if handle.cancelled():
            return
        try:
            handle._run()  # noqa: SLF001  # what a loop does with a handle
        except (SystemExit, KeyboardInterrupt) as error:
            # PySide would print it or end the process at once: carry it out of run_forever, as asyncio does.
            self._loop.interrupt(error)


class AppLoop(_QtLoop):
    """The window's event loop. Made once, after the QApplication."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)  # type: ignore[arg-type]  # qasync's argument, not the selector's
        self._timer = self._clock = _Clock(self)
        self._interruption: BaseException | None = None

    # asyncio's own executor passes SystemExit on where qasync's thread dies of it and the caller waits for ever;
    # and Runner shuts it down.
    run_in_executor = asyncio.BaseEventLoop.run_in_executor
    set_default_executor = asyncio.BaseEventLoop.set_default_executor  # type: ignore[assignment]  # typeshed's own

    @property
    def sleeping_timers(self) -> int:
        """How many Qt timers wait for their time."""
        return self._clock.waiting

    def run_forever(self) -> None:
        """Run until stopped.

        Raises:
            SystemExit, KeyboardInterrupt: a callback raised it.
        """
        self._clock.resume()
        super().run_forever()
        interruption, self._interruption = self._interruption, None
        if interruption is not None:
            raise interruption

    def interrupt(self, error: BaseException) -> None:
        """Stop, and raise this from `run_forever`."""
        self._interruption = error
        self.stop()

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run the callback in the next turn."""
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        self._clock.run_soon(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run the callback in the next turn; from any thread. The handle takes the caller's context variables."""
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        self._clock.posted.emit(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run the callback after `delay` seconds."""
        return self.call_at(self.time() + max(0.0, delay), callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run the callback when the loop's clock shows `when`, however far away that is."""
        self._check_closed()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        handle._scheduled = True  # type: ignore[attr-defined]  # noqa: SLF001  # else cancel() does not tell the loop
        self._clock.run_at(handle)
        return handle

    def _check_closed(self) -> None:
        if self.is_closed():
            raise RuntimeError("Event loop is closed")

    def _add_callback(self, handle: asyncio.Handle, _delay: float = 0) -> asyncio.Handle:
        """Take a reader's, a writer's or a signal's handle: asyncio and qasync call this."""
        self._clock.run_soon(handle)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by `TimerHandle.cancel`."""
        self._clock.forget(handle)
