"""The trash of a disk of its own: a stick that somebody else has written."""

import os
import sys
from pathlib import Path

import pytest

from titan_desktop.adapters.files_root import LocalFileChanges, LocalFilesRoot
from titan_desktop.contracts.file_actions import Refusal
from titan_desktop.ports.file_changes import ChangeRefusedError

if sys.platform != "linux":
    pytest.skip("freedesktop's trash is Linux's", allow_module_level=True)
from titan_desktop.adapters.files_root import trash


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the disk: what lies on it is told to be on another device than the home."""
    monkeypatch.setattr(trash, "_device_of", lambda _folder: -1)
    monkeypatch.setattr(trash, "_top_of", lambda _folder, _device: tmp_path / "disk")
    (tmp_path / "disk" / "Desktop").mkdir(parents=True)
    (tmp_path / "disk" / "Desktop" / "a.txt").write_text("deposit", "utf-8")
    return tmp_path / "disk"


def delete(disk: Path) -> str:
    with LocalFileChanges(LocalFilesRoot([disk / "Desktop"])).trash(disk / "Desktop" / "a.txt") as prepared:
        prepared.take_place()
        return prepared.trashed


def test_a_disk_has_its_own_trash_with_paths_within_it(disk: Path) -> None:
    """The shared one where the administrator has made it, with its sticky bit; else one of the user's."""
    own = disk / f".Trash-{os.getuid()}"
    assert delete(disk) == str(own / "files" / "a.txt")
    assert "Path=Desktop/a.txt" in (own / "info" / "a.txt.trashinfo").read_text("utf-8")
    (disk / "Desktop" / "a.txt").write_text("again", "utf-8")
    (disk / ".Trash").mkdir()
    (disk / ".Trash").chmod(0o1777)
    assert delete(disk) == str(disk / ".Trash" / str(os.getuid()) / "files" / "a.txt")


@pytest.mark.parametrize("name", [".Trash-{uid}", ".Trash"])
def test_a_link_in_its_place_leads_nowhere(disk: Path, tmp_path: Path, name: str) -> None:
    """Nothing is moved through it, and no folder is made where it leads."""
    (tmp_path / "elsewhere").mkdir()
    (disk / name.format(uid=os.getuid())).symlink_to(tmp_path / "elsewhere")
    if name == ".Trash":
        delete(disk)  # into the user's own, as the specification has it
    else:
        with pytest.raises(ChangeRefusedError) as caught:
            delete(disk)
        assert caught.value.refusal is Refusal.NO_TRASH
        assert (disk / "Desktop" / "a.txt").read_text("utf-8") == "deposit"
    assert list((tmp_path / "elsewhere").iterdir()) == []
