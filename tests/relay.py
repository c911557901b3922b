"""A way to a real server that a test can break: clients see one that is gone, or one that is silent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

CHUNK_BYTES = 65_536


class Relay:
    """Passes bytes between clients on loopback and the server of `dsn`. `url` is where clients find it."""

    def __init__(self, dsn: str) -> None:
        self._parts = urlsplit(dsn)
        query = parse_qs(self._parts.query)
        self._folder = query.get("host", [""])[0]
        self._far_port = int(query["port"][0]) if "port" in query else self._parts.port or 5432
        self._port = 0
        self._server: asyncio.Server | None = None
        self._passing = asyncio.Event()
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        user, mark, _ = self._parts.netloc.rpartition("@")
        return f"{self._parts.scheme}://{user}{mark}127.0.0.1:{self._port}{self._parts.path}"

    async def open(self) -> None:
        """Let clients through, from now on."""
        self._passing.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

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
            far_reader, far_writer = await self._reach()
            ways = [
                asyncio.create_task(self._pass(reader, far_writer)),
                asyncio.create_task(self._pass(far_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                far_writer.transport.abort()
                writer.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._folder:
            return await asyncio.open_unix_connection(f"{self._folder}/.s.PGSQL.{self._far_port}")
        return await asyncio.open_connection(self._parts.hostname, self._far_port)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                await self._passing.wait()
                writer.write(chunk)
                await writer.drain()


@contextlib.asynccontextmanager
async def relay(dsn: str) -> AsyncIterator[Relay]:
    """An open relay to the PostgreSQL or Neo4j of `dsn`."""
    made = Relay(dsn)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
