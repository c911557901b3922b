"""A connection whose writes count only when replicas have them too (WAIT). `publisher` writes events through it.

Redis writes in memory first, and a failover forgets what no replica had. What makes a publish safe, and what can
still be lost:

- `replicas=1` here: a publish succeeds when a replica has it, so it outlives the primary: Sentinel promotes the
  replica that is furthest ahead. Where that replica may die together with the primary, there have to be three
  servers and `replicas=2`. A failover leaves one replica less: without a spare one, publishes wait for its return.
- `min-replicas-to-write 1` with `min-replicas-max-lag 10` on the servers: a primary that was cut off stops taking
  writes after 10 s. Until then WAIT does not confirm them, and they are published again to its successor.
- `appendonly yes` with `appendfsync everysec` on every server: one that comes back has all but its last second.
  WAIT says that a replica has an event in memory, not on disk: all servers losing power within that second lose
  it. `appendfsync always` closes even this, for a disk write a turn.
- A primary must not come back with an empty data folder before Sentinel has replaced it: its replicas would copy
  the emptiness. Acknowledgements are not confirmed: after a failover some events are handled again.
"""

import asyncio
import math
from functools import partial
from typing import Any

from titan_bus.connections import connection
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Dialer
from titan_bus.connections.keys import Word
from titan_bus.connections.wire import Wire
from titan_bus.errors import (
    BusClosedError,
    BusError,
    BusOverloadedError,
    BusUnavailableError,
    NotReplicatedError,
    ServerRefusedError,
)

LATE_REPLY_S = 0.5
"""How much longer than a publish's patience the reply to its last WAIT may take."""
WAIT_MS = 100
"""How long one WAIT blocks the connection when replicas are missing; then the next one is sent."""


class _Write:
    """A write, and its caller's future."""

    __slots__ = ("answer", "expires_at", "future", "size", "words")

    def __init__(
        self, words: tuple[Word, ...], answer: object, future: asyncio.Future[Any], expires_at: float
    ) -> None:
        self.words = words
        self.answer = answer
        self.future = future
        self.expires_at = expires_at
        self.size = sum(len(word) for word in words if isinstance(word, str | bytes))


class _Batch:
    """Writes that one wire answered between two WAITs: a WAIT confirms the earlier commands of its own wire.

    They are checked together, because there may be 100,000 of them while replicas are missing.

    Attributes:
        replicas: the most replicas that any WAIT on that wire reported; the last one may have waited too briefly.
        expires_at: when the first of them expires.
    """

    __slots__ = ("expires_at", "replicas", "wire_number", "writes")

    def __init__(self, wire_number: int) -> None:
        self.wire_number = wire_number
        self.writes: list[_Write] = []
        self.replicas = 0
        self.expires_at = math.inf

    def add(self, write: _Write) -> None:
        self.writes.append(write)
        self.expires_at = min(self.expires_at, write.expires_at)


