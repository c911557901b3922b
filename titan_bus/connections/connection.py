"""The shared connection for all commands that do not block; each reader that blocks has a `channel`.

It reconnects by itself. Commands in flight when the server went away are sent again when it is back, or fail when
their time is over. So a command may be executed twice; every command of this package is safe in that case.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice, pairwise
from threading import get_ident
from typing import Any
from weakref import WeakSet

from titan_bus.backoff import Backoff
from titan_bus.connections.endpoint import Dialer
from titan_bus.connections.keys import Word, prefixed
from titan_bus.connections.wire import Command, Wire
from titan_bus.errors import (
    AccessRefusedError,
    BusClosedError,
    BusForkedError,
    BusOverloadedError,
    BusThreadError,
    BusUnavailableError,
    ServerRefusedError,
)
from titan_bus.running_time import Steps

REPLY_TIMEOUT_S = 3.0
"""A server that owes replies and is silent for this long is considered dead. Less than the patience of a publish,
so that one sent over a dead connection is sent once more in time."""
WATCH_S = 0.5
"""The interval of the checks for expired commands; a failure may be reported late by this much."""
RESEND_AFTER_S = 0.1
"""How long a command waits that the server cannot serve now."""
TRANSIENT = frozenset({"BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "NOREPLICAS", "TRYAGAIN"})
"""Refusals that pass by themselves: the command is sent again while its time lasts."""
CLUSTER_DOWN = "CLUSTERDOWN"
"""The refusal among them that concerns only this node, in a cluster that works without it
(`cluster_connection`)."""
DEMOTED = "READONLY"
"""The refusal of a primary that became a replica: the command waits for the new primary."""
IN_FLIGHT_MAX = 1_000
FLUSH_BYTES = 256 * 1024
"""About how much is written in one turn of the loop: TLS takes 12 ms a MiB."""
EXPIRED_AT_ONCE = 1_000
"""How many expired commands fail in one turn of the loop."""
WAITING_BYTES_MAX = 64 * 1024 * 1024

logger = logging.getLogger("titan_bus")
_connections: WeakSet["Connection"] = WeakSet()
"""Those of this process, for the child of a fork."""


def _leave_to_parent() -> None:
    """Let the next call of each connection look whose it is: a child has its parent's sockets."""
    for connection in _connections:
        connection._thread = 0  # noqa: SLF001 -- this module's own


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_leave_to_parent)


def ignore_failure(future: asyncio.Future[Any]) -> None:
    """Mark a failure as seen; a done-callback for commands whose outcome does not matter."""
    if not future.cancelled():
        future.exception()


