"""`LocalFilesRoot`: decides by text which root a path belongs to, then lets the system's `Beneath` open it there.

Used by the core, in threads, and by the extraction workers, each with a files root of its own. Nothing here
follows a link beneath a root; only the way to a root itself may lead through links (a Desktop on another disk),
and it is resolved once.
"""

import errno
import logging
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from titan_desktop.adapters.files_root import ignore_rules
from titan_desktop.adapters.files_root.beneath import Beneath, Entry, LinkError
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.files_root import FilesRootError, Stamp

if sys.platform == "win32":
    from titan_desktop.adapters.files_root.beneath_windows import WindowsBeneath as SystemBeneath
elif sys.platform == "linux":
    from titan_desktop.adapters.files_root.beneath_linux import LinuxBeneath as SystemBeneath
else:
    from titan_desktop.adapters.files_root.beneath_posix import PosixBeneath as SystemBeneath

_log = logging.getLogger(__name__)

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})


@dataclass(frozen=True, slots=True)
class _Place:
    """A path taken apart: its root as given, the root without links, and the names beneath it."""

    root: Path
    real: str
    names: tuple[str, ...]


class LocalFilesRoot:
    """See `ports.files_root.FilesRoot`. Stateless but for the roots, so threads may share one."""

    def __init__(self, roots: Iterable[Path], beneath: Beneath | None = None) -> None:
        self._roots = tuple(dict.fromkeys(root.absolute() for root in roots))
        self._real = {root: os.path.realpath(root) for root in self._roots}
        self._beneath: Beneath = beneath or SystemBeneath()

    @property
    def roots(self) -> tuple[Path, ...]:
        """See `FilesRoot`."""
        return self._roots

    def root_of(self, path: Path) -> Path:
        """See `FilesRoot`. Both spellings of a root that is reached through a link are its own."""
        return self._place(path).root

    def canonical(self, path: Path) -> Path:
        """See `FilesRoot`."""
        place = self._place(path)
        return place.root.joinpath(*place.names)

    def is_ignored(self, path: Path) -> bool:
        """See `FilesRoot`."""
        place = self._place(path)
        if not place.names:
            return False
        names = place.names
        if any(map(ignore_rules.ignores_folder, names)) or ignore_rules.ignores_file(names[-1]):
            return True
        folders = (Path(place.real, *names[:depth]) for depth in range(1, len(names) + 1))
        return any(os.path.lexists(folder / ignore_rules.VENV_MARK) for folder in folders)

    def open(self, path: Path) -> BinaryIO:
        """See `FilesRoot`."""
        place = self._place(path)
        if not place.names:
            raise self._refusal(path, Reason.NOT_REGULAR, "a root itself")
        try:
            descriptor = self._beneath.open(place.real, place.names)
        except OSError as error:
            raise self._translated(path, error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self._refusal(path, Reason.NOT_REGULAR)
        return os.fdopen(descriptor, "rb")

    def stamp(self, path: Path) -> Stamp:
        """See `FilesRoot`. The file itself is not opened."""
        place = self._place(path)
        if not place.names:
            raise FilesRootError(str(path), Reason.NOT_REGULAR, "a root itself")
        try:
            status = self._beneath.status(place.real, place.names)
        except OSError as error:
            raise self._translated(path, error) from error
        if stat.S_ISLNK(status.st_mode):
            raise self._refusal(path, Reason.OUTSIDE, "a link")
        if not stat.S_ISREG(status.st_mode):
            raise FilesRootError(str(path), Reason.NOT_REGULAR)
        return Stamp.of(status)

    def walk(self, folder: Path) -> Iterator[tuple[Path, Stamp]]:
        """See `FilesRoot`. Paths come in the spelling of `canonical`; an unreadable folder is logged, passed over.

        Raises:
            FilesRootError: `folder` itself lies outside, is no folder or cannot be read.
        """
        top = self._place(folder)
        base = top.root.joinpath(*top.names)
        try:
            entries = self._entries(folder, top, top.names)
        except FilesRootError as error:
            if isinstance(error.__cause__, NotADirectoryError):
                raise self._refusal(folder, Reason.NOT_REGULAR, "no folder") from error
            raise
        pending: list[tuple[str, ...]] = []
        names: tuple[str, ...] = ()
        while True:
            yield from self._files(base, names, entries)
            pending.extend((*names, entry.name) for entry in self._folders(entries))
            entries = []
            while pending and not entries:
                names = pending.pop()
                entries = self._entries_or_none(base, top, names)
            if not entries:
                return

    def _files(
        self, base: Path, names: tuple[str, ...], entries: list[Entry]
    ) -> Iterator[tuple[Path, Stamp]]:
        for entry in entries:
            if entry.stamp is None or ignore_rules.ignores_file(entry.name):
                continue
            path = base.joinpath(*names, entry.name)
            if _is_utf8(entry.name):
                yield path, entry.stamp
            else:
                _log.warning("passed over %r: its name is not UTF-8", str(path))

    def _folders(self, entries: list[Entry]) -> Iterator[Entry]:
        for entry in entries:
            if entry.is_folder and not ignore_rules.ignores_folder(entry.name) and _is_utf8(entry.name):
                yield entry

    def _entries_or_none(self, base: Path, top: _Place, names: tuple[str, ...]) -> list[Entry]:
        """List a folder met on the way: [] for one that is left out, cannot be read, or has gone."""
        try:
            entries = self._entries(base.joinpath(*names), top, (*top.names, *names))
        except FilesRootError as error:
            if error.reason is not Reason.VANISHED:
                _log.warning("passed over the folder %r: %s", error.path, error.detail or error.reason.value)
            return []
        return [] if ignore_rules.is_environment([entry.name for entry in entries]) else entries

    def _entries(self, asked: Path, top: _Place, names: tuple[str, ...]) -> list[Entry]:
        try:
            return self._beneath.entries(top.real, names)
        except OSError as error:
            raise self._translated(asked, error) from error

    def _place(self, path: Path) -> _Place:
        if ".." in path.parts or "\0" in str(path):
            raise self._refusal(path, Reason.OUTSIDE, "a path with '..' or NUL")
        if not _is_utf8(str(path)):
            raise FilesRootError(str(path), Reason.UNREADABLE, "its name is not UTF-8")
        for root in self._roots:
            for spelling in (root, Path(self._real[root])):
                if path.is_relative_to(spelling):
                    return _Place(root, self._resolved(root), path.relative_to(spelling).parts)
        raise self._refusal(path, Reason.OUTSIDE)

    def _resolved(self, root: Path) -> str:
        """Return the root without links, looking again while it does not exist: it may appear as a link."""
        real = self._real[root]
        if not os.path.lexists(real) or Path(real).is_symlink():
            real = self._real[root] = os.path.realpath(root)
        return real

    def _translated(self, path: Path, error: OSError) -> FilesRootError:
        if isinstance(error, LinkError):
            return self._refusal(path, Reason.OUTSIDE, "a link stands on the way")
        if error.errno in _GONE:
            return FilesRootError(str(path), Reason.VANISHED)
        if error.errno in {errno.ENXIO, errno.EOPNOTSUPP}:  # a socket (open(2); macOS says EOPNOTSUPP)
            return self._refusal(path, Reason.NOT_REGULAR)
        return FilesRootError(str(path), Reason.UNREADABLE, error.strerror or "")

    @staticmethod
    def _refusal(path: Path, reason: Reason, detail: str = "") -> FilesRootError:
        _log.warning("refused %r: %s", str(path), detail or reason.value)
        return FilesRootError(str(path), reason, detail)


def _is_utf8(name: str) -> bool:
    """Other bytes come as lone surrogates (PEP 383), which neither JSON nor PostgreSQL can carry."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
