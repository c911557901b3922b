"""One suite for every FileChanges: what was asked for happens in one step, or nothing does."""

import errno
import hashlib
import io
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.contract.hostile_paths import tree
from titan_desktop.adapters.files_root import folder_posix
from titan_desktop.contracts.file_actions import Refusal
from titan_desktop.ports.file_changes import ChangeRefusedError, FileChanges, Prepared

if sys.platform == "win32":
    pytest.skip("links and FIFOs are made as POSIX makes them", allow_module_level=True)

pytestmark = pytest.mark.logs("^refused ")
KEY = "01J25T91SA3G7G9F2W3ZVQ7E7N"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own, whose trash is beside nothing of the person's."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return tmp_path / "home"


def done(change: Callable[[], Prepared]) -> Prepared:
    with change() as prepared:
        prepared.take_place()
    return prepared


def refusal(change: Callable[[], Prepared]) -> Refusal:
    with pytest.raises(ChangeRefusedError) as caught:
        done(change)
    return caught.value.refusal


def write(changes: FileChanges, path: Path, text: str, *, replace: bool = False) -> Prepared:
    replaces = changes.stamp(path) if replace else None
    return changes.content(path, io.BytesIO(text.encode()), KEY, replaces)


def test_a_new_file_has_its_content_and_the_usual_rights(changes: FileChanges, root: Path) -> None:
    """It says the content's SHA-256 and size; nothing else is left in the folder."""
    prepared = done(lambda: write(changes, root / "inner" / "new.txt", "залог"))
    assert prepared.size == 10
    assert prepared.digest == hashlib.sha256("залог".encode()).hexdigest()
    assert (root / "inner" / "new.txt").read_text("utf-8") == "залог"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((root / "inner" / "new.txt").stat().st_mode) == 0o666 & ~umask
    assert sorted(tree(root / "inner")) == ["lease.txt", "new.txt"]


def test_a_file_is_replaced_with_its_rights_and_without_its_other_names(
    changes: FileChanges, root: Path
) -> None:
    """The rights stay, set-user-ID goes; a hard link that lies outside keeps what was there."""
    path, twin = root / "inner" / "lease.txt", root.parent / "twin.txt"
    path.chmod(0o4740)
    os.link(path, twin)
    done(lambda: write(changes, path, "rent", replace=True))
    assert (path.read_text("utf-8"), twin.read_text("utf-8")) == ("rent", "deposit")
    assert stat.S_IMODE(path.stat().st_mode) == 0o740


def test_what_is_there_is_never_overwritten_unasked(changes: FileChanges, root: Path) -> None:
    """By a new file, a folder, a move or a copy, also when it comes at the last moment."""
    lease, other = root / "inner" / "lease.txt", root / "other.txt"
    other.write_text("other", "utf-8")
    place = root.parent / "secret.txt"
    for change in (
        lambda: changes.content(lease, io.BytesIO(b"x"), KEY, None),
        lambda: changes.folder(root / "inner"),
        lambda: changes.move(other, lease),
        lambda: changes.move(root / "inner", other),
        lambda: changes.copy_out(other, place, KEY),
    ):
        assert refusal(change) is Refusal.EXISTS
    late = root / "late.txt"
    for change in (lambda: write(changes, late, "x"), lambda: changes.move(other, late)):
        with change() as prepared:
            late.write_text("late", "utf-8")
            with pytest.raises(ChangeRefusedError) as caught:
                prepared.take_place()
        assert (caught.value.refusal, late.read_text("utf-8")) == (Refusal.EXISTS, "late")
        late.unlink()
    assert tree(root) == {"inner": None, "inner/lease.txt": b"deposit", "other.txt": b"other"}


