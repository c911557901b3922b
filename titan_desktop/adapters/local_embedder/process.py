"""One worker process, as the core sees it: started, asked any number of texts at once, ended.

Used by `embedder` alone, on the core's loop.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from titan_desktop.adapters.local_embedder import messages
from titan_desktop.system import processes


class WorkerEndedError(Exception):
    """The worker has ended in place of an answer; `exit_code` is negative for a signal."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code


class WorkerProcess:
    """A worker that has loaded its model. Made by `start`; whoever made it awaits `end`.

    Attributes:
        open_means: the means of confinement that this system lacks, each with the reason.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._next = 0
        self._is_killed = False
        self._ready: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(), name="local embedder")
        self.open_means: tuple[str, ...] = ()

    @classmethod
    async def start(cls, command: Sequence[str], threads: int) -> Self:
        """Start a process and wait until it has loaded its model; cancelled, it leaves none.

        Raises:
            OSError: the system starts none.
            WorkerEndedError: it has ended at its start.
        """
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            options["creationflags"] = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(threads),
            **options,
        )
        worker = cls(process)
        try:
            worker.open_means = await worker._ready
        except BaseException:
            await worker.end()
            raise
        return worker

    @property
    def is_alive(self) -> bool:
        """Whether it may be asked."""
        return not self._is_killed and not self._reading.done()

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for it."""
        return not self._asked

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def embed(self, text: str, *, is_question: bool) -> bytes:
        """Return the vector of a text: float32, little-endian. Cancelled, the answer is dropped when it comes.

        Raises:
            WorkerEndedError: it has ended in place of an answer.
        """
        if not self.is_alive:
            raise WorkerEndedError(_code(self._process))
        self._next += 1
        number = self._next
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        assert self._process.stdin is not None  # noqa: S101 - it was started with a pipe
        self._process.stdin.write(messages.framed(messages.Ask(number, is_question, text)))
        try:
            return await answer
        finally:
            self._asked.pop(number, None)

    async def end(self) -> None:
        """End it, and wait until it has gone."""
        self.kill()
        await asyncio.wait([self._reading])

    def kill(self) -> None:
        """End it; whoever waits for it gets WorkerEndedError."""
        self._is_killed = True
        if self._process.returncode is not None:
            return
        if sys.platform == "win32":
            self._process.kill()
        else:
            # Popen's own kill would take the exit code from under the child watcher, which then makes one up.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def _read(self) -> None:
        """Take answers until the worker ends."""
        assert self._process.stdout is not None  # noqa: S101 - it was started with a pipe
        try:
            while True:
                body = await _frame(self._process.stdout)
                if not self._ready.done():
                    self._ready.set_result(messages.ready_of(body).open_means)
                    continue
                vector = messages.vector_of(body)
                answer = self._asked.get(vector.number)
                if answer is not None and not answer.done():
                    answer.set_result(vector.numbers)
        except (asyncio.IncompleteReadError, msgspec.MsgspecError, ConnectionError):
            pass  # it has ended, or says what it may not say
        finally:
            self.kill()
            code = await self._process.wait()
            _fail(self._ready, code)
            for answer in self._asked.values():
                _fail(answer, code)


def _fail(waiting: asyncio.Future[Any], code: int) -> None:
    if not waiting.done():
        waiting.set_exception(WorkerEndedError(code))
        waiting.exception()  # nobody may be left to hear it


async def _frame(source: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await source.readexactly(messages.LENGTH_BYTES), "big")
    if length > messages.FRAME_BYTES_MAX:
        raise msgspec.MsgspecError
    return await source.readexactly(length)


def _code(process: asyncio.subprocess.Process) -> int:
    return -1 if process.returncode is None else process.returncode


def _environment(threads: int) -> dict[str, str]:
    """Nothing of the person's. OpenMP's threads sleep while they wait, where they would spin (OpenMP 5.2, 21.7).

    NumPy's library of matrices, which nobody uses, would start threads when it is imported, and Landlock binds
    only a process that has none yet.
    """
    environment = processes.worker_environment(Path(tempfile.gettempdir()))
    environment |= {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}
    return environment | {"OPENBLAS_NUM_THREADS": "1"}


def threads() -> int:
    """Return how many threads a text is computed on: half of the cores that this process may use."""
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, usable // 2)
