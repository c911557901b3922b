"""Claims about the door to the person's files, on every way that this system has to hold it."""

import errno
import os
import pickle
import socket
import sys
import threading
from pathlib import Path

import pytest

from titan_desktop.adapters.files_root import LocalFilesRoot, beneath_linux
from titan_desktop.adapters.files_root.beneath import Beneath
from titan_desktop.adapters.files_root.beneath_windows import is_device_or_stream
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.files_root import FilesRootError

if sys.platform == "win32":
    pytest.skip("links and FIFOs are made as POSIX makes them", allow_module_level=True)

from titan_desktop.adapters.files_root.beneath_posix import PosixBeneath

pytestmark = pytest.mark.logs("^refused ")


def ways() -> list[Beneath]:
    found: list[Beneath] = [PosixBeneath()]
    if sys.platform == "linux":
        found.append(beneath_linux.LinuxBeneath())
    return found


@pytest.fixture(params=ways(), ids=lambda way: type(way).__name__)
def beneath(request: pytest.FixtureRequest) -> Beneath:
    return request.param


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with one document in a folder, and a secret beside the root."""
    root = tmp_path / "Desktop"
    (root / "inner").mkdir(parents=True)
    (root / "inner" / "lease.txt").write_text("deposit", "utf-8")
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "lease.txt").write_text("secret", "utf-8")
    return root


@pytest.fixture
def files_root(root: Path, beneath: Beneath) -> LocalFilesRoot:
    return LocalFilesRoot([root], beneath)


def refusal(files_root: LocalFilesRoot, path: Path) -> Reason:
    """Both doors say the same."""
    reasons = set()
    for door in (files_root.open, files_root.stamp):
        with pytest.raises(FilesRootError) as caught:
            door(path)
        reasons.add(caught.value.reason)
    assert len(reasons) == 1
    return reasons.pop()


def test_a_file_beneath_a_root_is_read(files_root: LocalFilesRoot, root: Path) -> None:
    """A file beneath a root opens, and its stamp says its size and time."""
    path = root / "inner" / "lease.txt"
    with files_root.open(path) as file:
        assert file.read() == b"deposit"
    stamp = files_root.stamp(path)
    assert (stamp.size, stamp.mtime_ns) == (7, path.stat().st_mtime_ns)


@pytest.mark.parametrize(
    "way",
    ["/etc/passwd", "{root}/../secret.txt", "{root}/inner/../../secret.txt", "{root}/a\0b", "secret.txt"],
)
def test_a_path_outside_is_refused_by_its_text(files_root: LocalFilesRoot, root: Path, way: str) -> None:
    """Absolute paths elsewhere, `..`, NUL and relative paths are OUTSIDE."""
    assert refusal(files_root, Path(way.format(root=root))) is Reason.OUTSIDE


def test_a_sibling_with_the_same_beginning_is_outside(files_root: LocalFilesRoot, root: Path) -> None:
    """`Desktop-old` is not beneath `Desktop`."""
    other = root.with_name("Desktop-old")
    other.mkdir()
    (other / "a.txt").write_text("secret", "utf-8")
    assert refusal(files_root, other / "a.txt") is Reason.OUTSIDE


def test_links_are_refused(files_root: LocalFilesRoot, root: Path) -> None:
    """A link to a file, to a folder on the way, to the inside, and one that leads nowhere are all OUTSIDE."""
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    (root / "folder").symlink_to(root.parent / "outside")
    (root / "within").symlink_to(root / "inner" / "lease.txt")
    (root / "dangling").symlink_to(root / "nothing")
    for name in ("link.txt", "folder/lease.txt", "within", "dangling"):
        assert refusal(files_root, root / name) is Reason.OUTSIDE


def test_the_magic_links_of_proc_are_refused(beneath: Beneath) -> None:
    """`/proc/self/root` is a link that RESOLVE_NO_MAGICLINKS and O_NOFOLLOW refuse."""
    if sys.platform != "linux":
        pytest.skip("procfs is Linux's")
    with pytest.raises(FilesRootError) as caught:
        LocalFilesRoot([Path("/proc/self")], beneath).open(Path("/proc/self/root/etc/passwd"))
    assert caught.value.reason is Reason.OUTSIDE


def test_what_is_no_regular_file_is_refused_without_waiting(files_root: LocalFilesRoot, root: Path) -> None:
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


def test_what_is_not_there_has_vanished(files_root: LocalFilesRoot, root: Path) -> None:
    """A missing file, a missing folder, a file taken for a folder, a name too long: VANISHED."""
    for name in ("none.txt", "none/a.txt", "inner/lease.txt/a", "x" * 300):
        assert refusal(files_root, root / name) is Reason.VANISHED


@pytest.mark.logs("its name is not UTF-8")
def test_a_name_that_is_not_utf8_is_unreadable_and_passed_over(
    files_root: LocalFilesRoot, root: Path
) -> None:
    """Such a name can cross neither JSON nor PostgreSQL: the doors say UNREADABLE, the walk leaves it out."""
    name = os.fsdecode(b"\xc4\xee\xe3\xee\xe2\xee\xf0.txt")
    try:
        (root / name).write_text("x", "utf-8")
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    assert refusal(files_root, root / name) is Reason.UNREADABLE
    assert [path.name for path, _ in files_root.walk(root)] == ["lease.txt"]


def test_a_folder_swapped_for_a_link_never_shows_the_outside(files_root: LocalFilesRoot, root: Path) -> None:
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


def test_a_root_reached_through_a_link_is_known_by_both_spellings(
    root: Path, tmp_path: Path, beneath: Beneath
) -> None:
    """A Desktop that is a link to another disk opens under either name, and has one canonical spelling."""
    spelled = tmp_path / "link-to-desktop"
    spelled.symlink_to(root)
    files_root = LocalFilesRoot([spelled], beneath)
    for way in (spelled, root):
        with files_root.open(way / "inner" / "lease.txt") as file:
            assert file.read() == b"deposit"
        assert files_root.canonical(way / "inner" / "lease.txt") == spelled / "inner" / "lease.txt"
        assert [path for path, _ in files_root.walk(way)] == [spelled / "inner" / "lease.txt"]


def test_a_root_that_appears_later_serves(tmp_path: Path, beneath: Beneath) -> None:
    """A root need not exist when the files_root is made, and may come as a link."""
    files_root = LocalFilesRoot([tmp_path / "Downloads"], beneath)
    with pytest.raises(FilesRootError):
        list(files_root.walk(tmp_path / "Downloads"))
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.txt").write_text("a", "utf-8")
    (tmp_path / "Downloads").symlink_to(tmp_path / "disk")
    assert [path.name for path, _ in files_root.walk(tmp_path / "Downloads")] == ["a.txt"]


def test_the_walk_leaves_out_what_is_no_document(files_root: LocalFilesRoot, root: Path) -> None:
    """Hidden, temporary and programs' own files are left out, by `walk` and `is_ignored` alike."""
    wanted = ["Отчёт за ноябрь.docx", "inner/lease.txt", "my.application/notes.md", "a.tmp.txt"]
    unwanted = [
        ".hidden.txt", "~$report.docx", ".~lock.report.odt#", "film.mkv.part", "big.zip.crdownload", "x.TMP",
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


def test_the_walk_goes_as_deep_as_it_must(files_root: LocalFilesRoot, root: Path) -> None:
    """Three hundred folders deep is no recursion limit and no limit of open descriptors."""
    deep = root
    for _ in range(300):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "a.txt").write_text("x", "utf-8")
    assert deep / "a.txt" in [path for path, _ in files_root.walk(root)]


