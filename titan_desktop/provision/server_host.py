"""The server host: a small process between the core and the embedded servers, so that these die with the core.

The core starts it with pipes and holds the writing end of its standard input. However the core ends, also by
kill -9, the kernel closes that end; the server host reads the end of file, stops the servers and goes. Where the
kernel offers it (Linux), servers also die with it; everywhere the next server host ends what a killed one left.

Standard library, psutil for the record, and nothing heavier: the server host is up before its servers are.
What it says is one JSON object a line: `{"store", "state", "url" | "problem"}` or `{"note"}`.
"""

import argparse
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.provision import orphans
from titan_desktop.provision.children import die_with_parent
from titan_desktop.provision.errors import FOLDER_LOST
from titan_desktop.provision.postgres import Postgres
from titan_desktop.provision.server import Server
from titan_desktop.provision.server_supervisor import ServerSupervisor
from titan_desktop.provision.valkey import Valkey
from titan_desktop.system.file_lock import FileLock
from titan_desktop.system.folder_identity import FolderIdentity

if TYPE_CHECKING:
    from titan_desktop.provision.postgres_access import Listen

LOCK_PATIENCE_S = 20.0
"""A predecessor that is still stopping its servers may take this long."""


class Stop:
    """The request to end, made by a signal or by the end of input, whichever comes first.

    Not an Event: a signal that comes while the main thread is inside `Event.set` or `wait` takes the same lock
    again and deadlocks. `SimpleQueue.put` may be interrupted by itself (Python docs, queue).
    """

    def __init__(self) -> None:
        self._stops: queue.SimpleQueue[None] = queue.SimpleQueue()

    def request(self) -> None:
        """Ask the server host to end; from any thread, and from a signal handler."""
        self._stops.put(None)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the request, in the main thread. Returns whether it came."""
        try:
            self._stops.get(timeout=timeout_s)
        except queue.Empty:
            return False
        return True


class Reporter:
    """Writes lines to the core from several threads; errors are ignored when the core is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, **fields: str | Problem) -> None:
        """Write one line."""
        line = json.dumps(fields, default=asdict) + "\n"
        with self._lock:
            try:
                os.write(1, line.encode())
            except OSError:
                return


class Record:
    """The file that names the servers' processes, for the next server host."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._entries: dict[str, orphans.Entry] = {}

    def remember(self, store: str, pid: int | None) -> None:
        """Record that `store` runs as `pid` now, or no longer."""
        found = None if pid is None else orphans.entry_of(pid)
        with self._lock:
            if found is None:
                self._entries.pop(store, None)
            else:
                self._entries[store] = found
            orphans.write(self._path, list(self._entries.values()))


def main(argv: Sequence[str]) -> int:
    """Run the servers until standard input ends, a SIGTERM comes or their folders are lost.

    Exit codes: 0 in order, 1 another server host did not end, 4 the folders are lost.
    """
    options = _arguments(argv)
    os.umask(0o077)  # the servers' own files, too
    stop = Stop()
    signal.signal(signal.SIGTERM, lambda *_: stop.request())
    # Ctrl-C in a terminal goes to the whole group; the core decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(signal.SIGTERM)
    threading.Thread(target=_wait_for_end_of_input, args=(stop,), name="input", daemon=True).start()
    reporter = Reporter()
    with FileLock(options.run / "stores.lock") as lock:
        if not _take(lock, stop):
            for store in options.stores:
                reporter(store=store, state="failed", problem=Problem(Code.STILL_STOPPING))
            return 1
        return _keep(options, reporter, stop)


def _keep(options: argparse.Namespace, reporter: Reporter, stop: Stop) -> int:
    record_path: Path = options.run / "stores.json"
    folders = FolderIdentity((options.data, options.run))
    folders.watch(lambda _folder: stop.request())
    servers = _servers(options)
    orphans.end_all(record_path, options.data, lambda line: reporter(note=line))
    record = Record(record_path)

    def supervisor_of(server: Server) -> ServerSupervisor:
        def report(**fields: str) -> None:
            reporter(**({} if "note" in fields else {"store": server.store}), **fields)

        return ServerSupervisor(server, report, record.remember)

    supervisors = [supervisor_of(server) for server in servers]
    for supervisor in supervisors:
        supervisor.start()
    stop.wait()
    is_lost = folders.lost() is not None
    # PostgreSQL first: the core's services may still write to it at the end.
    for supervisor in supervisors:
        supervisor.stop(at_once=is_lost)
    if is_lost:  # what is there now may be the next server host's
        return FOLDER_LOST
    record_path.unlink(missing_ok=True)
    return 0


def _servers(options: argparse.Namespace) -> list[Server]:
    made: list[Server] = []
    if "postgres" in options.stores:
        listen: Listen = options.listen
        made.append(Postgres(options.data, options.logs / "postgres.log", options.sockets, listen))
    if "redis" in options.stores:
        made.append(Valkey(options.data / "redis", options.logs / "redis.log", options.sockets))
    return made


def _take(lock: FileLock, stop: Stop) -> bool:
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while not lock.acquire():
        if time.monotonic() > deadline or stop.wait(0.02):
            return False
    return True


def _wait_for_end_of_input(stop: Stop) -> None:
    # os.read, not sys.stdin: a daemon thread inside a buffered read aborts the interpreter's end.
    try:
        while os.read(0, 1024):
            pass
    except OSError:
        pass
    stop.request()


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="titan server-host", description="Keeps the embedded servers of one core."
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--logs", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--sockets", type=Path, required=True)
    parser.add_argument("--listen", choices=["unix", "tcp"], default="unix")
    parser.add_argument("stores", nargs="+", choices=["redis", "postgres"])
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