def test_a_file_that_changes_before_it_is_replaced_stays(changes: FileChanges, root: Path) -> None:
    """Also when another one, saved by rename, has come in its place with the same size."""
    path = root / "inner" / "lease.txt"
    with write(changes, path, "rent", replace=True) as prepared:
        (root / "new").write_text("DEPOSIT", "utf-8")
        os.utime(root / "new", ns=(0, path.stat().st_mtime_ns))
        (root / "new").rename(path)
        with pytest.raises(ChangeRefusedError) as caught:
            prepared.take_place()
    assert (caught.value.refusal, path.read_text("utf-8")) == (Refusal.CHANGED, "DEPOSIT")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    changes: FileChanges, root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Delayed allocation says so in fsync alone."""

    def full(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    path = root / "inner" / "lease.txt"
    assert refusal(lambda: write(changes, path, "rent", replace=True)) is Refusal.DISK_FULL
    assert tree(root / "inner") == {"lease.txt": b"deposit"}


def test_each_refusal_says_why(changes: FileChanges, root: Path) -> None:
    """A missing folder, a file for a folder, a name too long, a FIFO, a root itself, a folder into itself."""
    os.mkfifo(root / "fifo")
    fifo, lease, inner = root / "fifo", root / "inner" / "lease.txt", root / "inner"
    for change, expected in (
        (lambda: write(changes, root / "none" / "a", "x"), Refusal.VANISHED),
        (lambda: write(changes, lease / "a", "x"), Refusal.NO_FOLDER),
        (lambda: write(changes, root / ("x" * 300), "x"), Refusal.NAME),
        (lambda: write(changes, fifo, "x", replace=True), Refusal.NOT_REGULAR),
        (lambda: write(changes, inner, "x", replace=True), Refusal.NOT_REGULAR),
        (lambda: changes.copy_out(fifo, root.parent / "f", KEY), Refusal.NOT_REGULAR),
        (lambda: changes.move(fifo, root / "b"), Refusal.NOT_REGULAR),
        (lambda: changes.trash(fifo), Refusal.NOT_REGULAR),
        (lambda: changes.trash(root / "none"), Refusal.VANISHED),
        (lambda: changes.trash(root), Refusal.ROOT),
        (lambda: changes.move(root, root / "a"), Refusal.ROOT),
        (lambda: changes.move(inner, inner / "a"), Refusal.WITHIN_ITSELF),
        (lambda: changes.copy_out(lease, root.parent / "none" / "a", KEY), Refusal.VANISHED),
        (lambda: changes.copy_out(lease, root.parent / "a\0b", KEY), Refusal.NAME),
        (lambda: write(changes, Path(f"{root}/{'long/' * 600}a"), "x"), Refusal.NAME),
    ):
        assert refusal(change) is expected
    assert tree(root) == {"inner": None, "inner/lease.txt": b"deposit", "fifo": None}


def test_files_and_folders_move(changes: FileChanges, root: Path) -> None:
    """With all that is in them, and the same file stays the same file."""
    inode = changes.inode(root / "inner")
    done(lambda: changes.folder(root / "new"))
    done(lambda: changes.move(root / "inner", root / "new" / "папка"))
    assert tree(root) == {"new": None, "new/папка": None, "new/папка/lease.txt": b"deposit"}
    assert (changes.inode(root / "new" / "папка"), changes.inode(root / "inner")) == (inode, 0)


def test_file_systems_that_know_no_exclusive_rename_replace_nothing(
    changes: FileChanges, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS and older FUSE answer EINVAL; a kernel before 3.15 has no such call."""
    monkeypatch.setattr(folder_posix, "_exclusive_rename", None)
    (root / "b.txt").write_text("b", "utf-8")
    (root / "empty").mkdir()
    assert refusal(lambda: changes.move(root / "b.txt", root / "inner" / "lease.txt")) is Refusal.EXISTS
    assert refusal(lambda: changes.move(root / "inner", root / "empty")) is Refusal.EXISTS
    done(lambda: changes.move(root / "b.txt", root / "inner" / "b.txt"))
    done(lambda: changes.move(root / "inner", root / "empty" / "inner"))
    assert tree(root) == {
        "empty": None, "empty/inner": None, "empty/inner/b.txt": b"b", "empty/inner/lease.txt": b"deposit",
    }  # fmt: skip


@pytest.mark.skipif(sys.platform == "darwin", reason="Finder keeps no notes that others read")
def test_the_trash_is_freedesktops_and_gives_back(changes: FileChanges, root: Path, home: Path) -> None:
    """Two of one name, a Cyrillic one, a folder: each with a note that file managers restore from."""
    trash = home / ".local" / "share" / "Trash"
    path = root / "Смета 100%.txt"
    places = []
    for text in ("one", "two"):
        path.write_text(text, "utf-8")
        inode = changes.inode(path)
        places.append((done(lambda: changes.trash(path)).trashed, inode, text))
    folder = done(lambda: changes.trash(root / "inner")).trashed
    assert tree(root) == {}
    for trashed, _, text in places:
        assert Path(trashed).read_text("utf-8") == text
        first, where, when = (trash / "info" / f"{Path(trashed).name}.trashinfo").read_text().splitlines()
        assert (first, unquote(where), when[:15]) == ("[Trash Info]", f"Path={path}", "DeletionDate=20")
    assert Path(folder, "lease.txt").read_text("utf-8") == "deposit"
    assert stat.S_IMODE(trash.stat().st_mode) == 0o700

    (trashed, inode, _), (other, _, _) = places
    assert changes.in_trash(trashed, inode)
    assert not changes.in_trash(other, inode)
    assert refusal(lambda: changes.restore(other, inode, path)) is Refusal.NOT_KEPT
    done(lambda: changes.restore(trashed, inode, path))
    assert path.read_text("utf-8") == "one"
    assert [len(list((trash / name).iterdir())) for name in ("info", "files")] == [2, 2]


