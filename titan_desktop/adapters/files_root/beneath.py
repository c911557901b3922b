"""What each system must be able to do: reach a name beneath a root without following a link.

`files_root.root` calls it with a pinned root and the remaining names, which it has checked: none is empty, `.`
or `..`, none holds a separator or a NUL. Implementations: `beneath_linux`, `beneath_posix`, `beneath_windows`.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from titan_desktop.adapters.files_root.folder import Folder
from titan_desktop.ports.files_root import PinnedRoot, Stamp


class LinkError(OSError):
    """A link stands on the way, and the way led through it."""


class AnotherFolderError(OSError):
    """Where a root was pinned is another folder now."""


class RootAwayError(OSError):
    """The root itself is not there or cannot be reached: of what lies beneath it nothing is known."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder. `stamp` is set for regular files alone; links and devices have neither mark."""

    name: str
    is_folder: bool
    stamp: Stamp | None
    mtime_ns: int = 0


class Beneath(Protocol):
    """All raise OSError as the system says it, and LinkError where a link was met.

    Those with a root raise AnotherFolderError where it is not what was pinned, RootAwayError where it is away.
    """

    def pin(self, path: str) -> PinnedRoot:
        """Open an absolute path that has no link in it, and return which folder that is."""
        ...

    def open(self, root: PinnedRoot, names: Sequence[str]) -> int:
        """Open for reading, without waiting for a FIFO's writer. What it opened may be anything: look."""
        ...

    def status(self, root: PinnedRoot, names: Sequence[str]) -> os.stat_result:
        """Return the status of the last name itself, be it a link."""
        ...

    def entries(self, root: PinnedRoot, names: Sequence[str]) -> list[Entry]:
        """List a folder."""
        ...

    def folder(self, root: PinnedRoot, names: Sequence[str]) -> Folder:
        """Open a folder, to change what is in it; the caller closes it."""
        ...


def read_entries(folder: "os.PathLike[str] | str | int") -> list[Entry]:
    """List an open descriptor or a path; what goes away while we look is left out."""
    found = []
    with os.scandir(folder) as names:
        for name in names:
            try:
                status = name.stat(follow_symlinks=False)
            except OSError:
                continue
            found.append(entry_of(str(name.name), status))
    return found


def entry_of(name: str, status: os.stat_result) -> Entry:
    """Tell folder, file and the rest apart."""
    regular = stat.S_ISREG(status.st_mode)
    stamp = Stamp.of(status)
    return Entry(name, stat.S_ISDIR(status.st_mode), stamp if regular else None, stamp.mtime_ns)
