"""The shared connection for everything that does not block; readers that block have a `channel` each.

It heals itself: what it had in flight when the server went is sent again when the server is back, or fails when
its time is over. So a command may be executed twice; every command of this package bears that.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice, pairwise
from threading import get_ident
from typing import Any

from titan_bus.backoff import Backoff
from titan_bus.connections.endpoint import Dialer
from titan_bus.connections.wire import Command, Wire, Word
from titan_bus.errors import (
    BusClosedError,
    BusOverloadedError,
    BusThreadError,
    BusUnavailableError,
    ServerRefusedError,
)

REPLY_TIMEOUT_S = 3.0
"""A server that owes replies and sends nothing for so long is taken for dead; less than the patience of a publish,
so that one over a connection that died without a word is sent once more in time."""
WATCH_S = 0.5
"""How often what waits is looked at; who waits may hear so much later that their time is over."""
AGAIN_S = 0.1
"""How long a command rests that the server cannot serve now."""
NOT_NOW = frozenset({"BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "NOREPLICAS", "TRYAGAIN"})
"""Refusals that pass by themselves: the command is sent again while its time lasts."""
NOBODY_SERVES = "CLUSTERDOWN"
"""The one of them that only this node may say, of a cluster that goes on without it (`cluster_connection`)."""
NOT_HERE = "READONLY"
"""The refusal of a primary that became a replica: the command waits for the server that took its place."""
IN_FLIGHT_MAX = 1_000
FLUSH_BYTES = 256 * 1024
"""About so much is written in one turn of the loop: TLS holds it for 12 ms a MiB."""
TOLD_AT_ONCE = 1_000
"""So many are told in one turn of the loop that their time is over."""
WAITING_BYTES_MAX = 64 * 1024 * 1024

logger = logging.getLogger("titan_bus")


def unheeded(future: asyncio.Future[Any]) -> None:
    """Mark a failure as seen; the done-callback of a command whose outcome changes nothing."""
    if not future.cancelled():
        future.exception()


class Connection:
    """The shared connection: commands of one loop turn leave in one write, replies come in order.

    What waits is given up from its front, since mostly all of it has the same patience. `_uneven` says that
    something may stand before what has less; then all of it is looked at.

    Attributes:
        not_now: the refusals after which a command is sent again on this connection.
    """

    def __init__(self, endpoint: Dialer, patience_s: float) -> None:
        self._endpoint = endpoint
        self._patience_s = patience_s
        self._loop: asyncio.AbstractEventLoop
        self._wire: Wire | None = None
        self._open = False
        self._waiting: deque[Command] = deque()
        self._waiting_bytes = 0
        self._late: deque[Command] = deque()
        self._uneven = False
        self._thread = 0
        self._aside: list[Command] = []
        self._aside_reason = ""
        self._aside_at = -WATCH_S
        self._flush_due = False
        self._reconnecting: asyncio.Task[None] | None = None
        self._backoff = Backoff()
        self._watchdog: asyncio.TimerHandle | None = None
        self._watched = (0, 0.0)
        self._listeners: list[Callable[[bool], None]] = []
        self.not_now = NOT_NOW

    @property
    def connected(self) -> bool:
        """Whether the server answered last time."""
        return self._wire is not None

    @property
    def address(self) -> str:
        """Where it leads, without a password."""
        return self._endpoint.address

    def nodes(self) -> "list[Connection]":
        """Return a connection for each server that has keys: one, but in a cluster."""
        return [self]

    def on_change(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call `listener` when the server goes (False) and when it is back (True); returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    async def open(self) -> None:
        """Connect.

        Raises:
            BusUnavailableError: the server does not answer now.
        """
        self._loop = asyncio.get_running_loop()
        wire = await self._endpoint.open()
        self._open = True
        self._use(wire)

    def start(self) -> None:
        """Connect in the background; what is called meanwhile waits as it does for a server that went away."""
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._reconnecting = self._loop.create_task(self._reconnect(), name="titan_bus connect")

    def call(
        self, *words: Word, patience_s: float | None = None, answer: object = None
    ) -> asyncio.Future[Any]:
        """Send a command; the future has the reply, or `answer` in its place.

        Cancelling the future does not take the command back. The future fails with BusUnavailableError when the
        server has not answered within `patience_s`, and with ServerRefusedError when it refuses.

        Raises:
            BusClosedError: the bus is not open, or its loop is closed.
            BusOverloadedError: 64 MiB are waiting already.
            BusThreadError: this is another thread than the loop's.
        """
        if get_ident() != self._thread:  # also when it is not open
            self._check_thread()
        if self._waiting_bytes > WAITING_BYTES_MAX:
            raise BusOverloadedError(self._waiting_bytes)
        if patience_s is None:
            patience_s = self._patience_s
        else:
            self._uneven = True
        expires_at = self._loop.time() + patience_s
        command = Command(words, self._loop.create_future(), answer=answer, expires_at=expires_at)
        if not self._flush_due:
            self._flush_soon()
        self._waiting.append(command)
        self._waiting_bytes += len(command.packed)
        if self._watchdog is None:
            self._watch()
        return command.future

    async def drain(self) -> None:
        """Wait until everything that was sent is answered or has failed."""
        while pending := [command.future for command in self._in_flight() if not command.future.done()]:
            await asyncio.wait(pending)

    async def close(self) -> None:
        """Close at once; what is still waiting fails with BusClosedError."""
        self._open = False
        self._thread = 0
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._reconnecting is not None:
            self._reconnecting.cancel()
            await asyncio.wait([self._reconnecting])
        for command in self._in_flight():
            command.fail(BusClosedError())
        self._late.clear()
        self._waiting.clear()
        self._waiting_bytes = 0
        self._aside.clear()
        if self._wire is not None:
            self._wire.unanswered.clear()
            self._wire.close()
            self._wire = None
            self._tell(connected=False)
            await asyncio.sleep(0)  # the transport closes its socket in the next turn of the loop

    def _check_thread(self) -> None:
        """Refuse a call from outside the loop, which may have gone to another thread itself."""
        if not self._open:
            raise BusClosedError
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is not self._loop and self._loop.is_running():
            raise BusThreadError
        self._thread = get_ident()

    def _use(self, wire: Wire) -> None:
        wire.on_lost = self._lose
        wire.on_room = self._go_on
        wire.on_refused = self._put_aside
        self._wire = wire
        self._watched = (wire.received, self._loop.time())
        if wire.lost:  # between the greeting and here
            self._lose()
            return
        self._tell(connected=True)
        self._flush()

    def _unanswered(self) -> list[Command]:
        return [*self._aside, *(self._wire.unanswered if self._wire is not None else ())]

    def _in_flight(self) -> list[Command]:
        return [*self._late, *self._waiting, *self._unanswered()]

    def _wait_again(self, commands: Sequence[Command]) -> None:
        """Take back what was sent already; it comes before all else."""
        self._waiting.extendleft(reversed(commands))
        first = islice(self._waiting, len(commands) + 1)
        self._uneven |= any(one.expires_at > other.expires_at for one, other in pairwise(first))
        self._waiting_bytes += sum(len(command.packed) for command in commands)

    def _put_aside(self, command: Command, error: ServerRefusedError) -> bool:
        """Keep a command that the server, or this server, cannot serve now, while its time lasts."""
        if self._wire is None or (error.code != NOT_HERE and error.code not in self.not_now):
            return False
        if error.code == NOT_HERE:
            self._wire.close()  # what is aside goes with the rest of it to the next one
        elif not self._aside:
            self._loop.call_later(AGAIN_S, self._take_up)
        self._aside.append(command)
        self._aside_reason = str(error)
        self._aside_at = self._loop.time()
        return True

    def _take_up(self) -> None:
        """Send what was put aside again."""
        self._wait_again(self._aside)
        self._aside.clear()
        self._expire(BusUnavailableError(self._endpoint.address, self._aside_reason))
        self._flush()

    def _flush(self) -> None:
        self._flush_due = False
        if self._wire is None or self._wire.lost or self._wire.full or not self._waiting:
            return
        # What is aside counts: else all that waits would go there, beyond WAITING_BYTES_MAX, again and again.
        room = IN_FLIGHT_MAX - len(self._wire.unanswered) - len(self._aside)
        if room <= 0:
            return  # the next replies flush again, or `_take_up`
        if self._waiting_bytes <= FLUSH_BYTES and len(self._waiting) <= room and not self._late:
            batch = list(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
        else:
            batch = self._first(room)
        self._wire.send(batch)

    def _first(self, room: int) -> list[Command]:
        """Take as much from the front of what waits as one write may have."""
        batch: list[Command] = []
        size = 0
        while self._waiting and len(batch) < room and size < FLUSH_BYTES:
            command = self._waiting.popleft()
            batch.append(command)
            size += len(command.packed)
        self._waiting_bytes -= size
        if self._waiting and len(batch) < room and not self._flush_due:
            self._flush_soon()
        return batch

    def _go_on(self) -> None:
        """Send more now that there is room, in the next turn: TLS hands over several pieces in one."""
        if self._waiting and not self._flush_due:
            self._flush_soon()

    def _flush_soon(self) -> None:
        try:
            self._loop.call_soon(self._flush)
        except RuntimeError as error:  # the loop is closed
            raise BusClosedError from error
        self._flush_due = True

    def _watch(self) -> None:
        self._watched = (self._wire.received if self._wire is not None else 0, self._loop.time())
        self._watchdog = self._loop.call_later(WATCH_S, self._look)

    def _look(self) -> None:
        """Tell those whose time is over, and drop a wire that owes replies and is silent."""
        self._watchdog = None
        # What was refused is on its way to be refused again as often as it is aside.
        refused = self._aside or self._loop.time() - self._aside_at < WATCH_S
        reason = self._aside_reason if refused else "no answer"
        self._expire(BusUnavailableError(self._endpoint.address, reason))
        if not (self._waiting or self._unanswered()):
            return
        self._watchdog = self._loop.call_later(WATCH_S, self._look)
        if self._wire is None:
            return
        received, since = self._watched
        if received != self._wire.received:
            self._watched = (self._wire.received, self._loop.time())
        elif self._wire.unanswered and self._loop.time() - since > REPLY_TIMEOUT_S:
            self._wire.close()

    def _lose(self) -> None:
        wire = self._wire
        if wire is None or not self._open:
            return
        self._wait_again(self._unanswered())
        wire.unanswered.clear()
        reason = self._aside_reason if self._aside else "connection lost"
        if wire.answered and not self._aside:
            self._backoff.reset()
        self._aside.clear()
        self._wire = None
        logger.info("lost %s (%s), reconnecting", self._endpoint.address, reason)
        self._expire(BusUnavailableError(self._endpoint.address, reason))
        self._reconnecting = self._loop.create_task(self._reconnect(), name="titan_bus reconnect")
        self._tell(connected=False)

    async def _reconnect(self) -> None:
        said = ""
        while True:
            # Before the first attempt too: a server that takes connections and drops them is not to be stormed.
            await self._backoff.pause()
            try:
                wire = await self._endpoint.open()
            except BusUnavailableError as error:
                self._expire(error)
            except (
                Exception
            ) as error:  # a supervisor: whatever a dialer stumbles over, the next attempt comes
                if repr(error) != said:  # or it would fill the log, twice a second
                    said = repr(error)
                    logger.exception("%s could not be dialled, trying again", self._endpoint.address)
            else:
                self._use(wire)  # one that is lost already has begun the next reconnection
                return

    def _expire(self, error: BusUnavailableError) -> None:
        """Fail what is too old. What was sent already keeps its place, so that the replies stay in step."""
        now = self._loop.time()
        for command in self._unanswered():
            if command.expires_at <= now:
                command.fail(error)
        if self._uneven and (late := [command for command in self._waiting if command.expires_at <= now]):
            self._waiting = deque([command for command in self._waiting if command.expires_at > now])
            self._late.extend(late)
        self._uneven = self._uneven and bool(self._waiting)
        self._tell_late(error, now)

    def _tell_late(self, error: BusUnavailableError, now: float) -> None:
        """Fail what is too old, some in each turn: there may be 200,000.

        Where all have the same patience these are the first that wait; `_late` has those from between others.
        """
        for _ in range(TOLD_AT_ONCE):
            if self._late:
                command = self._late.popleft()
            elif self._waiting and self._waiting[0].expires_at <= now:
                command = self._waiting.popleft()
            else:
                return
            self._waiting_bytes -= len(command.packed)
            command.fail(error)
        self._loop.call_soon(self._tell_late, error, now)

    def _tell(self, *, connected: bool) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(connected)
            except Exception:  # a listener's fault must not stop the reconnection
                logger.exception("a connection listener raised")
