"""One of many: a name on the server that one program holds at a time, and loses when it dies."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator

from titan_bus.connections.connection import Connection
from titan_bus.errors import BusError

TTL_S = 30.0
POLL_S = 0.1
RELEASE_PATIENCE_S = 1.0

_RENEW = """
-- KEYS lease; ARGV token, milliseconds.
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0
"""
_RELEASE = """
-- KEYS lease; ARGV token. Only its holder gives a lease back.
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0
"""


class Lease:
    """Taken with SET NX PX (valkey.io, "Distributed Locks", the single instance), kept up while it is held.

    A holder that stands still for more than 30 s loses it and is not told: what it guards has to bear two at once.
    """

    def __init__(self, connection: Connection, key: str) -> None:
        self._connection = connection
        self._key = key
        self._token = secrets.token_hex(16)

    @contextlib.asynccontextmanager
    async def held(self, *, wait: bool) -> AsyncIterator[bool]:
        """Hold the lease inside the block; yields False when another holds it and `wait` is false."""
        try:
            while not (taken := await self._take()) and wait:  # noqa: ASYNC110 -- the event is on another machine
                await asyncio.sleep(POLL_S)
        except asyncio.CancelledError:  # the server may have given it meanwhile
            await self._release()
            raise
        if not taken:
            yield False
            return
        keeping = asyncio.create_task(self._keep(), name=f"titan_bus lease {self._key}")
        try:
            yield True
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            await self._release()

    async def _take(self) -> bool:
        # Sent twice over a lost connection it would find itself: that counts as taken.
        answer = await self._connection.call(
            "SET", self._key, self._token, "NX", "PX", int(TTL_S * 1000), "GET"
        )
        return answer is None or answer.decode() == self._token

    async def _release(self) -> None:
        with contextlib.suppress(BusError):  # then it runs out by itself
            await self._connection.call(
                "EVAL", _RELEASE, 1, self._key, self._token, patience_s=RELEASE_PATIENCE_S
            )

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(TTL_S / 3)
            with contextlib.suppress(BusError):
                await self._connection.call("EVAL", _RENEW, 1, self._key, self._token, int(TTL_S * 1000))
