"""`LocalFilesRoot`: decides by text which root a path belongs to, then lets the system's `Beneath` open it there.

Used by the core, in threads, and by the extraction workers, each with a files root of its own. Nothing here
follows a link beneath a root; only the way to a root itself may lead through links (a Desktop on another disk),
and it is resolved once (`pinning`).
"""

import errno
import logging
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from titan_desktop.adapters.files_root import ignore_files, ignore_rules
from titan_desktop.adapters.files_root.beneath import (
    AnotherFolderError,
    Beneath,
    Entry,
    LinkError,
    RootAwayError,
)
from titan_desktop.adapters.files_root.ignore_files import IgnoreFiles, IgnoreRules
from titan_desktop.adapters.files_root.pinning import Pinning, Root
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.files_root import (
    IGNORE_FILE,
    PATH_BYTES_MAX,
    BadPattern,
    FilesRootError,
    Listed,
    PinnedRoot,
    RefusedRoot,
    RootFault,
    Stamp,
)
from titan_desktop.system.file_names import spelled, written

if sys.platform == "win32":
    from titan_desktop.adapters.files_root.beneath_windows import WindowsBeneath as SystemBeneath
elif sys.platform == "linux":
    from titan_desktop.adapters.files_root.beneath_linux import LinuxBeneath as SystemBeneath
else:
    from titan_desktop.adapters.files_root.beneath_posix import PosixBeneath as SystemBeneath

T = TypeVar("T")
_log = logging.getLogger(__name__)

_VANISHED = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})


