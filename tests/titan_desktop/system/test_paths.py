"""Claims about where things are."""

import os
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from tests import servers
from titan_desktop.system.paths import SOCKET_PATH_LIMIT, Paths, allowed_roots, bundled


def test_titan_home_moves_all_state(titan_home: Path) -> None:
    """With TITAN_HOME set every folder of Titan's lies beneath it, private to the user."""
    home = Path(os.environ["TITAN_HOME"])
    paths = Paths.from_environment()
    paths.create()
    for folder in (paths.config, paths.data, paths.logs, paths.run):
        assert folder == home or home in folder.parents
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_sockets_fit_however_long_the_home_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long TITAN_HOME gets its sockets in a short folder of its own, another long one in another."""
    found = set()
    for name in ("a", "b"):
        monkeypatch.setenv("TITAN_HOME", str(tmp_path / (name * 120)))
        folder = Paths.from_environment().sockets()
        assert len(os.fsencode(folder / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_LIMIT
        found.add(folder)
    assert len(found) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="no sockets there, and links need a right")
@pytest.mark.parametrize("trap", ["link", "dangling", "file"])
def test_a_taken_name_stops_no_sockets(titan_home: Path, monkeypatch: pytest.MonkeyPatch, trap: str) -> None:
    """Who has taken the folder's name in the temporary folder gets none of our sockets; all agree on another."""
    with servers.short_folder() as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        monkeypatch.setenv("TITAN_HOME", str(titan_home / ("a" * 120)))
        paths = Paths.from_environment()
        taken = paths.sockets()
        (folder / "target").mkdir(mode=0o755)
        if trap == "file":
            taken.touch()
        else:
            taken.symlink_to(folder / ("target" if trap == "link" else "nothing"))
        assert paths.sockets() == taken  # nothing can be noted: who uses it says why
        paths.create()
        found = paths.sockets()
        assert found != taken
        assert stat.S_IMODE(found.lstat().st_mode) == 0o700
        assert paths.sockets() == found
        found.rmdir()  # as old things in a temporary folder are
        assert paths.sockets() not in {taken, found}


def test_the_roots_are_desktop_and_downloads_whatever_they_are_called(titan_home: Path) -> None:
    """user-dirs.dirs names the folders on a Russian desktop; without it the English names serve."""
    assert allowed_roots() == (titan_home / "Desktop", titan_home / "Downloads")
    config = titan_home / ".config"
    config.mkdir()
    (config / "user-dirs.dirs").write_text(
        'XDG_DESKTOP_DIR="$HOME/Рабочий стол"\nXDG_DOWNLOAD_DIR="$HOME/Загрузки"\n', "utf-8"
    )
    assert allowed_roots() == (titan_home / "Рабочий стол", titan_home / "Загрузки")


def test_the_environment_names_other_roots(titan_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TITAN_ROOTS is a list like PATH; one of no folders leaves the usual ones."""
    (titan_home / "Notes").mkdir()
    monkeypatch.setenv("HOME", str(titan_home))
    monkeypatch.setenv("TITAN_ROOTS", os.pathsep.join([str(titan_home / "a"), "", "~/Notes", "~/Notes"]))
    assert allowed_roots() == (titan_home / "a", titan_home / "Notes")
    monkeypatch.setenv("TITAN_ROOTS", "")
    assert allowed_roots() == (titan_home / "Desktop", titan_home / "Downloads")


def test_shipped_files_are_found_in_a_checkout() -> None:
    """Resources, catalogues and the compose file are there without an installation."""
    assert all(bundled(kind).is_dir() for kind in ("resources", "i18n", "compose"))


def test_the_whole_home_is_never_a_root(titan_home: Path) -> None:
    """Where Desktop was deleted, xdg-user-dirs names the home in its place; nor is what lies above it taken."""
    config = titan_home / ".config"
    config.mkdir()
    (config / "user-dirs.dirs").write_text('XDG_DESKTOP_DIR="$HOME/"\nXDG_DOWNLOAD_DIR="/"\n', "utf-8")
    assert allowed_roots() == (titan_home / "Desktop", titan_home / "Downloads")


def test_a_comma_moves_the_sockets(titan_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's clients would read it as the beginning of another host."""
    monkeypatch.setenv("TITAN_HOME", "/t/a, b")
    assert "," not in str(Paths.from_environment().sockets())
    monkeypatch.setenv("TITAN_HOME", "/t/Ти 5% \"q\" 'x' #?&")
    paths = Paths.from_environment()
    assert paths.sockets() == paths.run
