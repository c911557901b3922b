"""The window as a process, with the real core: it starts, is raised, survives, and ends in order."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from titan_desktop.client import core_record
from titan_desktop.system.file_lock import is_held
from titan_desktop.system.paths import Paths
from titan_desktop.ui.base import exit_mark

ROOT = Path(__file__).parents[4]
START_TIMEOUT_S = 60
OFFSCREEN = ("propagateSizeHints()", "raise()")
"""What the offscreen platform says that it cannot do: to the terminal, and to the log once that is open."""


@pytest.fixture
def paths(titan_home, monkeypatch):
    """Paths of a Titan whose core is ended after the test."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    made = Paths.from_environment()
    yield made
    record = core_record.read(made.core_file)
    if record is not None and is_held(made.core_lock):
        os.kill(record.pid, signal.SIGTERM)
    wait_for(lambda: not is_held(made.core_lock))


def wait_for(condition) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def open_to_others(home: Path) -> list[Path]:
    """What others may read or write; a server's file may go while it is looked at."""
    found = []
    for folder, folders, files in os.walk(home):
        for path in (Path(folder, name) for name in (*folders, *files)):
            with contextlib.suppress(FileNotFoundError):
                if not path.is_symlink() and path.stat().st_mode & 0o066:
                    found.append(path)
    return found


@pytest.fixture
def start(paths):
    """Starts a window, which writes the report when it is ready; none outlives the test, whatever fails."""
    windows: list[subprocess.Popen[str]] = []

    def started(report: Path, *options: str) -> "subprocess.Popen[str]":
        report.unlink(missing_ok=True)
        windows.append(subprocess.Popen(
            [sys.executable, "-m", "titan_desktop", "--startup-report", str(report), *options],
            stderr=subprocess.PIPE, text=True, umask=0 if sys.platform != "win32" else -1,
        ))  # fmt: skip
        return windows[-1]

    yield started
    for window in windows:
        with window:
            window.kill()


def complaints(process: "subprocess.Popen[str]") -> list[str]:
    _, said = process.communicate(timeout=START_TIMEOUT_S)
    return [line for line in said.splitlines() if not line.endswith(OFFSCREEN)]


def test_a_window_lives_and_ends_in_order(paths, start, tmp_path):
    """It paints before the core is up; a second start raises it and ends; SIGTERM ends it within a second; after
    kill -9 the next one starts as if nothing had been. Whatever the umask, nothing that it wrote is for others.
    """
    report = tmp_path / "report.json"
    first = start(report)
    wait_for(report.exists)
    steps = list(json.loads(report.read_text()).items())
    assert [name for name, _ in steps] == ["qt_imported_ms", "first_paint_ms", "core_up_ms", "ready_ms"]
    assert [figure for _, figure in steps] == sorted(figure for _, figure in steps)

    second = start(tmp_path / "second.json")
    assert complaints(second) == []
    assert second.returncode == 0
    assert first.poll() is None

    begin = time.monotonic()
    first.send_signal(signal.SIGTERM)
    assert complaints(first) == []
    assert time.monotonic() - begin < 20
    assert first.returncode == 0
    assert (paths.config / "window.ini").exists()
    if sys.platform != "win32":
        assert open_to_others(Path(os.environ["TITAN_HOME"])) == []

    killed = start(report)
    wait_for(report.exists)
    killed.kill()
    complaints(killed)
    assert (paths.run / exit_mark.FILE_NAME).exists()
    last = start(report, "--quit-after-ready")
    assert complaints(last) == []
    assert last.returncode == 0
    assert not (paths.run / exit_mark.FILE_NAME).exists()
    logged = (paths.logs / "window.log").read_text("utf-8").splitlines()
    assert [line for line in logged if not line.endswith(OFFSCREEN)] == []


def test_a_window_outlives_its_core(paths, start, tmp_path):
    """A core that is killed comes back, and the window that watches it ends in order all the same."""
    report = tmp_path / "report.json"
    window = start(report)
    wait_for(report.exists)
    first = core_record.read(paths.core_file)
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)

    def another_core() -> bool:
        record = core_record.read(paths.core_file)
        return record is not None and record.pid != first.pid

    wait_for(another_core)
    assert window.poll() is None
    window.send_signal(signal.SIGINT)
    assert complaints(window) == []
    assert window.returncode == 0


def test_what_the_first_picture_does_not_need_is_imported_after_it() -> None:
    """The bus and the event loop take longer to import than the window takes to be painted."""
    code = (
        "import sys, titan_desktop.ui.shell.app;"
        "print(*{'asyncio', 'qasync', 'titan_bus', 'titan_desktop.ui.shell.session'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
