"""One suite for every FilesRoot: what lies beneath a root is read, and nothing else, whatever moves meanwhile."""

import errno
import os
import pickle
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.refusals import refusal
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.files_root import FilesRoot, FilesRootError, Stamp

if sys.platform == "win32":
    pytest.skip("links and FIFOs are made as POSIX makes them", allow_module_level=True)

pytestmark = pytest.mark.logs("^refused ")


def test_a_file_beneath_a_root_is_read(files_root: FilesRoot, root: Path) -> None:
    """A file beneath a root opens, and its stamp says its size and time."""
    path = root / "inner" / "lease.txt"
    with files_root.open(path) as file:
        assert file.read() == b"deposit"
    stamp = files_root.stamp(path)
    assert (stamp.size, stamp.mtime_ns) == (7, path.stat().st_mtime_ns)


@pytest.mark.parametrize("year_s", [10_413_792_000, 2**40, -30_000_000_000, -62_135_596_800])
def test_a_date_of_any_year_is_a_stamp(files_root: FilesRoot, root: Path, year_s: int) -> None:
    """The years 2300 and 0 come out of archives; their stamps fit into 64 bits, and the same date is the same."""
    path = root / "inner" / "lease.txt"
    os.utime(path, ns=(0, year_s * 1_000_000_000))
    stamp = files_root.stamp(path)
    assert -(2**63) <= stamp.mtime_ns < 2**63
    assert stamp == files_root.stamp(path) == dict(files_root.walk(root))[path]


def test_numbers_of_a_file_fit_into_64_bits() -> None:
    """File systems number their files with 64 bits without a sign, ReFS with 128, and keep any date."""
    for inode in (2**64 - 1, 2**128 - 1, 5):
        for mtime_s in (2**62, -(2**62), 1_700_000_000):
            status = os.stat_result(
                (0o100644, inode, 2**64 - 1, 1, 0, 0, 2**62, 0, 0, 0, 0.0, 0.0, 0.0, 0, mtime_s * 10**9, 0)
            )
            stamp = Stamp.of(status)
            assert 0 <= stamp.inode < 2**63
            assert -(2**63) < stamp.mtime_ns < 2**63


@pytest.mark.parametrize(
    "way",
    ["/etc/passwd", "{root}/../secret.txt", "{root}/inner/../../secret.txt", "{root}/a\0b", "secret.txt"],
)
def test_a_path_outside_is_refused_by_its_text(files_root: FilesRoot, root: Path, way: str) -> None:
    """Absolute paths elsewhere, `..`, NUL and relative paths are OUTSIDE."""
    assert refusal(files_root, Path(way.format(root=root))) is Reason.OUTSIDE


def test_a_sibling_with_the_same_beginning_is_outside(files_root: FilesRoot, root: Path) -> None:
    """`Desktop-old` is not beneath `Desktop`."""
    other = root.with_name("Desktop-old")
    other.mkdir()
    (other / "a.txt").write_text("secret", "utf-8")
    assert refusal(files_root, other / "a.txt") is Reason.OUTSIDE


def test_links_are_refused(files_root: FilesRoot, root: Path) -> None:
    """A link to a file, to a folder on the way, to the inside, and one that leads nowhere are all OUTSIDE."""
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    (root / "folder").symlink_to(root.parent / "outside")
    (root / "within").symlink_to(root / "inner" / "lease.txt")
    (root / "dangling").symlink_to(root / "nothing")
    for name in ("link.txt", "folder/lease.txt", "within", "dangling"):
        assert refusal(files_root, root / name) is Reason.OUTSIDE


def test_what_is_no_regular_file_is_refused_without_waiting(files_root: FilesRoot, root: Path) -> None:
    """A folder, a FIFO without a writer, a socket and a root itself are NOT_REGULAR, at once."""
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(root)  # sun_path is short
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        for path in (root / "inner", root / "fifo", root / "socket", root):
            assert refusal(files_root, path) is Reason.NOT_REGULAR


def test_what_is_not_there_has_vanished(files_root: FilesRoot, root: Path) -> None:
    """A missing file, a missing folder, a file taken for a folder, a name too long: VANISHED."""
    for name in ("none.txt", "none/a.txt", "inner/lease.txt/a", "x" * 300):
        assert refusal(files_root, root / name) is Reason.VANISHED


