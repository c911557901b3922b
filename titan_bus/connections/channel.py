"""A connection for one reader that blocks."""

import asyncio
import os
from functools import partial
from typing import Any

from titan_bus.connections.endpoint import Dialer
from titan_bus.connections.keys import AFTER_STREAMS, Word, prefixed, unprefixed
from titan_bus.connections.wire import Command, Wire
from titan_bus.errors import BusForkedError, BusUnavailableError, ServerRefusedError
from titan_bus.running_time import Countdown

LATE_REPLY_S = 5.0
"""How much longer than its BLOCK a blocking read may be silent. A reply that is arriving may take longer."""

MOVED_CODES = frozenset(
    {"ASK", "BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MOVED", "READONLY", "TRYAGAIN"}
)
"""Refusals of a server that does not serve the stream now, or no longer: the next call looks for the server that
does."""


class Channel:
    """A connection for one reader that blocks.

    Any failure or cancellation closes it, because the late reply must not be taken for the next call's.

    Args:
        endpoint: opens the wires.
        prefix: stands before every key on the server; callers do without it.

    Attributes:
        dials: the number of connections made so far, which identifies the current one.
    """

    def __init__(self, endpoint: Dialer, prefix: str = "") -> None:
        self._endpoint = endpoint
        self._prefix = prefix
        self._wire: Wire | None = None
        self._closed = False
        self._pid = 0
        self.dials = 0

    @property
    def lost(self) -> bool:
        """Whether the next call opens a connection first."""
        return self._wire is None or self._wire.lost

    async def call(self, *words: Word, block_s: float = 0.0) -> Any:
        """Send a command that may block for `block_s`, and return its reply.

        Raises:
            BusUnavailableError: the connection is lost or silent, or was closed meanwhile.
            ServerRefusedError: the server answers with an error; the connection stays open.
            BusForkedError: it was opened in the parent of this process.
        """
        if not self._prefix:
            return await self._call(words, block_s)
        reply = await self._call(prefixed(self._prefix, words), block_s)
        return unprefixed(self._prefix, reply) if words[0] in AFTER_STREAMS else reply

    async def _call(self, words: tuple[Word, ...], block_s: float) -> Any:
        if self._wire is None or self._wire.lost:
            self._wire, self._pid = await self._endpoint.open(), os.getpid()
            self.dials += 1
        if self._pid != os.getpid():
            raise BusForkedError
        if self._closed:
            self._drop()
            raise BusUnavailableError(self._endpoint.address, "closed")
        loop = asyncio.get_running_loop()
        command = Command(words, loop.create_future())
        watchdog = Countdown(
            block_s + LATE_REPLY_S, partial(self._look, self._wire, self._wire.received, command)
        )
        try:
            self._wire.send([command])
            return await command.future
        except OSError as error:  # lost, or silent
            self._drop()
            raise BusUnavailableError(self._endpoint.address, str(error) or "no answer") from error
        except ServerRefusedError as error:
            if error.code not in MOVED_CODES:
                raise
            self._drop()
            raise BusUnavailableError(self._endpoint.address, str(error)) from error
        except asyncio.CancelledError:
            self._drop()
            raise
        finally:
            watchdog.cancel()

    def close(self) -> None:
        """Close the connection for good; a call in progress fails."""
        self._closed = True
        self._drop()

    def _look(self, wire: Wire, received: int, command: Command) -> None:
        """Fail a command if no bytes came since the last check."""
        if command.future.done():
            return
        if wire.received == received:
            command.fail(TimeoutError("no answer"))
        else:
            Countdown(LATE_REPLY_S, partial(self._look, wire, wire.received, command))

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None
