"""The door to the person's files: its roots, and the ways that systems have to hold it."""

import errno
import os
import sys
from pathlib import Path

import pytest

from tests.contract.refusals import refusal
from titan_desktop.adapters.files_root import LocalFilesRoot, beneath_linux
from titan_desktop.adapters.files_root.beneath import Beneath
from titan_desktop.adapters.files_root.windows_names import is_device_or_stream
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.files_root import FilesRootError, PinnedRoot

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


def test_the_magic_links_of_proc_are_refused(beneath: Beneath) -> None:
    """`/proc/self/root` is a link that RESOLVE_NO_MAGICLINKS and O_NOFOLLOW refuse."""
    if sys.platform != "linux":
        pytest.skip("procfs is Linux's")
    proc = Path("/proc/self")
    files_root = LocalFilesRoot([proc], beneath, consented=[proc.resolve()])
    with pytest.raises(FilesRootError) as caught:
        files_root.open(proc / "root/etc/passwd")
    assert (caught.value.reason, caught.value.detail) == (Reason.OUTSIDE, "a link stands on the way")


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


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ENOTCONN, errno.ESTALE])
def test_an_unreadable_folder_is_passed_over(
    root: Path, caplog: pytest.LogCaptureFixture, beneath: Beneath, number: int
) -> None:
    """What the system forbids is logged, and the walk goes on."""

    class Forbidding:
        def __getattr__(self, name: str) -> object:
            return getattr(beneath, name)

        def entries(self, pin: PinnedRoot, names: tuple[str, ...]) -> object:
            if names == ("locked",):  # as root nothing is forbidden, so the refusal is made here
                raise OSError(number, os.strerror(number))
            return beneath.entries(pin, names)

    (root / "locked").mkdir()
    files_root = LocalFilesRoot([root], Forbidding())  # type: ignore[arg-type]
    assert [path.name for path, _ in files_root.walk(root)] == ["lease.txt"]
    assert os.strerror(number) in caplog.text


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