def test_a_name_that_is_not_utf8_has_a_spelling(files_root: FilesRoot, root: Path) -> None:
    """Walk, listing and `canonical` give text that JSON can hold; it opens the file, in such a folder, too.

    A name that looks like such a spelling is another file, and is opened as well.
    """
    folder = root / os.fsdecode(b"\xc4\xee\xec")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    (folder / os.fsdecode(b"a\xe9.txt")).write_bytes(b"bytes")
    (folder / "a\ufffdE9.txt").write_bytes(b"mark")
    (folder / ".titanignore").write_bytes("*.log\nё*".encode())
    spelled = root / "\ufffdC4\ufffdEE\ufffdEC"
    assert files_root.canonical(folder) == spelled
    files = [spelled / "a\ufffdE9.txt", spelled / "a\ufffdEF\ufffdBF\ufffdBDE9.txt"]
    assert sorted(path for path, _ in files_root.walk(root)) == sorted([root / "inner" / "lease.txt", *files])
    assert sorted(one.name for one in files_root.listing(spelled) if not one.is_ignored) == [
        path.name for path in files
    ]
    read = []
    for path in files:
        assert files_root.canonical(path) == path
        assert not files_root.is_ignored(path)
        assert not files_root.has_left(path)
        with files_root.open(path) as file:
            read.append(file.read())
    assert read == [b"bytes", b"mark"]
    (folder / os.fsdecode(b"a\xe9.txt")).unlink()
    assert files_root.has_left(files[0])


