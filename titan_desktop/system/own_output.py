"""What the core, its workers and their libraries print: a process that outlives them writes it, bounded.

That process is `titan log-writer`, standard library only. It is not a thread: the last words of a process that
aborts (a parser's abort, `faulthandler`) are still in the pipe when its threads are gone. `core` calls `bound`
before it imports anything that could print.
"""

import contextlib
import logging
import os
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from titan_desktop.system import processes
from titan_desktop.system.bounded_file import BoundedFile, drain

log = logging.getLogger(__name__)

_OUTPUTS = (1, 2)
_RESTARTS_MAX = 5
_RESTART_S = 0.2
_STDERR = 2

_starters_output = _STDERR
"""The output that the process which started this one reads, for why this one could not go on."""


def bound(path: Path) -> None:
    """Send what this process and its later children print into `path`, which stays bounded.

    Where the output is no file, it is a terminal or somebody's pipe, and stays theirs.
    """
    global _starters_output  # noqa: PLW0603 - a process has one standard error
    if not all(map(_is_file, _OUTPUTS)):
        return
    source, end = os.pipe()
    try:
        writer = _start_writer(source, path)
    except OSError as error:
        log.warning("what is printed is not bounded: %s", error)
        os.close(source)
        os.close(end)
        return
    _starters_output = os.dup(_STDERR)
    for output in _OUTPUTS:
        os.dup2(end, output)
    os.close(end)
    threading.Thread(target=_keep, args=(writer, source, path), name="log writer", daemon=True).start()


def tell_starter(sentence: str) -> None:
    """Print a line for the process that started this one, whatever `bound` has done."""
    with contextlib.suppress(OSError):
        os.write(_starters_output, f"{sentence}\n".encode(errors="replace"))


def main(argv: Sequence[str]) -> int:
    """Write standard input into a bounded file until its end: `titan log-writer FILE`."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the end of the input alone ends it, after the last word
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    drain(0, BoundedFile(Path(argv[0])))
    return 0


def _keep(writer: "subprocess.Popen[bytes]", source: int, path: Path) -> None:
    """Start another writer when one dies; after too many deaths write here.

    We hold the pipe's source meanwhile, so that nobody's print fails; who prints much waits.
    """
    for _ in range(_RESTARTS_MAX):
        writer.wait()
        log.warning("the log writer ended with %s; starting another", writer.returncode)
        time.sleep(_RESTART_S)
        with contextlib.suppress(OSError):
            writer = _start_writer(source, path)
    writer.wait()
    drain(source, BoundedFile(path))


def _start_writer(source: int, path: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        processes.command("log-writer", str(path)),
        stdin=source,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=processes.host_environment(),
    )


def _is_file(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False
