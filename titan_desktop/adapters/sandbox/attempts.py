"""Tries, from within a confined process, what a compromised parser would try: a setting alone is no proof.

An attempt that succeeds does no harm: a file is opened and not changed, a program ends at once.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from titan_desktop.contracts.security import Act, Attempt

_JOB_IS_FULL = 1816
"""ERROR_NOT_ENOUGH_QUOTA: a job object's limit of processes (Microsoft, "System Error Codes")."""


def attempts(outside: Path) -> tuple[Attempt, ...]:
    """Try each act. `outside` is a file that the user may read and write, and a worker may not."""
    acts: dict[Act, Callable[[], object]] = {
        Act.READ_FILES: lambda: _open(outside, os.O_RDONLY),
        Act.WRITE_FILES: lambda: _open(outside, os.O_WRONLY),
        Act.USE_NETWORK: _use_network,
        Act.START_PROGRAMS: _start_a_program,
        Act.REACH_PROCESSES: _reach_the_parent,
    }
    return tuple(Attempt(act=act, refused=_is_refused(try_it)) for act, try_it in acts.items())


def _is_refused(try_it: Callable[[], object]) -> bool:
    """Tell a refusal by the system from other errors, such as a missing file."""
    try:
        try_it()
    except PermissionError:
        return True
    except OSError as error:
        return getattr(error, "winerror", None) == _JOB_IS_FULL
    return False


def _open(path: Path, flags: int) -> None:
    os.close(os.open(path, flags))


def _use_network() -> None:
    """Bind a port of this machine, for which no peer is needed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))


def _start_a_program() -> None:
    """It inherits what we have: to open the null device for it would be refused before the program is."""
    subprocess.run([sys.executable, "-c", ""], check=False)


def _reach_the_parent() -> None:
    """Ask for the least that one may do to a process: signal 0, on Windows to look into its memory."""
    if sys.platform == "win32":
        import _winapi

        may_read_memory = 0x0010  # PROCESS_VM_READ
        _winapi.CloseHandle(_winapi.OpenProcess(may_read_memory, False, os.getppid()))
    else:
        os.kill(os.getppid(), 0)
