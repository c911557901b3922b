"""The roots themselves: where they lead, what they may not be, and what becomes of them while Titan runs."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from titan_desktop.adapters.files_root import LocalFilesRoot, root_rules
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.files_root import FilesRootError, PinnedRoot, RootFault

if sys.platform == "win32":
    pytest.skip("links are made as POSIX makes them", allow_module_level=True)

from titan_desktop.adapters.files_root.beneath_posix import PosixBeneath

pytestmark = pytest.mark.logs("^refused ")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a document, a secret, and no Desktop yet."""
    home = tmp_path / "home" / "me"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id.txt").write_text("secret", "utf-8")
    (home / "Documents").mkdir()
    (home / "Documents" / "a.txt").write_text("a", "utf-8")
    monkeypatch.setenv("HOME", str(home))
    return home


def read(root: LocalFilesRoot) -> list[str]:
    """Walk every root that stands."""
    return sorted(path.name for one in root.standing() for path, _ in root.walk(one))


def fault(root: LocalFilesRoot) -> RootFault | None:
    """Look at the one root; all doors to it are shut where it is refused."""
    (only,) = root.roots
    if root.pinned(only) is None and root.refused():
        for door in (root.open, root.stamp, lambda path: list(root.walk(path.parent))):
            with pytest.raises(FilesRootError) as caught:
                door(only / "a.txt")
            assert caught.value.reason is Reason.OUTSIDE
        assert root.has_left(only / "a.txt") == (root.refused()[0].fault is not RootFault.LINK)
    return root.refused()[0].fault if root.refused() else None


@pytest.mark.parametrize(
    ("leads_to", "expected"),
    [
        (".", RootFault.HOLDS_HOME),
        ("..", RootFault.HOLDS_HOME),
        ("/", RootFault.HOLDS_HOME),
        (".ssh", RootFault.HIDDEN),
        ("/etc", RootFault.SYSTEM),
        ("/usr/share", RootFault.SYSTEM),
        ("Documents", None),
    ],
)
def test_a_root_may_not_lead_to_just_anything(home: Path, leads_to: str, expected: RootFault | None) -> None:
    """The home or what holds it, a hidden or a system folder is refused, as a link and by its own name."""
    link = home / "Desktop"
    link.symlink_to(home / leads_to)
    assert fault(LocalFilesRoot([link])) is expected
    assert fault(LocalFilesRoot([(home / leads_to).resolve()])) is expected


def test_what_the_person_consents_to_is_read_and_nothing_else(home: Path) -> None:
    """Consent names one folder exactly: neither what holds it nor what lies in it; and it may be taken back."""
    link = home / "Desktop"
    link.symlink_to(home / ".ssh")
    root = LocalFilesRoot([link], consented=[home, home / ".ssh" / "inner"])
    assert read(root) == []
    assert [(one.path, one.real, one.fault) for one in root.refused()] == [
        (link, str(home / ".ssh"), RootFault.HIDDEN)
    ]
    root.consent([home / ".ssh"])
    assert read(root) == ["id.txt"]
    assert root.refused() == ()
    root.consent([])
    assert fault(root) is RootFault.HIDDEN