class ReplicatedConnection(Connection):
    """Sends writes, and confirms all answered ones with one WAIT at a time.

    A write whose wire is lost before it was confirmed is written again: the next primary may not have it.
    """

    def __init__(self, endpoint: Dialer, patience_s: float, *, replicas: int) -> None:
        super().__init__(endpoint, patience_s)
        self._replicas = replicas
        self._wire_number = 0
        self._writes: set[_Write] = set()
        self._bytes = 0
        self._batches: list[_Batch] = []
        self._rising: _Batch | None = None
        self._confirming: asyncio.Task[None] | None = None

    def call(
        self, *words: Word, patience_s: float | None = None, answer: object = None
    ) -> asyncio.Future[Any]:
        """Send a write. The future has its reply once enough replicas have it.

        It fails with NotReplicatedError when they do not within `patience_s`.

        Raises:
            BusClosedError: the bus is not open.
            BusOverloadedError: 64 MiB are waiting already.
        """
        if not self._open:
            raise BusClosedError
        if self._bytes > connection.WAITING_BYTES_MAX:
            raise BusOverloadedError(self._bytes)
        expires_at = self._time() + (self._patience_s if patience_s is None else patience_s)
        write = _Write(words, answer, self._loop.create_future(), expires_at)
        self._send(write)
        self._writes.add(write)
        self._bytes += write.size
        return write.future

    async def drain(self) -> None:
        """Wait until every write is confirmed or has failed."""
        while pending := [write.future for write in self._writes if not write.future.done()]:
            await asyncio.wait(pending)

    async def close(self) -> None:
        """Close at once; unconfirmed writes fail with BusClosedError."""
        await super().close()
        if self._confirming is not None:
            self._confirming.cancel()
            await asyncio.wait([self._confirming])
        for write in tuple(self._writes):
            self._settle(write, BusClosedError())
        self._batches.clear()
        self._rising = None

    def _use(self, wire: Wire) -> None:
        self._wire_number += 1
        super()._use(wire)

    def _send(self, write: _Write) -> None:
        patience_s = max(0.0, write.expires_at - self._time())
        sent = super().call(*write.words, patience_s=patience_s)
        sent.add_done_callback(partial(self._answered, write))

    def _answered(self, write: _Write, sent: asyncio.Future[Any]) -> None:
        if (error := sent.exception()) is not None:
            self._settle(write, error)
            return
        if write.answer is None:
            write.answer = sent.result()
        if self._rising is None or self._rising.wire_number != self._wire_number:
            self._rising = _Batch(self._wire_number)
            self._batches.append(self._rising)
        self._rising.add(write)
        if self._open and (self._confirming is None or self._confirming.done()):
            self._confirming = self._loop.create_task(self._confirm(), name="titan_bus replication")

    async def _confirm(self) -> None:
        while self._batches:
            batches, self._rising = (
                tuple(self._batches),
                None,
            )  # what is answered from now on is for the next WAIT
            left_s = max(0.0, min(batch.expires_at for batch in batches) - self._time())
            wait_ms = max(1, min(WAIT_MS, int(left_s * 1000)))  # 0 would be for ever
            replicas, refusal = 0, None
            try:
                replicas = await super().call(
                    "WAIT", self._replicas, wait_ms, patience_s=left_s + LATE_REPLY_S
                )
            except BusClosedError:
                return  # `close` tells them
            except BusUnavailableError:
                pass
            except BusOverloadedError:  # no room for a WAIT while so much waits for the server itself
                await asyncio.sleep(connection.RESEND_AFTER_S)
            except ServerRefusedError as error:
                if not await self._was_demoted(error):
                    refusal = error
            wire_number = self._wire_number
            del self._batches[: len(batches)]
            for batch in batches:
                await self._settle_all(batch, replicas if batch.wire_number == wire_number else None, refusal)

    async def _was_demoted(self, refusal: ServerRefusedError) -> bool:
        """Say whether a WAIT was refused because the server is no primary any more; the next one is asked then.

        One that is deposed while it waits says UNBLOCKED and closes the wire. One that was deposed before has no
        code for it but ERR, and its text is no contract: so it is asked what it is.
        """
        if refusal.code == "UNBLOCKED":
            return True
        if refusal.code != "ERR" or (wire := self._wire) is None:
            return False
        try:
            role = await super().call("ROLE")
        except BusError:  # lost, or not for us
            return wire.lost
        if role[0] == b"master":
            return False
        wire.close()
        return True

    async def _settle_all(
        self, batch: _Batch, replicas: int | None, refusal: ServerRefusedError | None
    ) -> None:
        """Settle or keep a batch, by what a WAIT on its wire said; None when that wire is gone."""
        if replicas is not None:
            batch.replicas = max(batch.replicas, replicas)
            too_few = batch.replicas < self._replicas
            if refusal is None and too_few and self._time() < batch.expires_at:
                self._batches.append(batch)
                return
        kept = _Batch(batch.wire_number)
        kept.replicas = batch.replicas
        for number, write in enumerate(batch.writes, 1):
            if not self._settle_or_keep(write, batch.replicas, refusal, lost=replicas is None):
                kept.add(write)
            if number % connection.EXPIRED_AT_ONCE == 0:
                await asyncio.sleep(0)
        if kept.writes:
            self._batches.append(kept)

    def _settle_or_keep(
        self, write: _Write, replicas: int, refusal: ServerRefusedError | None, *, lost: bool
    ) -> bool:
        """Settle a write or write it again; False when it waits for another WAIT."""
        if refusal is not None:
            self._settle(write, refusal)
        elif not lost and replicas >= self._replicas:
            self._settle(write, None)
        elif self._time() >= write.expires_at:
            self._settle(write, NotReplicatedError(str(write.answer), replicas, self._replicas))
        elif lost:
            try:
                self._send(write)
            except BusError as error:
                self._settle(write, error)
        else:
            return False
        return True

    def _settle(self, write: _Write, error: BaseException | None) -> None:
        if write in self._writes:
            self._writes.remove(write)
            self._bytes -= write.size
        if write.future.done():
            return
        if error is None:
            write.future.set_result(write.answer)
        else:
            write.future.set_exception(error)
