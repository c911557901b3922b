"""What the bus's tests share: a bus on the session's server, topics of a test's own, a handler that records."""

import asyncio
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests import servers
from titan_bus import Bus, BusConfig, Event, RetryConfig, new_ulid, testing
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint

WAIT_S = 30.0
QUICK_RETRY = RetryConfig(base_s=0.002, cap_s=0.02)


class Recorder:
    """A handler that keeps what it got. `fault` may raise or wait in its place."""

    def __init__(self, fault: Callable[[Event], object] | None = None) -> None:
        self.events: list[Event] = []
        self._fault = fault
        self._came = asyncio.Condition()

    async def __call__(self, event: Event) -> object:
        self.events.append(event)
        async with self._came:
            self._came.notify_all()
        result = self._fault(event) if self._fault is not None else None
        return await result if asyncio.iscoroutine(result) else result

    @property
    def ids(self) -> list[str]:
        return [event.event_id for event in self.events]

    async def wait_for(self, count: int) -> list[Event]:
        """Wait until `count` events came, and return them."""
        async with asyncio.timeout(WAIT_S), self._came:
            await self._came.wait_for(lambda: len(self.events) >= count)
        return self.events


class Server:
    """A server that a test may kill and start again on the same socket and the same data."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.socket = folder / "v.sock"
        self.url = f"unix://{self.socket}"
        self._command = [
            servers.valkey_binary(),
            "--port",
            "0",
            "--unixsocket",
            str(self.socket),
            "--dir",
            str(folder),
        ]
        self._command += ["--appendonly", "yes", "--appendfsync", "always", "--save", "", *options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        # A limit of its files' length stands for a full disk; the signal that comes with it would end the server.
        former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, restore_signals=False
        )
        signal.signal(signal.SIGXFSZ, former)
        testing._wait_for(self.socket, self._process)
        while self._loads():
            time.sleep(0.005)

    def _loads(self) -> bool:
        """It listens before it has read its data."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.socket))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"-LOADING")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def server() -> Iterator[Server]:
    with servers.short_folder() as folder:
        server = Server(folder)
        server.start()
        yield server
        server.kill()


@pytest.fixture
def topic() -> str:
    """A topic that no other test uses."""
    return f"t{new_ulid().lower()}.v1"


@pytest.fixture
def config(redis_url: str) -> BusConfig:
    return BusConfig(url=redis_url, source="tests@v1", retry=QUICK_RETRY)


@pytest.fixture
async def bus(config: BusConfig) -> AsyncIterator[Bus]:
    async with Bus(config) as bus:
        yield bus


@pytest.fixture
async def raw(redis_url: str) -> AsyncIterator[Connection]:
    """A connection for what only the server can tell."""
    connection = Connection(Endpoint.parse(redis_url), 5.0)
    await connection.open()
    yield connection
    await connection.close()


async def until(true: Callable[[], object], what: str, wait_s: float = WAIT_S) -> None:
    """Ask again and again until a condition holds; for what has no event to wait on. It may be a coroutine."""
    deadline = time.monotonic() + wait_s
    holds: object = None
    while not holds:
        assert time.monotonic() < deadline, f"in vain: {what}"
        await asyncio.sleep(0.002)
        holds = true()
        if asyncio.iscoroutine(holds):
            holds = await holds


async def pending(raw: Connection, stream: str, group: str) -> list[bytes]:
    """Return the ids of what was delivered to a group and not acknowledged."""
    rows = await raw.call("XPENDING", stream, group, "-", "+", 1000)
    return [row[0] for row in rows]


async def pending_is(raw: Connection, stream: str, group: str, count: int) -> None:
    """Wait until so many events of a group are delivered and not acknowledged."""

    async def check() -> bool:
        return len(await pending(raw, stream, group)) == count

    await until(check, f"{count} unacknowledged events")


async def settled(raw: Connection, stream: str, group: str) -> None:
    """Wait until a group has acknowledged all that it was given."""
    await pending_is(raw, stream, group, 0)


async def length_is(raw: Connection, stream: str, longest: int) -> None:
    """Wait until a stream has at most so many entries."""

    async def check() -> bool:
        return int(await raw.call("XLEN", stream)) <= longest

    await until(check, f"at most {longest} entries")