class Connection:
    """The shared connection: the commands of one loop turn are sent in one write, replies come in order.

    Expired commands are removed from the front of the queue, because mostly all have the same patience. `_uneven`
    is true when a command may stand before one with less; then the whole queue is checked.

    Attributes:
        prefix: stands before every key on the server; callers do without it.
        transient: the refusals after which a command is sent again on this connection.
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
        self._pid = 0
        self._held_back: list[Command] = []
        self._held_back_reason = ""
        self._held_back_at = -WATCH_S
        self._flush_due = False
        self._reconnecting: asyncio.Task[None] | None = None
        self._trouble: BusUnavailableError | None = None
        self._backoff = Backoff()
        self._watchdog: asyncio.TimerHandle | None = None
        self._watched = (0, 0.0)
        self._steps = Steps()
        self._stood_still_s = 0.0
        self._listeners: list[Callable[[bool], None]] = []
        self.prefix = ""
        self.transient = TRANSIENT
        _connections.add(self)

    @property
    def connected(self) -> bool:
        """Whether the server answered last time."""
        return self._wire is not None

    @property
    def address(self) -> str:
        """The server's address, without a password."""
        return self._endpoint.address

    def nodes(self) -> "list[Connection]":
        """Return a connection for each server that has keys; one, except in a cluster."""
        return [self]

    def refusal(self) -> AccessRefusedError | None:
        """Return why a server does not let us in now, None when none refuses us."""
        troubles = (node._trouble for node in self.nodes())  # noqa: SLF001 -- of the same kind
        return next((trouble for trouble in troubles if isinstance(trouble, AccessRefusedError)), None)

    def on_change(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call `listener` with False when the connection is lost, True when it is back. Returns a remover."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    async def open(self) -> None:
        """Connect.

        Raises:
            BusUnavailableError: the server does not answer now.
        """
        self._loop = asyncio.get_running_loop()
        wire = await self._endpoint.open()
        self._open, self._pid = True, os.getpid()
        self._use(wire)

    def start(self) -> None:
        """Connect in the background. Calls wait meanwhile, as after a loss of the server."""
        self._loop = asyncio.get_running_loop()
        self._open, self._pid = True, os.getpid()
        self._reconnecting = self._loop.create_task(self._reconnect(), name="titan_bus connect")

    def call(
        self, *words: Word, patience_s: float | None = None, answer: object = None
    ) -> asyncio.Future[Any]:
        """Send a command. The future has the reply, or `answer` in its place.

        Cancelling the future does not withdraw the command. The future fails with BusUnavailableError when the
        server has not answered within `patience_s`, and with ServerRefusedError when it refuses.

        Raises:
            BusClosedError: the bus is not open, or its loop is closed.
            BusOverloadedError: 64 MiB are waiting already.
            BusThreadError: the calling thread is not the loop's.
            BusForkedError: it was opened in the parent of this process.
        """
        if get_ident() != self._thread:  # also when it is not open
            self._check_thread()
        if self._waiting_bytes > WAITING_BYTES_MAX:
            raise BusOverloadedError(self._waiting_bytes)
        if patience_s is None:
            patience_s = self._patience_s
        else:
            self._uneven = True
        if self.prefix:
            words = prefixed(self.prefix, words)
        expires_at = self._loop.time() - self._stood_still_s + patience_s
        command = Command(words, self._loop.create_future(), answer=answer, expires_at=expires_at)
        if not self._flush_due:
            self._flush_soon()
        self._waiting.append(command)
        self._waiting_bytes += len(command.packed)
        if self._watchdog is None:
            self._watch()
        return command.future

    async def scan(self, cursor: int, pattern: str, count: int, kind: str) -> tuple[int, list[bytes]]:
        """Return the next cursor, 0 at the end, and some keys of this type that fit the pattern."""
        words = ("MATCH", self.prefix + pattern, "COUNT", count, "TYPE", kind)
        following, found = await self.call("SCAN", cursor, *words)
        return int(following), [key[len(self.prefix.encode()) :] for key in found]

    def key(self, name: str) -> str:
        """Return a key as it is on the server, for a message."""
        return self.prefix + name

    async def drain(self) -> None:
        """Wait until every command is answered or has failed."""
        while pending := [command.future for command in self._in_flight() if not command.future.done()]:
            await asyncio.wait(pending)

    async def close(self) -> None:
        """Close at once; waiting commands fail with BusClosedError."""
        self._open = False
        self._thread = 0
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        if self._reconnecting is not None:
            self._reconnecting.cancel()
            await asyncio.wait([self._reconnecting])
        for command in self._in_flight():
            command.fail(BusClosedError())
        self._late.clear()
        self._waiting.clear()
        self._waiting_bytes = 0
        self._flush_due = False  # its turn may never come: the next opening may be in another loop
        self._held_back.clear()
        if self._wire is not None:
            self._wire.unanswered.clear()
            self._wire.close()
            self._wire = None
            self._tell(connected=False)
            await asyncio.sleep(0)  # the transport closes its socket in the next turn of the loop

    def _check_thread(self) -> None:
        """Refuse a call from another thread. The loop itself may have moved to another thread."""
        if not self._open:
            raise BusClosedError
        if os.getpid() != self._pid:
            raise BusForkedError
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
        wire.on_refused = self._hold_back
        self._wire = wire
        self._trouble = None
        self._watched = (wire.received, self._time())
        if wire.lost:  # lost between the handshake and here
            self._lose()
            return
        self._tell(connected=True)
        self._flush()

    def _unanswered(self) -> list[Command]:
        return [*self._held_back, *(self._wire.unanswered if self._wire is not None else ())]

    def _in_flight(self) -> list[Command]:
        return [*self._late, *self._waiting, *self._unanswered()]

    def _wait_again(self, commands: Sequence[Command]) -> None:
        """Queue commands again that were sent already, before all others."""
        self._waiting.extendleft(reversed(commands))
        first = islice(self._waiting, len(commands) + 1)
        self._uneven |= any(one.expires_at > other.expires_at for one, other in pairwise(first))
        self._waiting_bytes += sum(len(command.packed) for command in commands)

    def _hold_back(self, command: Command, error: ServerRefusedError) -> bool:
        """Hold back a command that the server cannot serve now, while its time lasts."""
        if self._wire is None or (error.code != DEMOTED and error.code not in self.transient):
            return False
        if error.code == DEMOTED:
            self._wire.close()  # held back commands are sent again with the rest on the next connection
        elif not self._held_back:
            self._loop.call_later(RESEND_AFTER_S, self._resend)
        self._held_back.append(command)
        self._held_back_reason = str(error)
        self._held_back_at = self._loop.time()
        return True

    def _resend(self) -> None:
        """Send the commands again that were held back."""
        self._wait_again(self._held_back)
        self._held_back.clear()
        self._expire(BusUnavailableError(self._endpoint.address, self._held_back_reason))
        self._flush()

    def _flush(self) -> None:
        self._flush_due = False
        if self._wire is None or self._wire.lost or self._wire.full or not self._waiting:
            return
        # Held back commands count: otherwise all waiting commands would end up there, beyond WAITING_BYTES_MAX.
        room = IN_FLIGHT_MAX - len(self._wire.unanswered) - len(self._held_back)
        if room <= 0:
            return  # the next replies flush again, or `_resend`
        if self._waiting_bytes <= FLUSH_BYTES and len(self._waiting) <= room and not self._late:
            batch = list(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
        else:
            batch = self._first(room)
        self._wire.send(batch)

    def _first(self, room: int) -> list[Command]:
        """Take from the front of the queue as much as one write may have."""
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
        """Send more after room was freed, in the next turn: TLS delivers several pieces in one."""
        if self._waiting and not self._flush_due:
            self._flush_soon()

    def _flush_soon(self) -> None:
        try:
            self._loop.call_soon(self._flush)
        except RuntimeError as error:  # the loop is closed
            raise BusClosedError from error
        self._flush_due = True

    def _watch(self) -> None:
        self._watched = (self._wire.received if self._wire is not None else 0, self._time())
        self._watchdog = self._loop.call_later(WATCH_S, self._look)

    def _time(self) -> float:
        """Return the loop's time, without what it stood still while commands waited (`running_time`)."""
        return self._loop.time() - self._stood_still_s

    def _look(self) -> None:
        """Fail expired commands, and close a wire that owes replies and is silent."""
        if self._watchdog is not None:
            late_s = self._loop.time() - self._watchdog.when()
            self._stood_still_s += max(0.0, WATCH_S + late_s - self._steps.counted_s(WATCH_S, late_s))
        self._watchdog = None
        # Refused commands may be in flight again, as often as they are held back.
        refused = self._held_back or self._loop.time() - self._held_back_at < WATCH_S
        reason = self._held_back_reason if refused else "no answer"
        self._expire(self._trouble or BusUnavailableError(self._endpoint.address, reason))
        if not (self._waiting or self._unanswered()):
            return
        self._watchdog = self._loop.call_later(WATCH_S, self._look)
        if self._wire is None:
            return
        received, since = self._watched
        if received != self._wire.received:
            self._watched = (self._wire.received, self._time())
        elif self._wire.unanswered and self._time() - since > REPLY_TIMEOUT_S:
            self._wire.close()

    def _lose(self) -> None:
        wire = self._wire
        if wire is None or not self._open:
            return
        self._wait_again(self._unanswered())
        wire.unanswered.clear()
        reason = self._held_back_reason if self._held_back else "connection lost"
        if wire.answered and not self._held_back:
            self._backoff.reset()
        self._held_back.clear()
        self._wire = None
        logger.info("lost %s (%s), reconnecting", self._endpoint.address, reason)
        self._expire(BusUnavailableError(self._endpoint.address, reason))
        self._reconnecting = self._loop.create_task(self._reconnect(), name="titan_bus reconnect")
        self._tell(connected=False)

    async def _reconnect(self) -> None:
        said = ""
        while True:
            # Before the first attempt, too: a server that accepts and closes connections must not be flooded.
            await self._backoff.pause()
            try:
                wire = await self._endpoint.open()
            except BusUnavailableError as error:
                self._trouble = error
                self._expire(error)
            except Exception as error:  # a supervisor: after any error of a dialer the next attempt follows
                if repr(error) != said:  # otherwise it would fill the log, twice a second
                    said = repr(error)
                    logger.exception("connecting to %s failed, trying again", self._endpoint.address)
            else:
                self._use(wire)  # a wire that is lost already has started the next reconnection
                return

    def _expire(self, error: BusUnavailableError) -> None:
        """Fail expired commands. Sent ones keep their place, so that replies stay in order."""
        now = self._time()
        for command in self._unanswered():
            if command.expires_at <= now:
                command.fail(error)
        if self._uneven and (late := [command for command in self._waiting if command.expires_at <= now]):
            self._waiting = deque([command for command in self._waiting if command.expires_at > now])
            self._late.extend(late)
        self._uneven = self._uneven and bool(self._waiting)
        self._expire_some(error, now)

    def _expire_some(self, error: BusUnavailableError, now: float) -> None:
        """Fail expired commands, some in each turn: there may be 200,000.

        With equal patience they are the first of the queue; `_late` has those from the middle.
        """
        for _ in range(EXPIRED_AT_ONCE):
            if self._late:
                command = self._late.popleft()
            elif self._waiting and self._waiting[0].expires_at <= now:
                command = self._waiting.popleft()
            else:
                return
            self._waiting_bytes -= len(command.packed)
            command.fail(error)
        self._loop.call_soon(self._expire_some, error, now)

    def _tell(self, *, connected: bool) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(connected)
            except Exception:  # a listener's fault must not stop the reconnection
                logger.exception("a connection listener raised")
