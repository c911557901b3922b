"""A mark of the process that holds a lease, by which another process on the same machine sees that it has died.

A lease expires some time after a kill; a successor on the same machine need not wait for that. A mark is
`host|machine|process|random`. The machine's id stands beside the host's name, since many machines are called
`localhost`. A container with process ids of its own counts as a machine.
"""

import functools
import hashlib
import os
import secrets
import socket
import sys
import uuid
from pathlib import Path
from typing import NamedTuple

_in_use: set[str] = set()
"""The marks of this process whose holders live."""


class Mark(NamedTuple):
    """The process that holds something."""

    host: str
    machine: str
    process: int
    random: str = ""

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"

    @property
    def is_ours(self) -> bool:
        """Whether it is this process."""
        return self.machine == _machine() and self.process == os.getpid()

    @property
    def is_dead(self) -> bool:
        """Whether the holder is known to have ended; False for one of another machine."""
        if self.is_ours:
            return self.random not in _in_use
        return self.machine == _machine() and not _is_alive(self.process)


def make() -> str:
    """Return a mark of this process that no other call returns."""
    random = secrets.token_hex(8)
    _in_use.add(random)
    return f"{socket.gethostname()}|{_machine()}|{os.getpid()}|{random}"


def forget(text: str) -> None:
    """Record that the holder with this mark has ended, though its process goes on."""
    _in_use.discard(text.rpartition("|")[2])


def read(text: str) -> Mark | None:
    """Return the process that made a mark; None for a text that is no mark, as an earlier version wrote."""
    host, _, rest = text.partition("|")
    machine, _, rest = rest.partition("|")
    process, _, random = rest.partition("|")
    return Mark(host, machine, int(process), random) if random and process.isdecimal() else None


@functools.cache
def _machine() -> str:
    """Return an id of this machine since its start, and of this process id namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        space = str(os.stat("/proc/self/ns/pid").st_ino)  # noqa: PTH116 -- as it is, a Path would look elsewhere
    except OSError:  # not Linux
        boot, space = socket.gethostname(), str(uuid.getnode())
    return hashlib.sha256(f"{boot} {space}".encode()).hexdigest()[:16]


if sys.platform == "win32":
    import ctypes

    _SYNCHRONIZE = 0x0010_0000
    _WAIT_TIMEOUT = 0x102
    _ERROR_INVALID_PARAMETER = 87
    """What OpenProcess says of an id that no process has (Microsoft, "OpenProcess function")."""

    def _is_alive(process: int) -> bool:
        # `os.kill` would end it: on Windows every signal is TerminateProcess.
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = kernel.OpenProcess(_SYNCHRONIZE, False, process)
        if not handle:
            return ctypes.get_last_error() != _ERROR_INVALID_PARAMETER
        alive: bool = kernel.WaitForSingleObject(handle, 0) == _WAIT_TIMEOUT
        kernel.CloseHandle(handle)
        return alive

else:

    def _is_alive(process: int) -> bool:
        try:
            os.kill(process, 0)  # sends nothing (POSIX)
        except ProcessLookupError:
            return False
        except (PermissionError, OverflowError):
            return True
        try:
            status = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
        except OSError:  # not Linux, or it ended just now
            return True
        # One that has ended and whose parent has not looked yet (proc_pid_stat(5)); its name may have a bracket.
        return not status.rpartition(")")[2].lstrip().startswith(("Z", "X"))
