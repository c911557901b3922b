"""Keeps one embedded server running: prepares it, starts it, reports its state, restarts it when it dies."""

import contextlib
import shutil
import threading
import time
from pathlib import Path

from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.provision.children import Children, Remember, Report
from titan_desktop.provision.errors import StoreUnavailableError
from titan_desktop.provision.server import FULL_DISK_BYTES, Server, last_lines

FIRST_DELAY_S = 0.05
LONGEST_DELAY_S = 10.0
"""Doubled here and not by `titan_bus.backoff`, because the server host runs before that package is imported."""
STEADY_S = 30.0
"""A server that ran this long restarts without delay."""


class ServerSupervisor(threading.Thread):
    """The thread that owns one server.

    Args:
        server: the server.
        report: takes `state="up"`, `"failed"`, `"down"` or `"preparing"` and `"note"` lines.
        remember: takes the living process ids, for the record.
    """

    def __init__(self, server: Server, report: Report, remember: Remember) -> None:
        super().__init__(name=f"supervisor-{server.store}", daemon=True)
        self._server = server
        self._report = report
        self._children = Children(server, report, remember)

    def run(self) -> None:
        """Run the server until `stop`, with a growing delay between failures."""
        delay_s = FIRST_DELAY_S
        stopping = self._children.stopping
        while not stopping.is_set():
            started = time.monotonic()
            try:
                if self._children.serve(self._server.prepare(self._children)):
                    self._report(
                        state="down", problem=Problem(Code.RESTARTING, {"store": self._server.store})
                    )
            except Exception as error:  # noqa: BLE001  # supervisor: a dead thread would take its server along
                if stopping.is_set():
                    return
                self._report(state="failed", problem=self._problem(error))
            if time.monotonic() - started > STEADY_S:
                delay_s = FIRST_DELAY_S
            stopping.wait(delay_s)
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the server and the programs that prepare it, in order and bounded in time.

        `at_once`: their folder is lost; see `Server.abandon`.
        """
        self._children.stop(at_once=at_once)
        self.join(5.0)

    def _problem(self, error: Exception) -> Problem:
        """Return the problem of an error."""
        store, folder = self._server.store, self._server.folder
        if isinstance(error, StoreUnavailableError):
            return error.problem
        if _is_disk_full(folder):
            return Problem(Code.DISK_FULL, {"store": store, "folder": str(folder.parent)})
        if isinstance(error, PermissionError):
            return Problem(Code.NOT_WRITABLE, {"store": store, "path": str(error.filename or folder)})
        if isinstance(error, OSError):
            fields = {"store": store, "reason": error.strerror or "", "path": str(error.filename or folder)}
            return Problem(Code.SYSTEM_ERROR, fields)
        fields = {"reason": str(error), "folder": str(folder), "log": str(self._server.log)}
        return Problem(self._server.failed, fields, last_lines(self._server.log))


def _is_disk_full(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder if folder.exists() else folder.parent).free < FULL_DISK_BYTES
    return False
