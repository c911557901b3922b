"""Starts a server's programs so that they end with this process, and stops them.

The kernel sends the parent-death signal when the *thread* ends that started the child (prctl(2)), so everything
but `stop` runs in the thread that owns the server.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from titan_desktop.contracts.problem import Problem
from titan_desktop.provision.server import ProgramFailedError, Server
from titan_desktop.system.bounded_file import BoundedFile, Drain
from titan_desktop.system.processes import server_environment

POLL_S = 0.004
OUTPUT_PATIENCE_S = 1.0
"""For the last words of a program that has ended; a child of it that lives on may have more."""

_PR_SET_PDEATHSIG = 1  # prctl(2)

Report = Callable[..., None]
"""Sends a line with these fields to the core."""
Remember = Callable[[str, int | None], None]
"""Records the process id of a store's server, or None."""


class Children:
    """The processes of one server. Implements `server.Runner`."""

    def __init__(self, server: Server, report: Report, remember: Remember) -> None:
        self._server = server
        self._report = report
        self._remember = remember
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._output = BoundedFile(server.log)
        self._process: subprocess.Popen[bytes] | None = None
        self._serving = False

    def run(self, command: Sequence[str], *, stdin: bytes = b"") -> None:
        """Implement `server.Runner`."""
        process, output = self._start(command, stdin=subprocess.PIPE)
        process.communicate(stdin)
        output.wait(OUTPUT_PATIENCE_S)
        if process.returncode != 0:
            raise ProgramFailedError(Path(command[0]).name, process.returncode)

    @contextlib.contextmanager
    def serving(
        self,
        command: Sequence[str],
        *,
        is_ready: Callable[[int], bool],
        stop: "Callable[[subprocess.Popen[bytes]], None]",
    ) -> Iterator[None]:
        """Implement `server.Runner`."""
        process, output = self._start(command)
        self._remember(self._server.store, process.pid)
        try:
            while not is_ready(process.pid):
                if process.poll() is not None or self.stopping.wait(POLL_S):
                    raise ProgramFailedError(Path(command[0]).name, process.poll() or 0)
            yield
        finally:
            if process.poll() is None:
                stop(process)
            output.wait(OUTPUT_PATIENCE_S)
            self._remember(self._server.store, None)

    def note(self, line: str) -> None:
        """Implement `server.Runner`."""
        self._report(note=line)

    def tell(self, problem: Problem) -> None:
        """Implement `server.Runner`."""
        self._report(state="preparing", problem=problem)

    def serve(self, command: Sequence[str]) -> bool:
        """Run the server to its end. Returns whether it ended by itself.

        Raises:
            ProgramFailedError: it ended before it accepted connections.
        """
        process, output = self._start(command, serving=True)
        self._remember(self._server.store, process.pid)
        try:
            while not self._server.is_ready(process.pid):
                if process.poll() is not None:
                    raise ProgramFailedError(Path(command[0]).name, process.returncode)
                if self.stopping.wait(POLL_S):
                    break
            else:
                self._report(state="up", url=self._server.url)
                self._server.serves(self)
            process.wait()
        finally:
            if process.poll() is not None:
                output.wait(OUTPUT_PATIENCE_S)
            self._remember(self._server.store, None)
        if self.stopping.is_set():
            return False
        self.note(f"{self._server.store} ended with {process.returncode}; starting it again")
        return True

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the running programs, bounded in time; nothing is started after that. For another thread.

        `at_once`: their folder is lost; see `Server.abandon`.
        """
        with self._lock:
            self.stopping.set()
            process, serving = self._process, self._serving
        if process is not None and process.poll() is None:
            if at_once:
                self._server.abandon(process)
            elif serving:
                self._server.stop(process)
            else:
                process.terminate()

    def _start(
        self, command: Sequence[str], *, serving: bool = False, stdin: int = subprocess.DEVNULL
    ) -> "tuple[subprocess.Popen[bytes], Drain]":
        account = self._server.account
        identity: dict[str, object] = (
            {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
        )
        if sys.platform == "win32":
            identity["creationflags"] = subprocess.CREATE_NO_WINDOW
        elif sys.platform == "linux":
            # Called after the change of user, which would clear the signal, and before exec, which keeps it.
            identity["preexec_fn"] = _die_with_parent(self._server.death_signal)
        with self._lock, Drain(self._output) as output:
            if self.stopping.is_set():
                raise ProgramFailedError(Path(command[0]).name, 0)
            self._process = subprocess.Popen(  # type: ignore[call-overload]
                list(command),
                stdin=stdin,
                stdout=output.end,
                stderr=output.end,
                # A folder that the account may enter, and that nobody wants to unmount.
                cwd=self._server.folder if self._server.folder.is_dir() else self._server.folder.anchor,
                env=server_environment(),
                **identity,
            )
            self._serving = serving
            process: subprocess.Popen[bytes] = self._process
        return process, output


def die_with_parent(number: signal.Signals) -> None:
    """Ask the kernel to send us `number` when our parent dies. Linux only; nothing elsewhere."""
    if sys.platform == "linux":
        _die_with_parent(number)()


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Prepare the call here, so that the child does as little as possible between fork and exec."""
    parent = os.getpid()
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    code = int(number)

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, code)
        if os.getppid() != parent and os.getpid() != parent:  # the parent died before the call
            os._exit(1)

    return ask
