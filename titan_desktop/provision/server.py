"""The interface of an embedded server for the server host: prepare, start, check and stop."""

import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.provision.account import Account

Note = Callable[[str], None]
"""Writes a line to the core's log."""
FULL_DISK_BYTES = 24_000_000
"""With less free space than this a failure is attributed to the disk: PostgreSQL writes its WAL in pieces of 16
MB."""


class Runner(Protocol):
    """Runs the programs that prepare a server, so that they end with the server host."""

    def run(self, command: Sequence[str], *, stdin: bytes = b"") -> None:
        """Run a program to its end.

        Raises:
            ProgramFailedError: it failed, or the server host stops.
        """
        ...

    def serving(
        self,
        command: Sequence[str],
        *,
        is_ready: Callable[[int], bool],
        stop: "Callable[[subprocess.Popen[bytes]], None]",
    ) -> AbstractContextManager[None]:
        """Run a server within the block, from when `is_ready` is true for its process id; then call `stop`.

        Raises:
            ProgramFailedError: it ended before it was ready, or the server host stops.
        """
        ...

    def note(self, line: str) -> None:
        """Write a line to the core's log."""
        ...

    def tell(self, problem: Problem) -> None:
        """Report to the person why the server is not available for a while."""
        ...


class ProgramFailedError(Exception):
    """A server, or a program that prepares one, ended by itself.

    Attributes:
        program: its name.
        code: its exit code; negative is the signal that ended it.
    """

    def __init__(self, program: str, code: int) -> None:
        super().__init__(f"{program} ended with {code}")
        self.program = program
        self.code = code


class Server(Protocol):
    """One embedded server. All methods block; they run in the server's thread of the server host."""

    @property
    def store(self) -> str:
        """`redis` or `postgres`."""
        ...

    @property
    def folder(self) -> Path:
        """The folder of its data."""
        ...

    @property
    def log(self) -> Path:
        """The file of its output."""
        ...

    @property
    def url(self) -> str:
        """Its URL once it is ready."""
        ...

    @property
    def failed(self) -> Code:
        """The problem when it does not start, with the cure for damaged data."""
        ...

    @property
    def account(self) -> Account | None:
        """The account that it runs as; None is the current user."""
        ...

    @property
    def death_signal(self) -> signal.Signals:
        """The signal that the kernel sends it when the server host is killed (Linux)."""
        ...

    def prepare(self, runner: Runner) -> list[str]:
        """Create its folders, remove what a killed server left, and return the command line that starts it.

        Raises:
            OSError: the disk is full, or a folder is not ours.
            ProgramFailedError: a program that prepares it failed.
            StoreUnavailableError: with a problem of its own.
        """
        ...

    def is_ready(self, pid: int) -> bool:
        """Whether the process `pid` accepts connections."""
        ...

    def serves(self, runner: Runner) -> None:
        """Clean up after it has begun to accept connections."""
        ...

    def stop(self, process: "subprocess.Popen[bytes]") -> None:
        """Stop it, and kill it if it does not stop in time."""
        ...

    def abandon(self, process: "subprocess.Popen[bytes]") -> None:
        """End it, or a program that prepares it, at once.

        Its folder is gone and nothing can be saved, or it was moved and what was committed is in it. Another
        server may have the paths by now: nothing is to be removed there.
        """
        ...


def end(process: "subprocess.Popen[bytes]", steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn and wait its seconds, until the process has ended; SIGKILL is the last."""
    for number, patience_s in steps:
        process.send_signal(number)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
        return
    process.kill()
    process.wait()


def last_lines(log: Path, *, count: int = 5) -> str:
    """Return the end of a log for a report."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 4000))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-count:])
    except OSError:
        return ""
