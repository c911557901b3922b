"""What the next start knows of the last window: how it ended, and never more than is true."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from titan_desktop.ui.base.exit_mark import ExitMark, FormerEnd

ROOT = Path(__file__).parents[4]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "window.running"


def killed(path: Path, deeds: str) -> FormerEnd:
    """How a window is said to have ended that did these things and then died of a signal."""
    code = (
        "import os; from pathlib import Path; from titan_desktop.ui.base.exit_mark import ExitMark;"
        f"mark = ExitMark(Path({str(path)!r})); mark.begin('unsent'); {deeds}; os.abort()"
    )
    died = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert died.returncode != 0
    mark = ExitMark(path)
    mark.begin()
    mark.end()
    return mark.former


def test_an_end_in_order_leaves_nothing(path):
    """A window that ended in order is no news, and neither is the first one."""
    for _ in range(2):
        mark = ExitMark(path)
        mark.begin()
        assert mark.former is FormerEnd.IN_ORDER
        mark.end()
    assert not path.exists()


def test_a_crash_while_all_was_kept_has_lost_nothing(path):
    """The claim is made when the last thing that the window noted was that everything is kept."""
    deeds = "mark.note('unsent', kept=True); mark.note('a command', kept=False); mark.note('a command', kept=True)"
    assert killed(path, deeds) is FormerEnd.NOTHING_LOST


@pytest.mark.parametrize(
    "deeds",
    [
        "pass",
        "mark.note('unsent', kept=True); mark.note('unsent', kept=False)",
        "mark.note('unsent', kept=True); mark.note('a title', kept=False); mark.note('unsent', kept=True)",
    ],
)
def test_a_crash_with_something_in_hand_claims_nothing(path, deeds):
    """Before the session keeps what is typed, between a key and its writing, or with a field half filled."""
    assert killed(path, deeds) is FormerEnd.UNKNOWN


@pytest.mark.parametrize("left", [b"", b"k", b"kan earlier start of the system", b"\xff"])
def test_what_another_start_of_the_system_left_claims_nothing(path, left):
    """The page cache does not outlive the computer, so a mark from before proves nothing."""
    path.write_bytes(left)
    mark = ExitMark(path)
    mark.begin()
    assert mark.former is FormerEnd.UNKNOWN
    mark.end()


def test_a_place_that_takes_no_file_hinders_nobody(tmp_path, caplog):
    """Then a crash is not told."""
    mark = ExitMark(tmp_path / "missing" / "mark")
    mark.begin()
    mark.note("unsent", kept=False)
    mark.end()
    assert "will not be reported" in caplog.text
