"""A connection to the core, with the heartbeats that keep the core running."""

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Self

from titan_desktop.client.core_record import CoreRecord

if TYPE_CHECKING:
    import subprocess

    from titan_bus import Bus

log = logging.getLogger(__name__)

GOODBYE_S = 1.0


class CoreLink:
    """A connection to the core, with heartbeats that keep the core running. `connect_core` creates it.

    `async with` closes it.

    Attributes:
        bus: open; it reconnects by itself when the transport is back.
        record: the core that answered.
    """

    def __init__(
        self,
        bus: "Bus",
        record: CoreRecord,
        client_id: str,
        process: "subprocess.Popen[bytes] | None" = None,
    ) -> None:
        self.bus = bus
        self.record = record
        self._client_id = client_id
        self._process = process
        self._beats = asyncio.create_task(self._beat(), name="presence beats")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Publish that the client has left, and close the bus; bounded in time, without error for a dead core."""
        self._beats.cancel()
        await asyncio.wait([self._beats])
        from titan_bus import BusError
        from titan_desktop.contracts.message import publish
        from titan_desktop.contracts.system import ClientLeft

        left = ClientLeft(client_id=self._client_id)
        with contextlib.suppress(BusError, TimeoutError):
            if self.bus.connected:
                async with asyncio.timeout(GOODBYE_S):
                    await publish(self.bus, left)
        await self.bus.close()
        if self._process is not None:
            disown(self._process)

    async def _beat(self) -> None:
        from titan_bus import BusError
        from titan_desktop.contracts.message import publish
        from titan_desktop.contracts.system import CLIENT_BEAT_S, ClientPresent

        here = ClientPresent(client_id=self._client_id)
        while True:
            try:
                await publish(self.bus, here)
            except BusError as error:
                log.debug("a heartbeat was not published: %s", error)
            if self._process is not None:
                self._process.poll()  # a core that we started ended because another one runs; reap it
            await asyncio.sleep(CLIENT_BEAT_S)


def disown(process: "subprocess.Popen[bytes]") -> None:
    """Detach a core that is to outlive this process; without a return code its destructor would warn."""
    if process.poll() is None:
        process.returncode = 0
