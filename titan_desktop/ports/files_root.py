"""Access to the person's files. Everything that opens a file uses an implementation of this port.

A path is accepted when, resolved without following any link, it is beneath an allowed root. The check and the
opening are one step, so that a link swapped in between has no effect.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.numbers import INT64_MAX

PATH_BYTES_MAX = 2_500
"""A longer path is not read: the index's key holds 2,704 bytes (PostgreSQL, a third of a page of a B-tree)."""

IGNORE_FILE = ".titanignore"
"""The file in which a person says what of its folder is left out."""

GONE = frozenset({Reason.VANISHED, Reason.OUTSIDE, Reason.NOT_REGULAR})
"""The reasons for a path without a file; UNREADABLE may be temporary."""


class FilesRootError(Exception):
    """A file was refused or cannot be read.

    Attributes:
        path: the requested path.
        reason: OUTSIDE, VANISHED, UNREADABLE, NOT_REGULAR …
    """

    def __init__(self, path: str, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{path}: {reason.value}" + (f" ({detail})" if detail else ""))
        self.path = path
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["FilesRootError"], tuple[str, Reason, str]]:
        """Keep the fields across a process boundary."""
        return type(self), (self.path, self.reason, self.detail)


@dataclass(frozen=True, slots=True)
class Stamp:
    """How a file looked when it was last seen; two that look alike are equal.

    Attributes:
        size: in bytes.
        mtime_ns: since the epoch; a date before 1677 or after 2262 is the nearest within.
        inode: the file system's number for the file, which a rename keeps; 0: not known. At most 63 bits of it,
            as many file systems use all 64 and ReFS 128.
    """

    size: int
    mtime_ns: int
    inode: int = field(default=0, compare=False)

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Return the stamp of a file's status."""
        mtime_ns = status.st_mtime_ns
        if not -INT64_MAX <= mtime_ns <= INT64_MAX:  # what no clock says, an archive may: XFS and ZFS keep it
            mtime_ns = INT64_MAX if mtime_ns > 0 else -INT64_MAX
        return cls(status.st_size, mtime_ns, status.st_ino & INT64_MAX)


@dataclass(frozen=True, slots=True)
class PinnedRoot:
    """A root as it was found: the folder at `path` is this root while device and inode are these.

    Attributes:
        path: absolute, and without a link in it when it was pinned.
    """

    path: str
    device: int
    inode: int


class RootFault(StrEnum):
    """Why an allowed root is not read."""

    HOLDS_HOME = "holds_home"
    HIDDEN = "hidden"
    SYSTEM = "system"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class RefusedRoot:
    """A root that is not read. `real`: where it leads; a person may consent to exactly that, but for LINK."""

    path: Path
    real: str
    fault: RootFault


@dataclass(frozen=True, slots=True)
class BadPattern:
    """A line of an ignore file, from 1, that says nothing Titan can use: it is passed over."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A folder or a regular file in a folder. `size`: 0 for a folder; `is_ignored`: the walk omits it."""

    name: str
    is_folder: bool
    size: int
    mtime_ns: int
    is_ignored: bool


class FilesRoot(Protocol):
    """Blocking calls, for threads and worker processes; never on the loop. All raise FilesRootError."""

    @property
    def roots(self) -> tuple[Path, ...]:
        """The allowed roots, absolute, existing or not."""
        ...

    def pinned(self, root: Path) -> PinnedRoot | None:
        """Return what one of the roots is now; None: it is missing, refused or cannot be read. Never raises."""
        ...

    def standing(self) -> Mapping[Path, PinnedRoot]:
        """Return what the roots are now that can be read, without those beneath another. Never raises."""
        ...

    def refused(self) -> Sequence[RefusedRoot]:
        """Return the roots that were refused when they were last looked at. Does not block."""
        ...

    def bad_patterns(self) -> Sequence[BadPattern]:
        """Return the lines of ignore files that are passed over. Does not block."""
        ...

    def root_of(self, path: Path) -> Path:
        """Return the root that `path` lies beneath, by its text alone; raises OUTSIDE."""
        ...

    def canonical(self, path: Path) -> Path:
        """Return the one spelling under which the index knows `path`, beneath its root; raises OUTSIDE."""
        ...

    def is_ignored(self, path: Path) -> bool:
        """Whether the walk omits this path: hidden, temporary, in a program's own folder, or by an ignore file."""
        ...

    def is_folder(self, path: Path) -> bool:
        """Whether a folder that can be read is at `path` now, no link on the way. Never raises."""
        ...

    def open(self, path: Path) -> BinaryIO:
        """Open a regular file for reading, beneath its root, following no link."""
        ...

    def stamp(self, path: Path) -> Stamp:
        """Size and time of a regular file, beneath its root, following no link."""
        ...

    def has_left(self, path: Path) -> bool:
        """Whether nothing is left to know of a file: it is gone, ignored or outside, while its root is there.

        True of every file of a root that is refused by a rule. False also for what cannot be told, such as a
        folder that cannot be read. Never raises.
        """
        ...

    def listing(self, folder: Path) -> Sequence[Listed]:
        """Return what is in a folder, in no order; links, devices, and names that are not UTF-8 are left out."""
        ...

    def walk(self, folder: Path) -> Iterator[tuple[Path, Stamp]]:
        """Every regular file beneath `folder`, links not followed, hidden and temporary ones left out."""
        ...