def test_what_does_not_take_place_leaves_nothing(changes: FileChanges, root: Path, home: Path) -> None:
    """No temporary file and no note in the trash."""
    before = tree(root)
    with write(changes, root / "a.txt", "x"), changes.trash(root / "inner"), changes.folder(root / "b"):
        pass
    assert tree(root) == before
    assert {path.name for path in home.rglob("*") if path.is_file()} == set()


def test_a_file_is_copied_out_with_its_rights(changes: FileChanges, root: Path, tmp_path: Path) -> None:
    """To a name that the person gives."""
    (root / "inner" / "lease.txt").chmod(0o640)
    done(lambda: changes.copy_out(root / "inner" / "lease.txt", tmp_path / "copy.txt", KEY))
    assert (tmp_path / "copy.txt").read_text("utf-8") == "deposit"
    assert stat.S_IMODE((tmp_path / "copy.txt").stat().st_mode) == 0o640


def test_no_change_reaches_what_a_folder_is_swapped_for(
    changes: FileChanges, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another thread swaps a folder for a link to the outside, each change is made inside or refused."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    outside = root.parent / "outside"
    before = tree(outside)
    stop = threading.Event()
    spare = root / "spare"
    spare.symlink_to(outside)

    def swap() -> None:
        while not stop.is_set():
            (root / "inner").rename(root / "aside")
            spare.rename(root / "inner")
            (root / "inner").rename(spare)
            (root / "aside").rename(root / "inner")

    thread = threading.Thread(target=swap)
    thread.start()
    made, seen = 0, set()
    try:
        for number in range(400):
            new = root / "inner" / f"{number}.txt"
            for change in (
                lambda: write(changes, root / "inner" / "lease.txt", "rent", replace=True),
                lambda new=new: write(changes, new, "x"),
                lambda new=new: changes.move(new, new.with_suffix(".md")),
                lambda new=new: changes.folder(new.with_suffix("")),
                lambda new=new: changes.trash(new.with_suffix(".md")),
            ):
                try:
                    done(change)
                    made += 1
                except ChangeRefusedError as error:
                    seen.add(error.refusal)
    finally:
        stop.set()
        thread.join()
    assert tree(outside) == before
    assert made > 0
    assert seen <= {Refusal.OUTSIDE, Refusal.VANISHED, Refusal.EXISTS, Refusal.NO_FOLDER, Refusal.CHANGED}


@pytest.mark.parametrize(
    ("act", "at", "left"),
    [
        ("replace", "fsync", {"lease.txt": b"deposit"}),
        ("replace", "replace", {"lease.txt": b"deposit"}),
        ("replace", "after", {"lease.txt": b"r" * 200_000}),
        ("move", "rename", {"lease.txt": b"deposit"}),
        ("trash", "rename", {"lease.txt": b"deposit"}),
        ("trash", "after", {}),
    ],
)
def test_a_kill_leaves_the_old_or_the_new(root: Path, home: Path, act: str, at: str, left: object) -> None:
    """SIGKILL in a real process: a temporary file may stay, hidden, and goes with the next try of the same key."""
    killed = subprocess.run(
        [sys.executable, "-m", "tests.contract.killed_change", str(root), act, at],
        check=False,
        env={**os.environ, "HOME": str(home)},
    )
    assert killed.returncode == -9
    found = {name: data for name, data in tree(root / "inner").items() if not name.startswith(".")}
    assert found == left
    trashed = [path for path in home.rglob("*") if path.is_file() and path.parent.name == "files"]
    assert bool(trashed) is (left == {})
    if act == "replace":
        again = [sys.executable, "-m", "tests.contract.killed_change", str(root), act, "never"]
        subprocess.run(again, check=True)
        assert tree(root / "inner") == {"lease.txt": b"r" * 200_000}
