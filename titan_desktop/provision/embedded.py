"""The core's side of the embedded servers: starts the server host, reads its reports, and stops it."""

import asyncio
import contextlib
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.provision.errors import FOLDER_LOST, ServerHostLostError, StoreUnavailableError
from titan_desktop.provision.postgres_access import Listen
from titan_desktop.system.paths import Paths
from titan_desktop.system.processes import command, host_environment

log = logging.getLogger(__name__)

STOP_PATIENCE_S = 20.0
"""The server host has limits of its own: 10 s for PostgreSQL, 5 s for Valkey."""
STEADY_S = 30.0
FIRST_DELAY_S, LONGEST_DELAY_S = 0.1, 1.6
DEATHS_MAX = 5
"""After this many server hosts that each ran less than STEADY_S it is lost."""

OnChange = Callable[[str, Problem | None], None]
"""Called with a store and its problem; None when it runs."""


@dataclass(slots=True)
class _Store:
    url: str = ""
    problem: Problem | None = None


class Embedded:
    """Runs the server host while it is entered.

    Args:
        paths: the folders of data, logs and sockets.
        stores: `redis`, `postgres` or both.
        on_change: called when a store's server starts or fails.
        listen: how PostgreSQL is reached; the default is what the system supports.
    """

    def __init__(
        self, paths: Paths, stores: Sequence[str], on_change: OnChange, *, listen: Listen | None = None
    ) -> None:
        self._paths = paths
        self._stores = {store: _Store() for store in stores}
        self._on_change = on_change
        self._listen = listen or ("tcp" if sys.platform == "win32" else "unix")
        self._changed = asyncio.Condition()
        self._host: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep(), name="server-host")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the server host's input and wait until the servers have stopped; bounded."""
        self._closing = True
        task, self._task = self._task, None
        if task is None:
            return
        if self._host is not None and self._host.stdin is not None:
            self._host.stdin.close()
        else:
            task.cancel()
        await asyncio.wait([task], timeout=STOP_PATIENCE_S)
        if not task.done():
            log.error("the server host did not stop within %s s; killing it", STOP_PATIENCE_S)
            if self._host is not None:
                with contextlib.suppress(ProcessLookupError):
                    self._host.kill()
            task.cancel()
            await asyncio.wait([task])

    @property
    def lost(self) -> "asyncio.Task[None]":
        """Ends with ServerHostLostError when the server host cannot be kept running."""
        if self._task is None:
            raise RuntimeError("not entered")
        return self._task

    async def url(self, store: str) -> str:
        """Return the URL of `store`, as soon as it answers.

        Raises:
            StoreUnavailableError: it cannot be started now. The server host keeps trying; call again.
        """
        state = self._stores[store]
        async with self._changed:
            await self._changed.wait_for(lambda: state.url or state.problem)
            if not state.url and (problem := state.problem) is not None:
                state.problem = None
                raise StoreUnavailableError(store, problem)
            return state.url

    async def _keep(self) -> None:
        """Run a server host, and another one when it dies."""
        deaths = 0
        while True:
            started = time.monotonic()
            code = await self._run_host()
            if self._closing:
                return
            deaths = 1 if time.monotonic() - started > STEADY_S else deaths + 1
            if code == FOLDER_LOST:
                raise ServerHostLostError(Problem(Code.CANNOT_BE_KEPT, {"folder": str(self._paths.logs)}))
            log.error("the server host ended with %s; starting another", code)
            for store in self._stores:
                await self._set(store, "", None)
                self._on_change(store, Problem(Code.RESTARTING, {"store": store}))
            if deaths >= DEATHS_MAX:
                problem = Problem(Code.CANNOT_BE_KEPT, {"folder": str(self._paths.logs)})
                for store in self._stores:
                    await self._set(store, "", problem)
                raise ServerHostLostError(problem)
            from titan_bus.backoff import (
                Backoff,  # not at the top: the servers start before the bus is imported
            )

            await asyncio.sleep(Backoff(FIRST_DELAY_S, LONGEST_DELAY_S, jitter=False).pause_s(deaths))

    async def _run_host(self) -> int:
        """Start a server host, read its output until it ends, and return its exit code."""
        options: dict[str, object] = {"start_new_session": True}
        if sys.platform == "win32":
            options = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
        host = self._host = await asyncio.create_subprocess_exec(
            *self._command(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=host_environment(),
            **options,  # type: ignore[arg-type]
        )
        try:
            while host.stdout is not None and (line := await host.stdout.readline()):
                await self._hear(line)
            return await host.wait()
        finally:
            self._host = None

    def _command(self) -> list[str]:
        paths = self._paths
        return command(
            "server-host",
            *("--data", str(paths.data), "--logs", str(paths.logs), "--run", str(paths.run)),
            *("--sockets", str(paths.sockets()), "--listen", self._listen),
            *self._stores,
        )

    async def _hear(self, line: bytes) -> None:
        said = json.loads(line)
        if "note" in said:
            log.info("server host: %s", said["note"])
            return
        store, state = said["store"], said["state"]
        if state == "up":
            await self._set(store, said["url"], None)
            self._on_change(store, None)
        else:
            # A store that has run comes back at the same address, so clients may keep it.
            problem = Problem(**said["problem"])
            await self._set(store, self._stores[store].url, problem)
            self._on_change(store, problem)

    async def _set(self, store: str, url: str, problem: Problem | None) -> None:
        async with self._changed:
            self._stores[store].url = url
            self._stores[store].problem = problem
            self._changed.notify_all()
