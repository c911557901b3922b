"""Claims about what only its owner may read."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from titan_desktop.system import private_files

if sys.platform == "win32":
    pytest.skip("there the profile's access list decides", allow_module_level=True)


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_the_umask_opens_nothing(tmp_path: Path) -> None:
    """Folders, those made on the way to them, logs and replaced files are the owner's alone."""
    folder = tmp_path / "a" / "b"
    private_files.make_folder(folder)
    with private_files.append(folder / "log") as log:
        log.write(b"x")
    private_files.replace(folder / "file", "x")
    private_files.make_file(folder / "library's")
    assert [mode(each) for each in (folder.parent, folder)] == [0o700, 0o700]
    assert [mode(each) for each in folder.iterdir()] == [0o600] * 3


def test_a_file_of_ours_that_others_could_read_is_closed(tmp_path: Path) -> None:
    """An earlier version, or a library under a wide umask, may have made it; its content stays."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(0o644)
    private_files.make_file(tmp_path / "file")
    assert (mode(tmp_path / "file"), (tmp_path / "file").read_text()) == (0o600, "x")


def test_a_folder_of_ours_that_others_could_read_is_closed(tmp_path: Path) -> None:
    """One that is there already loses what others may read and write; the search bit stays."""
    tmp_path.chmod(0o777)
    private_files.make_folder(tmp_path)
    assert mode(tmp_path) == 0o711


def test_a_trap_is_not_taken(tmp_path: Path) -> None:
    """A link, a file, and (where we may try it) a folder of another user are refused as they are."""
    (tmp_path / "target").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "file").touch()
    (tmp_path / "theirs").mkdir()
    traps = ["link", "file"]
    if os.getuid() == 0:
        os.chown(tmp_path / "theirs", 65534, 65534)
        traps.append("theirs")
    for name in traps:
        with pytest.raises(OSError, match=r"somebody else|File exists"):
            private_files.own_folder(tmp_path / name)
    assert mode(tmp_path / "target") == 0o755
