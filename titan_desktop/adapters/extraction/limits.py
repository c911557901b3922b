"""The limits of a worker, and how they are enforced.

Memory is limited twice. On Linux the kernel refuses at once what goes beyond `memory_bytes`; native code then
aborts, without a word on the cause. So a watch ends the worker earlier, at `resident_bytes`, with an exit code
for that. On other systems there is only the watch.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_MIB = 1024 * 1024
OUT_OF_MEMORY_EXIT = 86
"""A worker that ends with this code has used more memory than it may."""
_WATCH_INTERVAL_S = 0.05
_PR_SET_PDEATHSIG = 1
_NICENESS = 10
"""The person's own programs go first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one file: `timeout_s` for reading it; its own size; what comes out of it; a worker's memory.

    Its text may have as many characters as the passages of one file can hold (`services.indexing.cutting`).
    """

    timeout_s: float = 60.0
    file_bytes: int = 100 * _MIB
    unpacked_bytes: int = 600 * _MIB
    text_bytes: int = 32 * _MIB
    text_characters: int = 13_000_000
    blocks: int = 100_000
    resident_bytes: int = 1536 * _MIB
    memory_bytes: int = 2048 * _MIB


def hold(limits: Limits, parent: int) -> None:
    """Bind this process to the limits and to the life of `parent`, which started it. Starts no thread."""
    if sys.platform == "linux":
        import resource

        # A thread of ours needs the interpreter, which a hanging parser may hold: the kernel needs nothing.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # RLIMIT_DATA counts writable private memory, mmap included (Linux 4.7); RLIMIT_AS would count what thread
        # pools and allocators merely reserve, which grows with the number of cores.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (limits.memory_bytes, limits.memory_bytes))
    if sys.platform != "win32":
        os.nice(_NICENESS)
        if os.getppid() != parent:  # it died before we asked
            os._exit(0)


def watch(limits: Limits, parent: int) -> Callable[[], None]:
    """Return what starts the watch over memory and parent; what it looks at is opened now, while it may be."""
    resident, orphaned = _resident(), _orphaned(parent)

    def look() -> None:
        while not orphaned():
            if resident() >= limits.resident_bytes:
                os._exit(OUT_OF_MEMORY_EXIT)
            time.sleep(_WATCH_INTERVAL_S)
        os._exit(0)

    return threading.Thread(target=look, name="watch", daemon=True).start


def _resident() -> Callable[[], int]:
    """Return what tells the bytes of memory that this process has in use."""
    if sys.platform == "linux":
        statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        page_bytes = os.sysconf("SC_PAGE_SIZE")
        return lambda: int(os.pread(statm, 256, 0).split()[1]) * page_bytes
    else:  # noqa: RET505 - mypy reads each system's branch, and would call what follows unreachable
        import psutil

        process = psutil.Process()
        return lambda: int(process.memory_info().rss)


def _orphaned(parent: int) -> Callable[[], bool]:
    """Return what tells whether the core is gone."""
    if sys.platform == "win32":
        import _winapi

        handle = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, parent)
        return lambda: _winapi.WaitForSingleObject(handle, 0) != _winapi.WAIT_TIMEOUT
    else:  # noqa: RET505 - mypy reads each system's branch, and would call what follows unreachable
        return lambda: os.getppid() != parent