def test_a_bind_mount_of_the_home_is_the_home(home: Path) -> None:
    """The home is known by device and inode, however its path is spelled."""
    status = home.stat()
    assert root_rules.fault_of(PinnedRoot("/mnt/x", status.st_dev, status.st_ino)) is RootFault.HOLDS_HOME


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/run/media/me/disk/Desktop", None),
        ("/var/home/me/Desktop", None),
        ("/mnt/data/Desktop", None),
        ("/mnt/.snapshots/Desktop", RootFault.HIDDEN),
        ("/run/user/1000", RootFault.SYSTEM),
    ],
)
def test_other_disks_are_no_system_folders(home: Path, path: str, expected: RootFault | None) -> None:
    """Removable disks, homes of an image-based system and data disks may hold a Desktop."""
    if sys.platform != "linux":
        pytest.skip("the places of Linux")
    assert root_rules.fault_of(PinnedRoot(path, 0, 0)) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Library/CloudStorage/OneDrive-Personal/Desktop", None),
        ("Library/Mobile Documents/com~apple~CloudDocs/Desktop", None),
        ("Library/Keychains", RootFault.HIDDEN),
        ("Library", RootFault.HIDDEN),
        ("Desktop", None),
        ("/System/Library", RootFault.SYSTEM),
        ("/Volumes/disk/Desktop", None),
    ],
)
def test_on_macos_clouds_may_hold_a_desktop(
    home: Path, monkeypatch: pytest.MonkeyPatch, path: str, expected: RootFault | None
) -> None:
    """OneDrive's and iCloud's folders lie within `~/Library`, which is hidden otherwise."""
    monkeypatch.setattr(root_rules, "_PLATFORM", "darwin")
    assert root_rules.fault_of(PinnedRoot(str(home / path), 0, 0)) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("OneDrive/Desktop", None),
        ("OneDrive - Firma/Desktop", None),
        ("AppData/Roaming", RootFault.HIDDEN),
        ("/programs/data", RootFault.SYSTEM),
        ("/server/share/me/Desktop", None),
    ],
)
def test_on_windows_onedrive_and_shares_may_hold_a_desktop(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, expected: RootFault | None
) -> None:
    """Redirected desktops are normal there; what programs and the system keep for themselves is not theirs."""
    monkeypatch.setattr(root_rules, "_PLATFORM", "win32")
    monkeypatch.setenv("ProgramData", str(tmp_path / "programs"))
    folder = tmp_path / path[1:] if path.startswith("/") else home / path
    folder.mkdir(parents=True)
    assert root_rules.fault_of(PinnedRoot(str(folder), 0, 0)) is expected


def test_a_root_that_a_link_replaces_is_not_followed(home: Path) -> None:
    """While Titan runs, a Desktop that becomes a link is refused until the person consents to where it leads."""
    desktop = home / "Desktop"
    desktop.mkdir()
    (desktop / "mine.txt").write_text("x", "utf-8")
    root = LocalFilesRoot([desktop])
    assert read(root) == ["mine.txt"]
    desktop.rename(home / "moved")
    desktop.symlink_to(home / "Documents")
    assert fault(root) is RootFault.LINK
    root.consent([home / "Documents"])
    assert read(root) == ["a.txt"]


def test_a_folder_above_a_root_that_a_link_replaces_is_not_followed(home: Path, tmp_path: Path) -> None:
    """The whole way to a root was resolved once; a link that comes into it later is none of it."""
    disk = tmp_path / "disk"
    (disk / "Desktop").mkdir(parents=True)
    (tmp_path / "other" / "Desktop").mkdir(parents=True)
    (tmp_path / "other" / "Desktop" / "b.txt").write_text("b", "utf-8")
    root = LocalFilesRoot([disk / "Desktop"])
    assert root.pinned(disk / "Desktop") is not None
    disk.rename(tmp_path / "away")
    disk.symlink_to(tmp_path / "other")
    assert fault(root) is RootFault.LINK
    with pytest.raises(FilesRootError):
        root.stamp(disk / "Desktop" / "b.txt")


@pytest.mark.parametrize("back", ["renamed", "recreated"])
def test_a_root_that_went_and_came_back_is_read_again(home: Path, back: str) -> None:
    """Whether it is the same folder or another of its name; while it is away, nothing of it has left."""
    desktop = home / "Desktop"
    desktop.mkdir()
    (desktop / "mine.txt").write_text("x", "utf-8")
    root = LocalFilesRoot([desktop])
    assert read(root) == ["mine.txt"]
    desktop.rename(home / "away")
    assert (read(root), root.has_left(desktop / "mine.txt")) == ([], False)
    if back == "renamed":
        (home / "away").rename(desktop)
        assert read(root) == ["mine.txt"]
    else:
        desktop.mkdir()
        assert (read(root), root.has_left(desktop / "mine.txt")) == ([], True)
        (desktop / "new.txt").write_text("x", "utf-8")
        assert root.stamp(desktop / "new.txt").size == 1


def test_the_empty_mount_point_of_a_disk_is_no_empty_root(home: Path) -> None:
    """A Desktop that is a disk of its own and is unmounted has lost nothing; another disk's files are read."""
    desktop = home / "Desktop"
    desktop.mkdir()
    (desktop / "mine.txt").write_text("x", "utf-8")

    class Disks(PosixBeneath):
        device = 1

        def pin(self, path: str) -> PinnedRoot:
            found = super().pin(path)
            self.real = found
            return PinnedRoot(path, self.device, found.inode)

        def open_folder(self, root: PinnedRoot, names: Sequence[str]) -> int:
            return super().open_folder(self.real, names)

    disks = Disks()
    root = LocalFilesRoot([desktop], disks)
    assert read(root) == ["mine.txt"]
    (desktop / "mine.txt").rename(home / "mine.txt")
    disks.device = 2
    assert root.pinned(desktop) is None
    assert not root.has_left(desktop / "mine.txt")
    (home / "mine.txt").rename(desktop / "other.txt")
    assert read(root) == ["other.txt"]


