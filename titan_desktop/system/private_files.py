"""Files and folders that only their owner may read, whatever the umask.

For everything that Titan's processes create: folders, logs, and files that are replaced atomically. Standard
library only: the window uses it before it has painted.
"""

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path
from typing import IO

_OTHERS = 0o066
"""Read and write bits of others. Their search bit stays: as root Titan sets it, see `provision.account`."""


def make_folder(folder: Path) -> None:
    """Create `folder` and its missing parents; removes the rights of others on an existing one of ours.

    Raises:
        OSError: it cannot be created.
    """
    _make(folder)
    if sys.platform != "win32":
        seen = folder.stat()
        if seen.st_mode & _OTHERS and seen.st_uid == os.getuid():
            folder.chmod(stat.S_IMODE(seen.st_mode) & ~_OTHERS)


def own_folder(folder: Path) -> None:
    """Create `folder`, or check that an existing one is a folder of ours: in a shared /tmp it may be a trap.

    It is looked at before anything is done to it: what a link points to must not change.

    Raises:
        OSError: it cannot be created, is a link, or belongs to somebody else.
    """
    if sys.platform == "win32":
        make_folder(folder)
        return
    if not folder.is_symlink():
        _make(folder)
    if not is_own_folder(folder):
        raise PermissionError(errno.EPERM, "The folder is a link or belongs to somebody else", str(folder))
    make_folder(folder)  # nobody but us may replace it now, in a folder with the sticky bit as /tmp has it


def is_own_folder(path: Path) -> bool:
    """Whether it is a folder of this user's, and no link to one."""
    try:
        seen = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(seen.st_mode) and (sys.platform == "win32" or seen.st_uid == os.getuid())


def _make(folder: Path) -> None:
    for missing in reversed([each for each in folder.parents if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)  # raises where a file is in its place


def sync_folder(folder: Path) -> None:
    """Have the names of a folder on the disk. Windows keeps them in order itself, as some file systems do."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_file(path: Path) -> None:
    """Create an empty file, or close an existing one to others: for a library that goes on to write it.

    Raises:
        OSError: it cannot be created, or belongs to somebody else.
    """
    with append(path) as file:
        if sys.platform != "win32":
            os.fchmod(file.fileno(), 0o600)


def append(path: Path, *, buffering: int = -1) -> IO[bytes]:
    """Open a log at its end; `buffering` as for `open`. Raises OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", buffering)


def replace(path: Path, content: str) -> None:
    """Write the file atomically: a crash or a full disk leaves the old one. Raises OSError."""
    Replacement(path, content).take_place()


class Replacement:
    """A file's new content, on the disk beside it: what goes with it can be done, or fail, before it counts.

    Raises:
        OSError: it cannot be written, or a folder stands in the file's place.
    """

    def __init__(self, path: Path, content: str) -> None:
        self._path = path
        self._fresh = path.with_name(f"{path.name}.new")
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        self._fresh.unlink(missing_ok=True)
        descriptor = os.open(self._fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            self.discard()
            raise

    def take_place(self) -> None:
        """Replace the file. Raises OSError, and then the old one stays."""
        try:
            self._fresh.replace(self._path)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Leave the old one."""
        self._fresh.unlink(missing_ok=True)
