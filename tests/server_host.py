"""A server host in its own process, as the core starts it, for tests of it and of what it runs."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from titan_desktop.system import processes

PATIENCE_S = 30


class ServerHost:
    """One server host at work in `folder`."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.folder = folder
        self.process = process
        self.notes: list[str] = []
        self._passed_over: list[dict[str, str]] = []

    async def heard(self, store: str, state: str) -> dict[str, str]:
        """Wait until it says that, or has said it while something else was waited for."""
        assert self.process.stdout is not None
        for said in self._passed_over:
            if (said["store"], said["state"]) == (store, state):
                self._passed_over.remove(said)
                return said
        while line := await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S):
            said: dict[str, str] = json.loads(line)
            if "note" in said:
                self.notes.append(said["note"])
            elif (said["store"], said["state"]) == (store, state):
                return said
            else:
                self._passed_over.append(said)
        raise AssertionError(f"the server host ended before {store} was {state}")

    async def end(self) -> int:
        """Close its input, as the core's end does, and return its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    def servers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@contextlib.asynccontextmanager
async def keeping(folder: Path, *stores: str, listen: str = "unix") -> AsyncIterator[ServerHost]:
    for name in ("data", "logs", "run"):
        (folder / name).mkdir(exist_ok=True, mode=0o700)
    words = [word for name in ("data", "logs", "run") for word in (f"--{name}", str(folder / name))]
    process = await asyncio.create_subprocess_exec(
        *processes.command("server-host"), *words, "--sockets", str(folder / "run"), "--listen", listen, *stores,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=processes.own_environment(),
    )  # fmt: skip
    host = ServerHost(folder, process)
    try:
        yield host
    finally:
        if process.returncode is None:
            await host.end()
        process._transport.close()  # type: ignore[attr-defined]


async def gone(processes: list[psutil.Process], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while alive := [one for one in processes if _is_alive(one)]:
        assert time.monotonic() < deadline, alive
        await asyncio.sleep(0.02)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:  # also when another has its id now
        return False


async def answer(dsn: str, query: str = "SELECT 1") -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()
