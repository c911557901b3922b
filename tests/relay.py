"""A way to a real server that a test can break: its clients see a server that is gone, or one that is silent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from tests import servers

CHUNK_BYTES = 65_536


class Relay:
    """Passes bytes between clients and a PostgreSQL. `url` is where clients find it.

    Args:
        dsn: of the real server, by a unix socket or by TCP.
        folder: for a socket of our own.
    """

    def __init__(self, dsn: str, folder: Path) -> None:
        parts = urlsplit(dsn)
        self._target = parse_qs(parts.query).get("host", [""])[0]
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 5432
        self._dsn = dsn
        self._socket = folder / ".s.PGSQL.5432"
        self._own_port = 0
        self._server: asyncio.Server | None = None
        self._passing = asyncio.Event()
        self._passing.set()
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        if self._target:
            return self._dsn.replace(f"host={self._target}", f"host={quote(str(self._socket.parent))}")
        return self._dsn.replace(f":{self._port}/", f":{self._own_port}/")

    async def open(self) -> None:
        """Let clients through, from now on."""
        self._passing.set()
        if self._target:
            self._server = await asyncio.start_unix_server(self._serve, self._socket)
        else:
            self._server = await asyncio.start_server(self._serve, self._host, self._own_port)
            self._own_port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.cancel()
        if self._clients:
            await asyncio.wait(self._clients)

    def hold(self) -> None:
        """Keep every byte from now on: the connections stay, and nothing comes."""
        self._passing.clear()

    def let_pass(self) -> None:
        """End `hold`."""
        self._passing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            if self._target:
                far_reader, far_writer = await asyncio.open_unix_connection(
                    Path(self._target) / self._socket.name
                )
            else:
                far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
            try:
                await asyncio.wait(
                    [
                        asyncio.create_task(self._pass(reader, far_writer)),
                        asyncio.create_task(self._pass(far_reader, writer)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                far_writer.transport.abort()
                writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                await self._passing.wait()
                writer.write(chunk)
                await writer.drain()


@contextlib.asynccontextmanager
async def relay(dsn: str) -> AsyncIterator[Relay]:
    """An open relay to the server at `dsn`."""
    with servers.short_folder() as folder:
        made = Relay(dsn, folder)
        await made.open()
        try:
            yield made
        finally:
            await made.close()
