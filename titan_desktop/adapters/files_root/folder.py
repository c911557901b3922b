"""An open folder in which names are made, moved and removed: what `changing` needs of each system.

`Beneath.folder` opens one beneath a root without following a link. Every name is a single one within it, so that
nothing which happens to the path of the folder meanwhile leads elsewhere. Implementations: `folder_posix`,
`folder_windows`.
"""

import os
import stat
import sys
from typing import Protocol, Self


class Folder(Protocol):
    """All raise OSError as the system says it. A link is never followed; `status` is that of the link itself."""

    def create(self, name: str, mode: int) -> int:
        """Make a file that is not there (FileExistsError), and return its descriptor for writing."""
        ...

    def status(self, name: str) -> os.stat_result:
        """Return the status of what has this name."""
        ...

    def make_folder(self, name: str) -> None:
        """Make a folder that is not there."""
        ...

    def move(self, name: str, to: Self, new_name: str, *, replace: bool = False) -> None:
        """Move a name to another folder in one step: FileExistsError where something is, unless `replace`."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file's name."""
        ...

    def sync(self) -> None:
        """Have the names on the disk."""
        ...

    def close(self) -> None:
        """Let the folder go."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def is_link(status: os.stat_result) -> bool:
    """Whether a status is that of a link or, on Windows, a junction."""
    if sys.platform == "win32":
        return status.st_reparse_tag in {stat.IO_REPARSE_TAG_SYMLINK, stat.IO_REPARSE_TAG_MOUNT_POINT}
    return stat.S_ISLNK(status.st_mode)