def test_nothing_has_left_a_root_that_is_away_for_a_moment(home: Path) -> None:
    """The answer is about the folder that was looked into, though the root is back before anybody asks again."""
    desktop = home / "Desktop"
    desktop.mkdir()
    (desktop / "mine.txt").write_text("x", "utf-8")

    class Flickering(PosixBeneath):
        def status(self, root: PinnedRoot, names: Sequence[str]) -> os.stat_result:
            desktop.rename(home / "away")
            try:
                return super().status(root, names)
            finally:
                (home / "away").rename(desktop)

    root = LocalFilesRoot([desktop], Flickering())
    assert root.pinned(desktop) is not None
    assert not root.has_left(desktop / "mine.txt")
    assert LocalFilesRoot([desktop]).has_left(desktop / "other.txt")


def test_a_root_within_a_root_follows_no_link_out_of_it(home: Path) -> None:
    """Nothing beneath a root is followed, also not where a second root begins there."""
    desktop = home / "Desktop"
    desktop.mkdir()
    (desktop / "Downloads").symlink_to(home / "Documents")
    root = LocalFilesRoot([desktop, desktop / "Downloads"])
    assert read(root) == []
    assert [one.fault for one in root.refused()] == [RootFault.LINK]
    with pytest.raises(FilesRootError):
        root.open(desktop / "Downloads" / "a.txt")
    root.consent([home / "Documents"])
    assert read(root) == ["a.txt"]


def test_a_folder_that_two_roots_lead_to_is_read_once(home: Path) -> None:
    """Downloads that is a folder of the Desktop, or a link to one, stands within it."""
    (home / "Desktop" / "Downloads").mkdir(parents=True)
    (home / "Desktop" / "Downloads" / "a.txt").write_text("a", "utf-8")
    (home / "Downloads").symlink_to(home / "Desktop" / "Downloads")
    for inner in (home / "Desktop" / "Downloads", home / "Downloads"):
        root = LocalFilesRoot([home / "Desktop", inner])
        assert list(root.standing()) == [home / "Desktop"]
        assert read(root) == ["a.txt"]


@pytest.mark.logs("its path is too long")
@pytest.mark.parametrize("letter", ["d", "д"])
def test_a_path_that_no_index_can_hold_is_passed_over(home: Path, letter: str) -> None:
    """Beyond PATH_BYTES_MAX a folder is passed over with a word in the log, also where PATH_MAX is exceeded."""
    desktop = home / "Desktop"
    desktop.mkdir()
    (desktop / "a.txt").write_text("a", "utf-8")
    here = os.open(desktop, os.O_RDONLY)
    name = letter * (250 // len(letter.encode()))
    for _ in range(20):
        os.mkdir(name, dir_fd=here)
        there = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(os.open("deep.txt", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    root = LocalFilesRoot([desktop])
    assert read(root) == ["a.txt"]
    deep = desktop.joinpath(*[name] * 20, "deep.txt")
    doors: tuple[Callable[[Path], object], ...] = (root.open, root.stamp, root.is_ignored)
    for door in doors:
        with pytest.raises(FilesRootError) as caught:
            door(deep)
        assert caught.value.reason is Reason.UNREADABLE
    assert not root.is_folder(deep.parent)


def test_the_mark_of_an_environment_is_not_looked_for_behind_a_link(home: Path, tmp_path: Path) -> None:
    """Otherwise whoever asks learns whether `pyvenv.cfg` is in a folder outside."""
    desktop = home / "Desktop"
    desktop.mkdir()
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").write_text("x", "utf-8")
    (desktop / "link").symlink_to(tmp_path / "env")
    root = LocalFilesRoot([desktop])
    assert not root.is_ignored(desktop / "link" / "a.txt")


def test_a_hard_link_is_a_file_like_any_other(home: Path) -> None:
    """Both names are the file's own; a tool that shares equal files must not make them vanish from the index."""
    desktop = home / "Desktop"
    desktop.mkdir()
    os.link(home / "Documents" / "a.txt", desktop / "b.txt")
    assert read(LocalFilesRoot([desktop])) == ["b.txt"]
