"""A lease: a key on the server that one program holds at a time, and that expires soon after the program dies.

Used by the archiver, consumers' names and `once`. One script acquires, renews and releases, so a command that is
sent twice over a lost connection has the result of the first. (valkey.io, "Distributed Locks", the single
instance.) A holder that is suspended for longer than the lease loses it and is not notified.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator

from titan_bus import scripts
from titan_bus.connections.connection import Connection, ignore_failure
from titan_bus.errors import BusError

TTL_S = 30.0
POLL_S = 0.1
RELEASE_PATIENCE_S = 1.0
HELD = -1
"""Returned by `take` when the lease is held."""


class Lease:
    """One program's lease on a key.

    Args:
        connection: to the server.
        key: the key.
        ttl_s: how long the lease lasts after it was renewed last.
        token: what stands in the key; unique for each holder.
    """

    def __init__(
        self, connection: Connection, key: str, ttl_s: float = TTL_S, token: str | None = None
    ) -> None:
        self.ttl_s = ttl_s
        self._connection = connection
        self._key = key
        self._token = token or secrets.token_hex(16)
        self._ttl_ms = max(1, int(ttl_s * 1000))

    async def take(self, *, instead_of: str = "") -> int:
        """Acquire the lease, or renew it.

        Args:
            instead_of: the token of a holder that is known to be dead.

        Returns:
            HELD when it is held now; 0 when what it guards is done (`finish`); else the remaining milliseconds of
            another holder's lease.
        """
        return int(
            await self._connection.call(
                "EVAL", scripts.LEASE, 1, self._key, self._token, self._ttl_ms, instead_of
            )
        )

    async def release(self) -> None:
        """Release the lease, if it is held. Bounded in time; if that fails the lease expires."""
        with contextlib.suppress(BusError):
            await self._connection.call(
                "EVAL", scripts.LEASE, 1, self._key, self._token, 0, patience_s=RELEASE_PATIENCE_S
            )

    def release_soon(self) -> None:
        """Release the lease without waiting for the reply, for a caller that is being cancelled."""
        with contextlib.suppress(BusError):
            call = self._connection.call("EVAL", scripts.LEASE, 1, self._key, self._token, 0)
            call.add_done_callback(ignore_failure)

    async def finish(self, keep_s: float, patience_s: float) -> None:
        """Mark what the lease guards as done for `keep_s`, for all programs."""
        await self._connection.call(
            "SET", self._key, "done", "PX", max(1, int(keep_s * 1000)), patience_s=patience_s
        )

    async def keep(self) -> None:
        """Renew the lease until cancelled."""
        while True:
            await asyncio.sleep(self.ttl_s / 3)
            with contextlib.suppress(BusError):
                await self.take()

    @contextlib.asynccontextmanager
    async def held(self, *, wait: bool) -> AsyncIterator[bool]:
        """Hold the lease inside the block; yields False when another program holds it and `wait` is false."""
        try:
            while (taken := await self.take() == HELD) is False and wait:  # noqa: ASYNC110 -- it is on the server
                await asyncio.sleep(POLL_S)
        except asyncio.CancelledError:  # the server may have granted it meanwhile
            await self.release()
            raise
        if not taken:
            yield False
            return
        keeping = asyncio.create_task(self.keep(), name=f"titan_bus lease {self._key}")
        try:
            yield True
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            await self.release()
