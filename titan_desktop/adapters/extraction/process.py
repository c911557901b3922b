"""One worker process, as the core sees it: started, asked one thing at a time, killed at the first invalid answer.

Used by `pool` alone, on the core's loop. What a worker prints is bounded, as its answers are.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

from titan_desktop.adapters.extraction.descriptors import Sender
from titan_desktop.adapters.extraction.limits import Limits
from titan_desktop.adapters.extraction.messages import Answer, Answering, Request, Setup, WrongAnswerError

_SAID_BYTES = 2048
"""Of what a worker prints: the end of a traceback."""


class WorkerEndedError(Exception):
    """The worker has ended in place of an answer; `exit_code` is negative for a signal."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code


class WorkerGoneError(Exception):
    """The worker ended before it was asked: whatever it was to read is not at fault."""


class WorkerProcess(asyncio.SubprocessProtocol):
    """A worker. Made by `start`.

    Attributes:
        requests: how many it was asked.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sender = Sender()
        self._answering: Answering | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.SubprocessTransport | None = None
        self._said = b""
        self.requests = 0

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], folder: Path, limits: Limits
    ) -> Self:
        """Start a process; `ask` sets it up. Raises OSError.

        The process is started by the loop's thread: PR_SET_PDEATHSIG counts the death of the thread that starts a
        process as its parent's (prctl(2)).
        """
        worker = cls(limits)
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            options["creationflags"] = subprocess.CREATE_NO_WINDOW
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: worker,
                *command,
                stdin=cast("int", worker._sender.standard_input),  # or a socket, as Popen takes it
                env=dict(environment),
                cwd=folder,
                **options,
            )
        except BaseException:
            worker._sender.close()
            raise
        worker._sender.started()
        return worker

    @property
    def is_alive(self) -> bool:
        """Whether it may be asked."""
        return not self._ended.done()

    @property
    def said(self) -> str:
        """The end of what it printed; from a process that may lie, so for the log alone, and quoted."""
        return self._said.decode("utf-8", "replace").strip()

    @property
    def pid(self) -> int:
        """Its process id."""
        return 0 if self._transport is None else self._transport.get_pid()

    def setup(self, readable: Sequence[Path]) -> Setup:
        """Return the request with which a worker begins."""
        return Setup(self._limits, os.getpid(), tuple(map(str, readable)))

    async def ask(self, request: Request, file: BinaryIO | None = None) -> Answer:
        """Return the answer. Whoever cancels this, or sees it fail, kills the worker.

        Raises:
            WorkerGoneError: it had ended before; nothing was asked.
            WorkerEndedError: it has ended in place of an answer.
            WrongAnswerError: it said what it may not say.
        """
        if self._transport is None or self._ended.done():
            raise WorkerGoneError
        self._answering = Answering(self._limits, request)
        self._answer = asyncio.get_running_loop().create_future()
        self.requests += 1
        try:
            self._send(request, file)
            return await self._answer
        finally:
            self._answer = None

    def _send(self, request: Request, file: BinaryIO | None) -> None:
        assert self._transport is not None  # noqa: S101 - it is alive
        try:
            self._sender.send(self._transport, request, file)
        except OSError as error:  # it ends just now, and the loop will hear of it
            raise WorkerGoneError from error

    def kill(self) -> None:
        """End it at once; `ended` says when it has."""
        if self._transport is None or not self.is_alive:
            return
        if sys.platform == "win32":
            self._transport.kill()
        else:
            # Popen's own kill would take the exit code from under the child watcher, which then makes one up.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def ended(self) -> int:
        """Wait for the end, which `kill` brings; return the exit code."""
        return await asyncio.shield(self._ended)

    def when_ended(self, call: Callable[[], object]) -> None:
        """Call this when it has ended."""
        self._ended.add_done_callback(lambda _: call())

    # Called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.SubprocessProtocol`."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """See `asyncio.SubprocessProtocol`."""
        if fd != 1:
            self._said = (self._said + data)[-_SAID_BYTES:]
            return
        answer = self._answer
        if answer is None or answer.done() or self._answering is None:
            self.kill()  # nobody asked
            return
        try:
            found = self._answering.feed(data)
        except WrongAnswerError as error:
            answer.set_exception(error)
            self.kill()
            return
        if found is not None:
            answer.set_result(found)

    def process_exited(self) -> None:
        """See `asyncio.SubprocessProtocol`."""
        transport = self._transport
        code = -1 if transport is None else transport.get_returncode()
        self._ended.set_result(-1 if code is None else code)
        self._sender.close()
        if transport is not None:
            transport.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(WorkerEndedError(self._ended.result()))
