"""Whatever a path says, nothing outside the roots is read, written, moved, or even told to exist.

Each path is tried by every door, beneath two roots that are alike. Beside one there are files, beside the other
none: what differs between the answers would tell somebody what lies there.
"""

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.conftest import FILES_ROOTS
from tests.contract.hostile_paths import CORPUS, trap, tree
from titan_desktop.adapters.files_root import LocalFileChanges, LocalFilesRoot
from titan_desktop.ports.file_changes import ChangeRefusedError, Prepared
from titan_desktop.ports.files_root import FilesRootError

if sys.platform == "win32":
    pytest.skip("links and FIFOs are made as POSIX makes them", allow_module_level=True)

pytestmark = pytest.mark.logs("^refused ", "^passed over ")
SECRET = b"the secret beside the root"


class World:
    """A root with traps in it, and beside it a secret or nothing; `restore` undoes what happened inside."""

    def __init__(self, folder: Path, make: Callable[[Path], LocalFilesRoot], *, with_secrets: bool) -> None:
        self.root = folder / "Desktop"
        self.root.mkdir(parents=True)
        trap(self.root)
        (folder / "outside").mkdir()
        if with_secrets:
            (folder / "secret.txt").write_bytes(SECRET)
            (folder / "outside" / "lease.txt").write_bytes(SECRET)
        self.folder = folder
        self.files_root = make(self.root)
        self.changes = LocalFileChanges(self.files_root)
        self.restore()
        self.before = self.outside()

    def restore(self) -> None:
        """Give the folder of documents its one document again."""
        shutil.rmtree(self.root / "inner", ignore_errors=True)
        (self.root / "inner").mkdir()
        (self.root / "inner" / "lease.txt").write_bytes(b"deposit")

    def outside(self) -> dict[str, bytes | None]:
        """Return what lies beside the root."""
        return {
            name: data
            for name, data in tree(self.folder).items()
            if not name.startswith(("Desktop/", "trash/")) and name != "trash"
        }

    def path(self, text: str) -> Path:
        """Join as a client would: an absolute path stays one, but for the root's own."""
        return Path(f"{self.root}/{text}") if not text.startswith("/") else Path(text)

    def ask(self, text: str) -> list[object]:
        """Try a path by every door, and return what each of them says."""
        path, lease = self.path(text), self.root / "inner" / "lease.txt"
        new = self.root / "inner" / "new"
        doors: tuple[Callable[[], object], ...] = (
            lambda: _read(self.files_root, path),
            lambda: self.files_root.stamp(path).size,
            lambda: self.files_root.is_folder(path),
            lambda: [str(one.relative_to(self.root)) for one, _ in self.files_root.walk(path)],
            lambda: self.changes.inode(path) > 0,
            lambda: _done(self.changes.content(path, io.BytesIO(b"x"), "k", None)),
            lambda: _done(self.changes.content(path, io.BytesIO(b"x"), "k", self.changes.stamp(path))),
            lambda: _done(self.changes.folder(path)),
            lambda: _done(self.changes.move(path, new)),
            lambda: _done(self.changes.move(lease, path)),
            lambda: _done(self.changes.copy_out(path, self.folder / "trash" / "copy", "k")),
            lambda: _done(self.changes.restore(str(self.folder / "trash" / "none"), 1, path)),
            lambda: _done(self.changes.trash(path)),
        )
        said = []
        for door in doors:
            try:
                said.append(door())
            except FilesRootError as error:
                said.append(error.reason)
            except ChangeRefusedError as error:
                said.append(error.refusal)
        return said


def _read(files_root: LocalFilesRoot, path: Path) -> bytes:
    with files_root.open(path) as file:
        return file.read()


def _done(prepared: Prepared) -> str:
    with prepared:
        prepared.take_place()
    return "done"


@pytest.fixture(params=FILES_ROOTS)
def worlds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, World]]:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setenv("XDG_DATA_HOME", f"{name}/data")
        make = FILES_ROOTS[request.param]
        yield tuple(World(Path(name, some), make, with_secrets=some == "full") for some in ("full", "bare"))


def hold(worlds: tuple[World, World], text: str) -> None:
    """Fail if a path leads anywhere."""
    full, bare = (world.ask(text) for world in worlds)
    assert SECRET not in full
    told = [(number, *pair) for number, pair in enumerate(zip(full, bare, strict=True)) if pair[0] != pair[1]]
    assert not told, f"{text!r} tells what lies outside"
    for world in worlds:
        assert world.outside() == world.before
        world.restore()


def test_no_known_trick_leads_out(worlds: tuple[World, World]) -> None:
    """Every path of the corpus, by every door."""
    for text in CORPUS:
        hold(worlds, text)


NAMES = (
    "..", ".", "", "~", "\0", "/", "inner", "lease.txt", "new", "outside", "secret.txt", "Desktop", "to-folder",
    "to-above", "to-self", "to-etc", "passwd", "to-nothing", "deep", "er", "fifo", "C:", "a\\..", "\uff0e\uff0e",
)  # fmt: skip
LETTERS = "aZ0.~ \\:%*?\"'$\n\x7f\u0301\u0456\u202e\u200b\ud800\U0001f600"
PIECES = st.sampled_from(NAMES) | st.text(st.sampled_from(LETTERS), max_size=4)
PATHS = st.lists(PIECES, max_size=7).map("/".join)


def test_no_path_at_all_leads_out(worlds: tuple[World, World]) -> None:
    """Any path of names, links, dots and any letters, by every door."""

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
    @given(PATHS)
    def property_(text: str) -> None:
        hold(worlds, text)

    property_()
