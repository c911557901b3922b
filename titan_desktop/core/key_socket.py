"""The core's end of `client.key_socket`: takes keys and passwords from the person's own programs.

The socket lies in a folder that only the user can open. A request is one line, the reply a code; keys and
passwords are never logged.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator

import msgspec

from titan_bus import Bus, BusError
from titan_desktop.adapters.key_file.store import KeyFileDamagedError, WrongPasswordError
from titan_desktop.client.key_socket import LINE_BYTES_MAX, Hold, Outcome, Unlock, socket_of
from titan_desktop.contracts.message import publish
from titan_desktop.contracts.system import SettingsChanged
from titan_desktop.core.held_keys import HeldKeys
from titan_desktop.core.model_choice import Models
from titan_desktop.settings import is_endpoint
from titan_desktop.system import private_files
from titan_desktop.system.paths import Paths

log = logging.getLogger(__name__)

LINE_S = 10.0
"""A client that has not said its line by then is cut off."""


@contextlib.asynccontextmanager
async def listening(paths: Paths, keys: HeldKeys, models: Models, bus: Bus) -> AsyncIterator[None]:
    """Accept keys within the block, and have the models use them. The core also works without the socket."""
    if sys.platform == "win32":
        yield
    else:
        try:
            socket = socket_of(paths)
            private_files.own_folder(socket.parent)
            socket.unlink(missing_ok=True)  # a killed core's
            clients = _Clients(keys, models, bus)
            server = await asyncio.start_unix_server(clients.take, socket, limit=LINE_BYTES_MAX)
        except OSError as error:
            log.error("no key can be given to this core: %s", error)  # noqa: TRY400  # foreseen
            yield
            return
        try:
            yield
        finally:
            server.close()
            await clients.close()
            socket.unlink(missing_ok=True)


class _Clients:
    """The connected clients, and what they send."""

    def __init__(self, keys: HeldKeys, models: Models, bus: Bus) -> None:
        self._keys = keys
        self._models = models
        self._bus = bus
        self._running: set[asyncio.Task[object]] = set()

    async def close(self) -> None:
        """Disconnect all."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        if task := asyncio.current_task():
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        try:
            async with asyncio.timeout(LINE_S):
                line = await reader.readline()
            outcome = await self._do(line)
            if outcome is Outcome.DONE:
                await self._refresh()
            writer.write(outcome.encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError):  # it left, was late, or its line has no end
            log.info("a client of the key socket left or was too slow")
        finally:
            writer.close()

    async def _do(self, line: bytes) -> Outcome:
        try:
            match msgspec.json.decode(line, type=Hold | Unlock):
                case Hold(base_url=base_url, key=key) if is_endpoint(base_url):
                    self._keys.hold(base_url, key)
                    return Outcome.DONE
                case Unlock(password=password):
                    await self._keys.unlock(password)
                    return Outcome.DONE
        except WrongPasswordError:
            return Outcome.WRONG_PASSWORD
        except KeyFileDamagedError:
            return Outcome.DAMAGED
        except msgspec.MsgspecError:
            log.info("a client sent no valid request on the key socket")
        return Outcome.NOT_UNDERSTOOD

    async def _refresh(self) -> None:
        await self._models.refresh()
        with contextlib.suppress(BusError):  # who asks for the status learns it, too
            await publish(self._bus, SettingsChanged())
