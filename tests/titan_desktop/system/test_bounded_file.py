"""Claims about logs that anybody may print into."""

import contextlib
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from titan_desktop.system.bounded_file import BoundedFile, Drain

LIMIT = 100_000


def sizes(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.iterdir())


def test_a_flood_is_bounded_and_its_end_is_kept(tmp_path: Path) -> None:
    """However much is written at once or in how many pieces; the files are their owner's alone."""
    path = tmp_path / "log"
    with contextlib.closing(BoundedFile(path, LIMIT)) as file:
        for number in range(100):
            file.write(b"%d\n" % number * 5_000 * (1 + number % 5))
            assert sizes(path) <= LIMIT
    assert path.read_bytes().endswith(b"\n99\n")
    assert {name.name for name in tmp_path.iterdir()} == {"log", "log.1"}
    assert {stat.S_IMODE(name.stat().st_mode) for name in tmp_path.iterdir()} <= {0o600}


def test_a_next_start_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    """What was there counts, also more of it than the limit: a former version knew none."""
    path = tmp_path / "log"
    path.write_bytes(b"x" * 3 * LIMIT)
    for text in (b"first\n", b"second\n"):
        with contextlib.closing(BoundedFile(path, LIMIT)) as file:
            file.write(text)
    assert path.read_bytes() == b"first\nsecond\n"
    assert sizes(path) <= LIMIT


def test_what_cannot_be_written_is_left_out(tmp_path: Path) -> None:
    """A folder that goes stops nobody who prints, and what comes after it is back is written."""
    path = tmp_path / "logs" / "log"
    path.parent.mkdir()
    with contextlib.closing(BoundedFile(path, LIMIT)) as file:
        file.write(b"a\n")
        file.close()
        shutil.rmtree(path.parent)
        file.write(b"b\n")
        path.parent.mkdir()
        file.write(b"c\n")
    assert path.read_bytes() == b"c\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to write to")
def test_a_full_disk_stops_nobody(tmp_path: Path) -> None:
    """Linux has a device that is always full."""
    (tmp_path / "log").symlink_to("/dev/full")
    file = BoundedFile(tmp_path / "log", LIMIT)
    file.write(b"a\n")
    with pytest.raises(OSError, match="No space"):
        file.append(b"a\n")


def test_threads_may_share_a_file(tmp_path: Path) -> None:
    """Each piece is whole, and there once."""
    file = BoundedFile(tmp_path / "log")

    def print_often(text: bytes) -> None:
        for _ in range(200):
            file.write(text)

    threads = [threading.Thread(target=print_often, args=(b"%d" % n * 99 + b"\n",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.close()
    lines = (tmp_path / "log").read_bytes().split()
    assert len(lines) == 800
    assert all(len(line) == 99 and len(set(line)) == 1 for line in lines)


def test_a_child_that_floods_is_bounded(tmp_path: Path) -> None:
    """Both of its outputs; and the drain's end is the child's, not ours."""
    code = "import os\nfor n in range(99): os.write(1, b'out' * 9000); os.write(2, b'err' * 9000)"
    code += "\nos.write(2, b'last')"
    with Drain(BoundedFile(tmp_path / "log", LIMIT)) as output:
        done = subprocess.run([sys.executable, "-c", code], stdout=output.end, stderr=output.end, check=False)
    assert output.wait(30), "an end of ours is still open"
    assert done.returncode == 0
    assert sizes(tmp_path / "log") <= LIMIT
    assert (tmp_path / "log").read_bytes().endswith(b"last")
