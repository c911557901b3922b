"""Claims about the lock that dies with its holder."""

import subprocess
import sys
from pathlib import Path

import pytest

from titan_desktop.system.file_lock import FileLock, is_held

HOLDER = """
import sys
from pathlib import Path
from titan_desktop.system.file_lock import FileLock
lock = FileLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    """A second process gets False at once, and the lock after its release."""
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    assert is_held(tmp_path / "lock")
    first.release()
    assert not is_held(tmp_path / "lock")
    assert second.acquire()
    second.release()


def test_nobody_holds_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Asking does not create the file."""
    assert not is_held(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()


def test_a_killed_holder_leaves_no_stale_lock(tmp_path: Path) -> None:
    """After kill -9 of the process that held it, the lock is free."""
    file = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert is_held(file)
        holder.kill()
        holder.wait()
    with FileLock(file) as lock:
        assert lock.acquire()


def test_a_lock_that_cannot_be_opened_is_held_by_nobody_but_cannot_be_taken(tmp_path: Path) -> None:
    """Such as one that root has left in the person's folder: who tries to take it hears the system's reason."""
    (tmp_path / "lock").mkdir()
    assert not is_held(tmp_path / "lock")
    with pytest.raises(OSError, match="lock"):
        FileLock(tmp_path / "lock").acquire()
