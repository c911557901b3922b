"""Keeps one embedded server running: prepares it, starts it, says when it serves, starts it again when it dies."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from titan_desktop.provision.errors import StoreUnavailableError
from titan_desktop.provision.server import ProgramFailedError, Server, last_lines
from titan_desktop.system.processes import foreign_environment

FIRST_DELAY_S = 0.05
LONGEST_DELAY_S = 10.0
STEADY_S = 30.0
"""A server that has served this long starts again without delay."""
POLL_S = 0.004
FULL_DISK_BYTES = 24_000_000
"""Less than this free, and a server failed for it: PostgreSQL writes its log ahead in pieces of 16 MB."""

_PR_SET_PDEATHSIG = 1  # prctl(2)

Report = Callable[..., None]
"""Takes the fields of one line to the core."""


class ServerSupervisor(threading.Thread):
    """The thread that owns one server.

    The kernel's parent-death signal comes when the *thread* ends that started the child (prctl(2)), so each server
    is started by the thread that then waits for it.

    Args:
        server: what to keep.
        report: takes `state="up"`, `"failed"` or `"down"` and `"note"` lines.
        remember: takes the process ids that live now, for the record.
    """

    def __init__(self, server: Server, report: Report, remember: Callable[[str, int | None], None]) -> None:
        super().__init__(name=f"supervisor-{server.store}", daemon=True)
        self._server = server
        self._report = report
        self._remember = remember
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._serving = False

    def run(self) -> None:
        """Serve until `stop`, with a growing delay between failures."""
        delay_s = FIRST_DELAY_S
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self._serve()
            except Exception as error:  # noqa: BLE001  # supervisor: a dead thread would take its server along
                if self._stopping.is_set():
                    return
                self._report(state="failed", sentence=self._sentence(error))
            if time.monotonic() - started > STEADY_S:
                delay_s = FIRST_DELAY_S
            self._stopping.wait(delay_s)
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)

    def stop(self) -> None:
        """End the server, orderly and bounded. Whatever prepares it is ended likewise."""
        with self._lock:
            self._stopping.set()
            process, serving = self._process, self._serving
        if process is not None and process.poll() is None:
            if serving:
                self._server.stop(process)
            else:
                process.terminate()
        self.join(5.0)

    def _serve(self) -> None:
        """Run the server once, to its end."""
        command = self._server.prepare(self._run, self._note)
        process = self._start(command, serving=True)
        self._remember(self._server.store, process.pid)
        try:
            while not self._server.is_ready(process.pid):
                if process.poll() is not None:
                    raise ProgramFailedError(Path(command[0]).name, process.returncode)
                if self._stopping.wait(POLL_S):
                    break
            else:
                self._report(state="up", url=self._server.url)
            process.wait()
        finally:
            self._remember(self._server.store, None)
        if not self._stopping.is_set():
            self._report(state="down", sentence=f"{self._server.store} ended and is started again.")
            self._note(f"{self._server.store} ended with {process.returncode}; starting it again")

    def _run(self, command: Sequence[str], *, stdin: bytes = b"") -> None:
        """Implement `server.Runner`."""
        process = self._start(command, serving=False, stdin=subprocess.PIPE)
        process.communicate(stdin)
        if process.returncode != 0:
            raise ProgramFailedError(Path(command[0]).name, process.returncode)

    def _start(
        self, command: Sequence[str], *, serving: bool, stdin: int = subprocess.DEVNULL
    ) -> "subprocess.Popen[bytes]":
        account = self._server.account
        identity: dict[str, object] = (
            {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
        )
        if sys.platform == "win32":
            identity["creationflags"] = subprocess.CREATE_NO_WINDOW
        elif sys.platform == "linux":
            # Called after the change of user, which would clear the signal, and before exec, which keeps it.
            identity["preexec_fn"] = _die_with_parent(self._server.death_signal)
        descriptor = os.open(self._server.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with self._lock, os.fdopen(descriptor, "ab") as log:
            if self._stopping.is_set():
                raise ProgramFailedError(Path(command[0]).name, 0)
            self._process = subprocess.Popen(  # type: ignore[call-overload]
                list(command),
                stdin=stdin,
                stdout=log,
                stderr=log,
                # A folder that the account may enter, and that nobody wants to unmount.
                cwd=self._server.folder if self._server.folder.is_dir() else self._server.folder.anchor,
                env=foreign_environment(),
                **identity,
            )
            self._serving = serving
            process: subprocess.Popen[bytes] = self._process
        return process

    def _note(self, line: str) -> None:
        self._report(note=line)

    def _sentence(self, error: Exception) -> str:
        """Say what failed and the cure."""
        store, folder = self._server.store, self._server.folder
        if isinstance(error, StoreUnavailableError):
            return error.sentence
        if _is_disk_full(folder):
            return (
                f"The disk is full, so {store} cannot start. Free some at {folder.parent}; Titan tries again."
            )
        if isinstance(error, PermissionError):
            return (
                f"{store} may not write to {error.filename or folder}. Give the folder back to your user, "
                "or set TITAN_HOME to another one."
            )
        if isinstance(error, OSError):
            return (
                f"{store} cannot start: {error.strerror} ({error.filename or folder}). Mend that, "
                "or set TITAN_HOME to another folder."
            )
        return (
            f"{store} cannot start: {error}. {self._server.cure} Last in {self._server.log}:\n"
            f"{last_lines(self._server.log)}"
        )


def _is_disk_full(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder if folder.exists() else folder.parent).free < FULL_DISK_BYTES
    return False


def die_with_parent(number: signal.Signals) -> None:
    """Ask the kernel to send us `number` when our parent dies. Linux only; nothing elsewhere."""
    if sys.platform == "linux":
        _die_with_parent(number)()


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Prepare the call here, so that the child between fork and exec does as little as can be."""
    parent = os.getpid()
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    code = int(number)

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, code)
        if os.getppid() != parent and os.getpid() != parent:  # it died before we could ask
            os._exit(1)

    return ask