@dataclass(frozen=True, slots=True)
class Place:
    """A path taken apart: its root, and the names beneath it as the system has them, none for the root itself."""

    root: Root
    names: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The one spelling of the path."""
        return Path(spelled(str(self.root.path.joinpath(*self.names))))


class LocalFilesRoot:
    """See `ports.files_root.FilesRoot`. Threads may share one.

    Args:
        roots: the allowed folders, existing or not.
        beneath: the system's way.
        consented: folders that may be roots against the rules (`root_rules`), because the person says so.
        hidden: whether hidden files are read, because the person says so.
    """

    def __init__(
        self,
        roots: Iterable[Path],
        beneath: Beneath | None = None,
        *,
        consented: Iterable[Path] = (),
        hidden: bool = False,
    ) -> None:
        self.beneath: Beneath = beneath or SystemBeneath()
        self._pinning = Pinning(roots, self.beneath, consented)
        self._ignore_files = IgnoreFiles()
        self._hidden = hidden

    @property
    def roots(self) -> tuple[Path, ...]:
        """See `FilesRoot`."""
        return tuple(root.path for root in self._pinning.roots)

    def consent(self, folders: Iterable[Path]) -> None:
        """Replace the set of folders that the person consents to. Does not block."""
        self._pinning.consent(folders)

    def read_hidden(self, *, hidden: bool) -> bool:
        """Say whether hidden files are read. Returns whether that is new. Does not block."""
        was, self._hidden = self._hidden, hidden
        return was != hidden

    def bad_patterns(self) -> Sequence[BadPattern]:
        """See `FilesRoot`."""
        return self._ignore_files.bad_patterns()

    def pinned(self, root: Path) -> PinnedRoot | None:
        """See `FilesRoot`."""
        found = next((one for one in self._pinning.roots if one.path == root), None)
        return None if found is None else self._pinning.pinned(found)

    def standing(self) -> Mapping[Path, PinnedRoot]:
        """See `FilesRoot`."""
        return self._pinning.standing()

    def refused(self) -> Sequence[RefusedRoot]:
        """See `FilesRoot`."""
        return self._pinning.refused()

    def root_of(self, path: Path) -> Path:
        """See `FilesRoot`. Both spellings of a root that is reached through a link are its own."""
        return self.place(path).root.path

    def canonical(self, path: Path) -> Path:
        """See `FilesRoot`."""
        return self.place(path).path

    def is_ignored(self, path: Path) -> bool:
        """See `FilesRoot`."""
        place = self.place(path)
        if not place.names:
            return False
        names = place.names
        if any(map(self._ignores_folder, names)) or self._ignores_file(names[-1]):
            return True
        if any(self._is_environment(place.root, names[:depth]) for depth in range(1, len(names) + 1)):
            return True
        rules: IgnoreRules | None = None
        for depth in range(len(names)):
            rules = self._rules(place.root, names[:depth], rules)
            is_last = depth == len(names) - 1
            if not is_last and ignore_files.ignores(rules, names[: depth + 1], is_folder=True):
                return True
        return ignore_files.ignores(rules, names, is_folder=False) or (
            ignore_files.ignores(rules, names, is_folder=True) and self.is_folder(path)
        )

    def _ignores_file(self, name: str) -> bool:
        return ignore_rules.ignores_file(name, hidden=self._hidden)

    def _ignores_folder(self, name: str) -> bool:
        return ignore_rules.ignores_folder(name, hidden=self._hidden)

    def _rules_in(self, place: Place) -> IgnoreRules | None:
        """Return the rules that count in a folder."""
        rules: IgnoreRules | None = None
        for depth in range(len(place.names) + 1):
            rules = self._rules(place.root, place.names[:depth], rules)
        return rules

    def _rules(self, root: Root, names: tuple[str, ...], above: IgnoreRules | None) -> IgnoreRules | None:
        """Return the rules in one folder: with its own ignore file, if that can be read, else those above."""
        file = Place(root, (*names, IGNORE_FILE)).path
        try:
            descriptor = self.within(root, lambda pin: self.beneath.open(pin, (*names, IGNORE_FILE)))
        except (OSError, FilesRootError) as error:
            if isinstance(error, OSError) and not _is_known_absent(error):
                _log.warning("%s cannot be read: %s", file, error)
            self._ignore_files.gone(file)
            return above
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return above
            return self._ignore_files.joined(above, file, opened, Stamp.of(status), len(names))

    def _is_environment(self, root: Root, names: tuple[str, ...]) -> bool:
        try:
            self.within(root, lambda pin: self.beneath.status(pin, (*names, ignore_rules.VENV_MARK)))
        except (OSError, FilesRootError):
            return False
        return True

    def is_folder(self, path: Path) -> bool:
        """See `FilesRoot`."""
        try:
            place = self.place(path)
            if not place.names:
                return self._pinning.pinned(place.root) is not None
            status = self.within(place.root, lambda pin: self.beneath.status(pin, place.names))
        except (OSError, FilesRootError):
            return False
        return stat.S_ISDIR(status.st_mode)

    def open(self, path: Path) -> BinaryIO:
        """See `FilesRoot`."""
        place = self.place(path)
        if not place.names:
            raise self._refusal(path, Reason.NOT_REGULAR, "a root itself")
        try:
            descriptor = self.within(place.root, lambda pin: self.beneath.open(pin, place.names))
        except OSError as error:
            raise self._translated(path, error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self._refusal(path, Reason.NOT_REGULAR)
        return os.fdopen(descriptor, "rb")

    def stamp(self, path: Path) -> Stamp:
        """See `FilesRoot`. The file itself is not opened."""
        place = self.place(path)
        if not place.names:
            raise FilesRootError(str(path), Reason.NOT_REGULAR, "a root itself")
        try:
            status = self.within(place.root, lambda pin: self.beneath.status(pin, place.names))
        except OSError as error:
            raise self._translated(path, error) from error
        if stat.S_ISLNK(status.st_mode):
            raise self._refusal(path, Reason.OUTSIDE, "a link")
        if not stat.S_ISREG(status.st_mode):
            raise FilesRootError(str(path), Reason.NOT_REGULAR)
        return Stamp.of(status)

    def has_left(self, path: Path) -> bool:
        """See `FilesRoot`."""
        try:
            place = self.place(path)
        except FilesRootError as error:  # its folder is no root any more
            return error.reason is Reason.OUTSIDE
        if not place.names:
            return False
        try:
            status = self.within(place.root, lambda pin: self.beneath.status(pin, place.names))
            return not stat.S_ISREG(status.st_mode) or self.is_ignored(path)
        except (
            FilesRootError
        ):  # the root is refused: by a rule it may not be known, by a link it may come back
            refused = place.root.refused
            return refused is not None and refused.fault is not RootFault.LINK
        except RootAwayError:
            return False
        except OSError as error:
            return _is_known_absent(error)

    def listing(self, folder: Path) -> Sequence[Listed]:
        """See `FilesRoot`."""
        top = self.place(folder)
        try:
            entries = self._entries(folder, top, top.names)
        except FilesRootError as error:
            if isinstance(error.__cause__, NotADirectoryError):
                raise self._refusal(folder, Reason.NOT_REGULAR, "no folder") from error
            raise
        rules = self._rules_in(top)
        return [
            Listed(
                spelled(entry.name),
                entry.is_folder,
                entry.stamp.size if entry.stamp else 0,
                entry.mtime_ns,
                self._omits(entry, rules, (*top.names, entry.name)),
            )
            for entry in entries
            if (entry.is_folder or entry.stamp is not None) and _utf8_length(spelled(entry.name)) is not None
        ]

    def walk(self, folder: Path) -> Iterator[tuple[Path, Stamp]]:
        """See `FilesRoot`. Paths come in the spelling of `canonical`; an unreadable folder is logged, passed over.

        Raises:
            FilesRootError: `folder` itself lies outside, is no folder or cannot be read.
        """
        top = self.place(folder)
        base = top.path
        try:
            entries = self._entries(folder, top, top.names)
        except FilesRootError as error:
            if isinstance(error.__cause__, NotADirectoryError):
                raise self._refusal(folder, Reason.NOT_REGULAR, "no folder") from error
            raise
        pending: list[tuple[tuple[str, ...], IgnoreRules | None]] = []
        names: tuple[str, ...] = ()
        rules = self._rules_in(top)
        while True:
            folder = base.joinpath(*map(spelled, names))
            for entry in self._kept(folder, entries, rules, (*top.names, *names)):
                if entry.stamp is not None:
                    yield folder / spelled(entry.name), entry.stamp
                else:
                    pending.append(((*names, entry.name), rules))
            entries = []
            while pending and not entries:
                names, rules = pending.pop()
                entries = self._entries_or_none(base, top, names)
            if not entries:
                return
            if any(entry.name == IGNORE_FILE for entry in entries):
                rules = self._rules(top.root, (*top.names, *names), rules)

    def _kept(
        self, folder: Path, entries: list[Entry], rules: IgnoreRules | None, names: tuple[str, ...]
    ) -> Iterator[Entry]:
        """Return the files and folders that are not left out."""
        room = _room_in(folder)
        for entry in entries:
            if (
                (entry.is_folder or entry.stamp is not None)
                and not self._omits(entry, rules, (*names, entry.name))
                and _fits(folder, spelled(entry.name), room)
            ):
                yield entry

    def _omits(self, entry: Entry, rules: IgnoreRules | None, names: Sequence[str]) -> bool:
        ignores = self._ignores_folder if entry.is_folder else self._ignores_file
        return ignores(entry.name) or ignore_files.ignores(rules, names, is_folder=entry.is_folder)

    def _entries_or_none(self, base: Path, top: Place, names: tuple[str, ...]) -> list[Entry]:
        """List a folder met on the way: [] for one that is left out, cannot be read, or has gone."""
        try:
            entries = self._entries(base.joinpath(*map(spelled, names)), top, (*top.names, *names))
        except FilesRootError as error:
            if error.reason is not Reason.VANISHED:
                _log.warning("passed over the folder %r: %s", error.path, error.detail or error.reason.value)
            return []
        return [] if ignore_rules.is_environment([entry.name for entry in entries]) else entries

    def _entries(self, asked: Path, top: Place, names: tuple[str, ...]) -> list[Entry]:
        try:
            return self.within(top.root, lambda pin: self.beneath.entries(pin, names))
        except OSError as error:
            raise self._translated(asked, error) from error

    def within(self, root: Root, use: Callable[[PinnedRoot], T]) -> T:
        """Do something beneath a root, once more if there is another folder in its place that may be one."""
        pin = root.pin
        if pin is not None:
            try:
                return use(pin)
            except AnotherFolderError:
                pass
        try:
            pin = self._pinning.pin(root)
        except OSError as error:
            raise RootAwayError(error.errno, error.strerror, str(root.path)) from error
        return use(pin)

    def place(self, path: Path) -> Place:
        """Take a path apart by its text; raises FilesRootError."""
        text = str(path)
        if ".." in path.parts or "\0" in text:
            raise self._refusal(path, Reason.OUTSIDE, "a path with '..' or NUL")
        try:
            path = Path(written(text))
        except UnicodeEncodeError:
            raise FilesRootError(text, Reason.UNREADABLE, "its name is no text") from None
        length = _utf8_length(spelled(str(path)))
        if length is None:
            raise FilesRootError(text, Reason.UNREADABLE, "its name is no text")
        for root, spelling in self._pinning.spellings():
            if path.is_relative_to(spelling):
                if length > PATH_BYTES_MAX:
                    raise FilesRootError(text, Reason.UNREADABLE, "its path is too long")
                return Place(root, path.relative_to(spelling).parts)
        raise self._refusal(path, Reason.OUTSIDE)

    def _translated(self, path: Path, error: OSError) -> FilesRootError:
        if isinstance(error, LinkError):
            return self._refusal(path, Reason.OUTSIDE, "a link stands on the way")
        if error.errno in _VANISHED:
            return FilesRootError(str(path), Reason.VANISHED)
        if error.errno in {errno.ENXIO, errno.EOPNOTSUPP}:  # a socket (open(2); macOS says EOPNOTSUPP)
            return self._refusal(path, Reason.NOT_REGULAR)
        return FilesRootError(str(path), Reason.UNREADABLE, error.strerror or "")

    @staticmethod
    def _refusal(path: Path, reason: Reason, detail: str = "") -> FilesRootError:
        _log.warning("refused %r: %s", str(path), detail or reason.value)
        return FilesRootError(str(path), reason, detail)


def _is_known_absent(error: OSError) -> bool:
    return isinstance(error, LinkError) or error.errno in _VANISHED


def _room_in(folder: Path) -> int:
    """Return how many bytes a name in this folder may have."""
    return PATH_BYTES_MAX - len(os.fsencode(folder)) - 1


def _fits(folder: Path, name: str, room: int) -> bool:
    length = _utf8_length(name)
    if length is not None and length <= room:
        return True
    why = "its name is no text" if length is None else "its path is too long"
    _log.warning("passed over %r: %s", str(folder / name), why)
    return False


def _utf8_length(name: str) -> int | None:
    """Count the bytes; None: lone surrogates, as Windows allows them, which JSON and SQL cannot carry."""
    try:
        return len(name.encode())
    except UnicodeEncodeError:
        return None
