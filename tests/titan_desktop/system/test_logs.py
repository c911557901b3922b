"""Claims about log files. In a process of its own, because they take over the root logger."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from titan_desktop.client.spawn import LOG_BYTES_MAX
from titan_desktop.system import bounded_file, logs

WRITER = """
import logging, os, sys, warnings
from pathlib import Path
from titan_desktop.client.spawn import LOG_BYTES_MAX
from titan_desktop.system import bounded_file, logs
os.umask(0)
logs.FILE_BYTES = 2_000
logs.start(Path(sys.argv[1]), logging.WARNING)
for number in range(500):
    logging.getLogger("titan").warning("line %s of a file called %s", number, os.fsdecode(b"bad\\xff"))
    logging.getLogger("titan").info("not wanted")
    logging.getLogger("httpx2").info("GET http://somewhere/?secret")
    warnings.warn_explicit(f"warning {number}", UserWarning, "x.py", number)
"""


def test_a_log_is_private_bounded_and_takes_any_name(tmp_path: Path) -> None:
    """500 lines, and as many warnings of libraries, fill five files of 2,000 bytes at most, the newest kept.

    They are readable by their owner alone.
    """
    log = tmp_path / "logs" / "core.log"
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(log)], check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    files = sorted(log.parent.iterdir())
    assert len(files) == logs.FILES
    assert all(file.stat().st_size <= 2_000 for file in files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert "line 499 of a file called bad?" in log.read_text("utf-8")
    assert "x.py:499: UserWarning: warning 499" in log.read_text("utf-8")
    assert not any("wanted" in file.read_text() or "secret" in file.read_text() for file in files)


def test_all_logs_together_have_at_most_50_mb() -> None:
    """Python's loggers in window and core; what is printed by core, servers and Docker; faults; the start."""
    loggers = 2 * logs.FILE_BYTES * logs.FILES
    printed = sum(bounded_file.LIMIT_BYTES for _ in ("core-output", "postgres", "redis", "docker", "titan"))
    assert loggers + printed + LOG_BYTES_MAX <= 50_000_000


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The window then goes on without a log; the core says it and ends."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        logs.start(tmp_path / "file" / "core.log", 0)
