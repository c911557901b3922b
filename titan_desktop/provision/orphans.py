"""Ends the servers that a killed server host left, and no other process.

Process ids are reused, so an id alone proves nothing. A process is ours when its id, its start time and its name
match the record, which the server host writes at each start of a server.
"""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from titan_desktop.provision.server import Note
from titan_desktop.system import private_files

if TYPE_CHECKING:
    import psutil

START_TOLERANCE_S = 3.0
"""psutil derives the start from the boot time, which moves when the clock is set."""
PATIENCE_S = 5.0


class Entry(TypedDict):
    """One server: its process id, when it started (seconds since the epoch), and its program's name."""

    pid: int
    started: float
    name: str


def entry_of(pid: int) -> Entry | None:
    """Describe a process that was just started; None when it has already ended."""
    import psutil

    try:
        process = psutil.Process(pid)
        return {"pid": pid, "started": process.create_time(), "name": process.name()}
    except psutil.Error:
        return None


def write(record: Path, entries: list[Entry]) -> None:
    """Replace the record atomically."""
    private_files.replace(record, json.dumps(entries))


def end_all(record: Path, data: Path, note: Note) -> None:
    """End the living processes of the record, and postmasters that still serve a cluster in `data`."""
    lock_files = list(data.glob("postgres-*/postmaster.pid"))
    if not record.exists() and not lock_files:
        return
    import psutil

    postmasters = [entry for lock_file in lock_files for entry in _postmaster(lock_file)]
    for entry in (*_recorded(record), *postmasters):
        try:
            process = psutil.Process(entry["pid"])
            ours = (
                process.name() == entry["name"]
                and abs(process.create_time() - entry["started"]) < START_TOLERANCE_S
                and process.status() != psutil.STATUS_ZOMBIE
            )
            if ours:
                note(f"ending {entry['name']} {entry['pid']}, left by a server host that was killed")
                _end(process)
        except psutil.NoSuchProcess:
            continue
        except psutil.Error as error:  # it cannot be inspected, so it is not ours, or it does not end
            note(f"left process {entry['pid']} alone: {type(error).__name__}")
    with contextlib.suppress(FileNotFoundError):
        record.unlink()


def _end(process: "psutil.Process") -> None:
    import psutil

    # SIGINT is PostgreSQL's fast shutdown, and Valkey's orderly one. Windows has only the hard way.
    first = signal.SIGINT if os.name == "posix" else signal.SIGTERM
    process.send_signal(first)
    try:
        process.wait(PATIENCE_S)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(PATIENCE_S)


def _recorded(record: Path) -> list[Entry]:
    try:
        found: list[Entry] = json.loads(record.read_text("utf-8"))
        return [
            {"pid": int(entry["pid"]), "started": float(entry["started"]), "name": str(entry["name"])}
            for entry in found
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _postmaster(lock_file: Path) -> Iterator[Entry]:
    """Yield the server of postmaster.pid: line 1 is the process id, line 3 the start in seconds since the epoch.

    The id is negative for initdb's servers and single-user mode, which have no clients.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = lock_file.read_text("utf-8").splitlines()
        name = "postgres" if os.name == "posix" else "postgres.exe"
        yield {"pid": abs(int(lines[0])), "started": float(lines[2]), "name": name}