def test_an_unreadable_folder_is_passed_over(
    root: Path, caplog: pytest.LogCaptureFixture, beneath: Beneath
) -> None:
    """What the system forbids is logged, and the walk goes on."""

    class Forbidding:
        def __getattr__(self, name: str) -> object:
            return getattr(beneath, name)

        def entries(self, real: str, names: tuple[str, ...]) -> object:
            if names == ("locked",):  # as root nothing is forbidden, so the refusal is made here
                raise PermissionError(errno.EACCES, "Permission denied")
            return beneath.entries(real, names)

    (root / "locked").mkdir()
    files_root = LocalFilesRoot([root], Forbidding())  # type: ignore[arg-type]
    assert [path.name for path, _ in files_root.walk(root)] == ["lease.txt"]
    assert "Permission denied" in caplog.text


def test_a_refusal_is_logged_and_crosses_processes(
    files_root: LocalFilesRoot, root: Path, caplog: pytest.LogCaptureFixture
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


def test_without_openat2_the_walk_serves(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel or a sandbox refuses the call, files are read and links refused all the same."""
    if sys.platform != "linux":
        pytest.skip("openat2 is Linux's")
    monkeypatch.setattr(beneath_linux, "_SYS_OPENAT2", 100_000)  # ENOSYS
    files_root = LocalFilesRoot([root])
    (root / "folder").symlink_to(root.parent / "outside")
    with files_root.open(root / "inner" / "lease.txt") as file:
        assert file.read() == b"deposit"
    assert refusal(files_root, root / "folder" / "lease.txt") is Reason.OUTSIDE
    assert len(list(files_root.walk(root))) == 1


@pytest.mark.parametrize(
    "name",
    ["NUL", "con.txt", "COM1.pdf", "lpt\u00b9", "aux .txt", "lease.txt:stream", "a.txt::$DATA", "a.", "a "],
)
def test_windows_takes_these_names_for_something_else(name: str) -> None:
    """Devices, streams, and what it cuts at the end: refused there before anything is opened."""
    assert is_device_or_stream(name)


@pytest.mark.parametrize(
    "name", ["console.txt", "null", "lpt.txt", "com10.txt", ".profile", "a.b.txt", "Договор"]
)
def test_windows_takes_these_names_as_they_are(name: str) -> None:
    """Names of documents."""
    assert not is_device_or_stream(name)


def test_a_folder_that_moves_while_it_is_read_never_shows_the_outside(
    files_root: LocalFilesRoot, root: Path
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
