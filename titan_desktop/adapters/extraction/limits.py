"""What a worker may use, and how it is held to it; applied once, when a worker starts.

Memory is held twice. The kernel refuses what goes beyond `memory_bytes` at once, where it can (Linux); native code
answers such a refusal with an abort, which says nothing of the cause. So a watch ends the worker earlier, at
`resident_bytes`, with an exit code that names it, and serves alone on the other systems.
"""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing import connection

_MIB = 1024 * 1024
OUT_OF_MEMORY_EXIT = 86
"""A worker that ends with this code has used more memory than it may."""
_WATCH_INTERVAL_S = 0.05
_PR_SET_PDEATHSIG = 1
_NICENESS = 10
"""The person's own programs go first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one file: `timeout_s` from the worker's start on it; a file's own size; a worker's memory."""

    timeout_s: float = 60.0
    file_bytes: int = 100 * _MIB
    unpacked_bytes: int = 600 * _MIB
    text_bytes: int = 8 * _MIB
    text_characters: int = 2_000_000
    resident_bytes: int = 1536 * _MIB
    memory_bytes: int = 2048 * _MIB


def hold(limits: Limits) -> None:
    """Bind this process to the limits and to its parent's life. Called first in every worker."""
    # pebble asks with SIGTERM first, which Python answers between two byte codes: hanging native code never would.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with_the_parent()
    _limit_memory(limits.memory_bytes)
    threading.Thread(
        target=_watch_memory, args=(limits.resident_bytes,), name="memory watch", daemon=True
    ).start()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)


def _die_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        # The thread below needs the interpreter, which a hanging parser may hold: the kernel needs nothing.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if not parent.is_alive():  # it died before we asked
        os._exit(0)
    threading.Thread(
        target=_wait_for_the_end_of, args=(parent.sentinel,), name="parent watch", daemon=True
    ).start()


def _wait_for_the_end_of(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(0)


def _limit_memory(most_bytes: int) -> None:
    if sys.platform == "linux":
        import resource

        # RLIMIT_DATA counts writable private memory, mmap included (Linux 4.7); RLIMIT_AS would count what thread
        # pools and allocators merely reserve, which grows with the number of cores.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))


def _watch_memory(most_bytes: int) -> None:
    import psutil

    process = psutil.Process()
    while process.memory_info().rss < most_bytes:
        time.sleep(_WATCH_INTERVAL_S)
    os._exit(OUT_OF_MEMORY_EXIT)
