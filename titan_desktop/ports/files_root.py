"""Access to the person's files. Everything that opens a file uses an implementation of this port.

A path is accepted when, resolved without following any link, it is beneath an allowed root. The check and the
opening are one step, so that a link swapped in between has no effect.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from titan_desktop.contracts.indexing import Reason

_INODE_BITS = 2**63 - 1
"""The range of PostgreSQL's bigint; ReFS numbers files with 128 bits."""


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
        mtime_ns: since the epoch.
        inode: the file system's number for the file, which a rename keeps; 0: not known. At most 63 bits of it.
    """

    size: int
    mtime_ns: int
    inode: int = field(default=0, compare=False)

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Return the stamp of a file's status."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino & _INODE_BITS)


class FilesRoot(Protocol):
    """Blocking calls, for threads and worker processes; never on the loop. All raise FilesRootError."""

    @property
    def roots(self) -> tuple[Path, ...]:
        """The allowed roots, absolute, existing or not."""
        ...

    def root_of(self, path: Path) -> Path:
        """Return the root that `path` lies beneath, by its text alone; raises OUTSIDE."""
        ...

    def canonical(self, path: Path) -> Path:
        """Return the one spelling under which the index knows `path`, beneath its root; raises OUTSIDE."""
        ...

    def is_ignored(self, path: Path) -> bool:
        """Whether the walk omits this file: hidden, temporary, in a program's own folder."""
        ...

    def open(self, path: Path) -> BinaryIO:
        """Open a regular file for reading, beneath its root, following no link."""
        ...

    def stamp(self, path: Path) -> Stamp:
        """Size and time of a regular file, beneath its root, following no link."""
        ...

    def walk(self, folder: Path) -> Iterator[tuple[Path, Stamp]]:
        """Every regular file beneath `folder`, links not followed, hidden and temporary ones left out."""
        ...
