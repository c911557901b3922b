"""Files and folders that their owner alone may read, whatever the umask.

For what every process of Titan makes: folders, logs, and files that are replaced in one step. Standard library
only: the window calls it before it has painted.
"""

import errno
import os
import stat
import sys
from pathlib import Path
from typing import IO

_OTHERS = 0o066
"""Reading and writing by others. Their search bit stays: as root we set it ourselves, see `provision.account`."""


def make_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it; one of ours that others may read or write is closed to them.

    Raises:
        OSError: it cannot be made.
    """
    for missing in reversed([each for each in folder.parents if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)  # raises where a file stands in its place
    if sys.platform != "win32":
        seen = folder.stat()
        if seen.st_mode & _OTHERS and seen.st_uid == os.getuid():
            folder.chmod(stat.S_IMODE(seen.st_mode) & ~_OTHERS)


def own_folder(folder: Path) -> None:
    """Make `folder`, or see that the one there is a folder of ours: in a shared /tmp it may be a trap.

    Raises:
        OSError: it cannot be made, is a link, or belongs to somebody else.
    """
    make_folder(folder)
    if sys.platform != "win32":
        seen = folder.lstat()
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid():
            raise PermissionError(
                errno.EPERM, "The folder is a link or belongs to somebody else", str(folder)
            )


def append(path: Path) -> IO[bytes]:
    """Open a log at its end. Raises OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def replace(path: Path, content: str) -> None:
    """Write the file in one step: a crash or a full disk leaves the old one. Raises OSError."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
