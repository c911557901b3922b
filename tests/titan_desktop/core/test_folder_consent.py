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
