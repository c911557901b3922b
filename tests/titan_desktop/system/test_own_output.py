"""Claims about what a Titan process and its children print, in processes of their own."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from titan_desktop.system import processes
from titan_desktop.system.bounded_file import LIMIT_BYTES

PATIENCE_S = 30
FLOODS = """
import ctypes, faulthandler, os, subprocess, sys, warnings
from pathlib import Path
from titan_desktop.system import own_output
own_output.bound(Path(sys.argv[1]))
faulthandler.enable()
line = "x" * 999
for _ in range(2_000):
    print(line)
    print(line, file=sys.stderr)
    warnings.warn_explicit(line, UserWarning, "x.py", _)
    os.write(2, line.encode())
subprocess.run([sys.executable, "-c", "import os\\nfor _ in range(99): os.write(1, b'child' * 9999)"], check=True)
native = ctypes.CDLL(None)
for _ in range(2_000):
    native.puts(line.encode())
native.fflush(None)
own_output.tell_starter("for the starter")
os.abort()
"""
ENDLESS = """
import sys, time
from pathlib import Path
from titan_desktop.system import own_output
own_output.bound(Path(sys.argv[1]))
number = 0
while True:
    print(number, flush=True)
    number += 1
    time.sleep(0.001)
"""


def start(code: str, log: Path) -> "subprocess.Popen[bytes]":
    """Start it as a client starts the core: its output is a file."""
    with log.with_name("start.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-c", code, str(log)],
            stdout=output,
            stderr=output,
            env=processes.own_environment(),
        )


def wait_for_writers(log: Path) -> None:
    """Wait until nobody writes into the log any more."""
    writers = [one for one in psutil.process_iter(["cmdline"]) if str(log) in (one.info["cmdline"] or ())]
    _, left = psutil.wait_procs(writers, timeout=PATIENCE_S)
    assert not left


def numbers(log: Path) -> list[int]:
    return [int(word) for word in log.read_text().split() if word.isdecimal()] if log.exists() else []


@pytest.mark.skipif(sys.platform != "linux", reason="prints through the C library by Linux's name")
def test_a_flood_from_everywhere_is_bounded(tmp_path: Path) -> None:
    """Prints, warnings, a child, native code; the last words of a process that aborts are there."""
    log = tmp_path / "out.log"
    process = start(FLOODS, log)
    assert process.wait(PATIENCE_S) == -signal.SIGABRT
    wait_for_writers(log)
    assert "Fatal Python error: Aborted" in log.read_text("utf-8", "replace")
    former = log.with_name("out.log.1")
    assert 0 < log.stat().st_size + former.stat().st_size <= LIMIT_BYTES
    assert (tmp_path / "start.log").read_text() == "for the starter\n"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_writer_stops_nobody(tmp_path: Path) -> None:
    """Another takes over, and nothing that was printed meanwhile is lost but what the killed one had in hand."""
    log = tmp_path / "out.log"
    process = start(ENDLESS, log)
    try:
        _until(lambda: bool(numbers(log)))
        [writer] = psutil.Process(process.pid).children()
        writer.kill()
        _until(lambda: [one for one in psutil.Process(process.pid).children() if one.pid != writer.pid] != [])
        known = numbers(log)[-1]
        _until(lambda: numbers(log)[-1] > known + 100)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    wait_for_writers(log)


def test_a_pipe_of_somebody_else_stays_theirs(tmp_path: Path) -> None:
    """Who starts a core by hand, or in a test, reads what it prints."""
    code = ENDLESS.partition("number")[0] + "print('here')"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "out.log")],
        env=processes.own_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "here\n"
    assert not list(tmp_path.iterdir())


def _until(condition) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