@pytest.mark.logs("passed over the folder")
def test_a_folder_without_permission_has_not_left(
    files_root: LocalFilesRoot, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk goes on beside it, and what is known of it stays: not to be seen is not to be gone."""
    (root / "a.txt").write_text("x", "utf-8")
    entries, status = files_root.beneath.entries, files_root.beneath.status

    def refused(act: Callable[..., Any]) -> Callable[..., Any]:
        def call(pin: object, names: tuple[str, ...]) -> Any:
            if names[:1] == ("inner",) and (act is entries or names[1:]):
                raise PermissionError(errno.EACCES, "Permission denied")
            return act(pin, names)

        return call

    monkeypatch.setattr(files_root.beneath, "entries", refused(entries))
    monkeypatch.setattr(files_root.beneath, "status", refused(status))
    assert [path for path, _ in files_root.walk(root)] == [root / "a.txt"]
    assert not files_root.has_left(root / "inner" / "lease.txt")
    assert files_root.has_left(root / "none.txt")


def test_a_folder_swapped_for_a_link_never_shows_the_outside(files_root: FilesRoot, root: Path) -> None:
    """While another thread swaps a folder for a link to the outside, every read gives the inside or is refused."""
    stop = threading.Event()
    spare = root / "spare"
    spare.symlink_to(root.parent / "outside")

    def swap() -> None:
        while not stop.is_set():
            (root / "inner").rename(root / "aside")
            spare.rename(root / "inner")
            (root / "inner").rename(spare)
            (root / "aside").rename(root / "inner")

    thread = threading.Thread(target=swap)
    thread.start()
    seen, refused = set(), set()
    try:
        for _ in range(3000):
            try:
                with files_root.open(root / "inner" / "lease.txt") as file:
                    seen.add(file.read())
            except FilesRootError as error:
                refused.add(error.reason)
    finally:
        stop.set()
        thread.join()
    assert seen <= {b"deposit"}
    assert refused <= {Reason.OUTSIDE, Reason.VANISHED}


def test_the_walk_leaves_out_what_is_no_document(files_root: FilesRoot, root: Path) -> None:
    """Hidden, temporary and programs' own files are left out, by `walk` and `is_ignored` alike."""
    wanted = ["Отчёт за ноябрь.docx", "inner/lease.txt", "my.application/notes.md", "a.tmp.txt"]
    unwanted = [
        ".hidden.txt", "~$report.docx", ".~lock.report.odt#", "film.mkv.part", "big.zip.crdownload", "x.TMP",
        "a.opdownload", "b.pdf.download/b.pdf", ".titanignore",
        "Thumbs.db", "desktop.ini", ".git/config", "site/node_modules/a/readme.md", "__pycache__/a.txt",
        "Editor.app/Contents/Info.txt", "env/pyvenv.cfg", "env/lib/site.txt",
    ]  # fmt: skip
    for name in (*wanted, *unwanted):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x", "utf-8")
    (root / "loop").symlink_to(root)
    assert {str(path.relative_to(root)) for path, _ in files_root.walk(root)} == set(wanted)
    assert [name for name in wanted if files_root.is_ignored(root / name)] == []
    assert [name for name in unwanted if not files_root.is_ignored(root / name)] == []


def test_an_ignore_file_leaves_out_what_git_would(files_root: FilesRoot, root: Path) -> None:
    """`walk`, `is_ignored`, `has_left` and `listing` agree on `.titanignore`; the nearest one decides."""
    wanted = [
        "a.txt",
        "keep.log",
        "build.txt",
        "inner/b.log",
        "inner/lease.txt",
        "inner/deep/c.txt",
        "юг/отчёт.txt",
    ]
    unwanted = ["b.log", "build/c.txt", "build/deep/keep.log", "inner/private.txt", "юг/черновик.txt"]
    for name in (*wanted, *unwanted):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x", "utf-8")
    (root / ".titanignore").write_text("# mine\n*.log\n!keep.log\nbuild/\nчерновик*\n", "utf-8-sig")
    (root / "inner" / ".titanignore").write_text("!*.log\n/private.txt\n", "utf-8")
    assert {path.relative_to(root).as_posix() for path, _ in files_root.walk(root)} == set(wanted)
    assert [name for name in wanted if files_root.is_ignored(root / name)] == []
    assert [name for name in unwanted if not files_root.is_ignored(root / name)] == []
    assert [name for name in unwanted if not files_root.has_left(root / name)] == []
    assert {path.name for path, _ in files_root.walk(root / "inner")} == {"b.log", "lease.txt", "c.txt"}
    shown = {one.name for one in files_root.listing(root) if not one.is_ignored}
    assert shown == {"a.txt", "keep.log", "build.txt", "inner", "юг"}
    (root / ".titanignore").write_text("юг\n", "utf-8")
    assert {path.name for path, _ in files_root.walk(root)} == {
        "a.txt", "keep.log", "build.txt", "b.log", "lease.txt", "c.txt"
    }  # fmt: skip
    (root / ".titanignore").unlink()
    assert not files_root.is_ignored(root / "юг" / "отчёт.txt")


@pytest.mark.logs(r"\.titanignore, line \d+: passed over$")
def test_a_pattern_that_cannot_be_used_is_told_and_the_others_hold(files_root: FilesRoot, root: Path) -> None:
    """Also one that would take hours: bytes that are no UTF-8 and a link in its place leave out nothing."""
    (root / ("a" * 250)).write_text("x", "utf-8")
    (root / "b.log").write_text("x", "utf-8")
    slow = b"*" + b"a*" * 30 + b"b\n"
    (root / ".titanignore").write_bytes(b"!\n" + slow + b"\xff\xfe*\n*.log\n")
    assert [path.name for path, _ in files_root.walk(root)] == ["a" * 250, "lease.txt"]
    assert [(one.path, one.line) for one in files_root.bad_patterns()] == [
        (str(root / ".titanignore"), line) for line in (1, 2, 3)
    ]
    (root / "other").write_text("*\n", "utf-8")
    (root / ".titanignore").unlink()
    (root / ".titanignore").symlink_to(root / "other")
    assert {path.name for path, _ in files_root.walk(root)} == {"a" * 250, "b.log", "lease.txt", "other"}
    assert files_root.bad_patterns() == ()


def test_the_walk_goes_as_deep_as_it_must(files_root: FilesRoot, root: Path) -> None:
    """Three hundred folders deep is no recursion limit and no limit of open descriptors."""
    deep = root
    for _ in range(300):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "a.txt").write_text("x", "utf-8")
    assert deep / "a.txt" in [path for path, _ in files_root.walk(root)]


def test_a_refusal_is_logged_and_crosses_processes(
    files_root: FilesRoot, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who tried to leave the roots can be read in the log; the error keeps its fields when pickled."""
    with pytest.raises(FilesRootError) as caught:
        files_root.open(root / ".." / "secret.txt")
    assert "refused" in caplog.text
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (copy.path, copy.reason, copy.detail) == (
        caught.value.path,
        Reason.OUTSIDE,
        caught.value.detail,
    )


def test_a_folder_that_moves_while_it_is_read_never_shows_the_outside(
    files_root: FilesRoot, root: Path
) -> None:
    """A parent renamed out of the root, with a link in its place, again and again under real threads."""
    outside = root.parent / "outside"
    moved = root.parent / "moved"
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            (root / "inner").rename(moved)
            (root / "inner").symlink_to(outside)
            (root / "inner").unlink()
            moved.rename(root / "inner")

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        for _ in range(3000):
            try:
                with files_root.open(root / "inner" / "lease.txt") as file:
                    seen.add(file.read())
            except FilesRootError as error:
                seen.add(error.reason)
    finally:
        done.set()
        thread.join()
    assert seen <= {b"deposit", Reason.OUTSIDE, Reason.VANISHED}
