"""What a person allows Titan to read against its rules, and what they are told of the rest."""

from pathlib import Path

import pytest

from titan_desktop import settings
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.core.folder_consent import consented, folder_problems


@pytest.mark.logs("^refused the root ")
def test_what_the_settings_allow_is_read(titan_home: Path) -> None:
    """A Desktop that leads to the home is told with where it leads, and read once exactly that is allowed."""
    desktop, file = titan_home / "Desktop", titan_home / "settings.toml"
    desktop.rmdir()
    desktop.symlink_to(titan_home)
    (titan_home / "a.txt").write_text("a", "utf-8")
    files_root = LocalFilesRoot([desktop], consented=consented(settings.load(file, {})))
    assert files_root.pinned(desktop) is None
    (problem,) = folder_problems(files_root, file)
    assert problem == Problem(
        Code.FOLDER_HOLDS_HOME, {"path": str(desktop), "real": str(titan_home), "settings": str(file)}
    )
    file.write_text(f"[folders]\nallowed = ['{titan_home}']\n", "utf-8")
    files_root.consent(consented(settings.load(file, {})))
    assert desktop / "a.txt" in [path for path, _ in files_root.walk(desktop)]
    assert folder_problems(files_root, file) == ()


@pytest.mark.logs("passed over$")
def test_a_pattern_that_cannot_be_used_is_told_once_a_file(titan_home: Path) -> None:
    """The person learns which line of which `.titanignore` says nothing."""
    desktop = titan_home / "Desktop"
    (desktop / ".titanignore").write_text("*.log\n!\n!\n", "utf-8")
    files_root = LocalFilesRoot([desktop])
    assert list(files_root.walk(desktop)) == []
    (problem,) = folder_problems(files_root, titan_home / "settings.toml")
    assert problem == Problem(Code.IGNORE_PATTERN, {"path": str(desktop / ".titanignore"), "line": "2"})


def test_hidden_files_are_read_if_the_person_says_so(titan_home: Path) -> None:
    """But not what programs keep in hidden folders; and a change of it is noticed."""
    desktop = titan_home / "Desktop"
    for name in (".plan.txt", ".notes/a.txt", ".git/config", ".DS_Store", ".~lock.a.odt#", "._a.txt"):
        (desktop / name).parent.mkdir(exist_ok=True)
        (desktop / name).write_text("x", "utf-8")
    files_root = LocalFilesRoot([desktop])
    assert list(files_root.walk(desktop)) == []
    assert files_root.read_hidden(hidden=True)
    assert not files_root.read_hidden(hidden=True)
    assert {path.name for path, _ in files_root.walk(desktop)} == {".plan.txt", "a.txt"}
    assert not files_root.is_ignored(desktop / ".notes" / "a.txt")
