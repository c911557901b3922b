"""A folder by its descriptor: the calls of POSIX that end in -at, each with a single name.

A name is moved without replacing another by `renameat2` with RENAME_NOREPLACE on Linux and `renameatx_np` with
RENAME_EXCL on macOS. File systems that know no such flag (EINVAL: NFS, older FUSE) get a second name and lose the
first; a folder, which can have no second name, is moved after a look there.
"""

import contextlib
import ctypes
import errno
import os
import stat
import sys
from typing import Self

if sys.platform != "win32":
    _NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    _NOT_KNOWN = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})
    _RENAME_NOREPLACE = 1
    """linux/fs.h"""
    _RENAME_EXCL = 4
    """sys/stdio.h of macOS"""

    _libc = ctypes.CDLL(None, use_errno=True)
    _exclusive_rename = getattr(_libc, "renameatx_np" if sys.platform == "darwin" else "renameat2", None)
    """glibc has it since 2.28, musl since 1.2.6."""
    _FLAG = _RENAME_EXCL if sys.platform == "darwin" else _RENAME_NOREPLACE

    class PosixFolder:
        """See `folder.Folder`. It owns the descriptor."""

        def __init__(self, descriptor: int) -> None:
            self.descriptor = descriptor

        def create(self, name: str, mode: int) -> int:
            """See `Folder`."""
            return os.open(name, _NEW_FILE, mode, dir_fd=self.descriptor)

        def status(self, name: str) -> os.stat_result:
            """See `Folder`."""
            return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)

        def make_folder(self, name: str) -> None:
            """See `Folder`."""
            os.mkdir(name, dir_fd=self.descriptor)

        def move(self, name: str, to: Self, new_name: str, *, replace: bool = False) -> None:
            """See `Folder`."""
            ends = {"src_dir_fd": self.descriptor, "dst_dir_fd": to.descriptor}
            if replace:
                os.replace(name, new_name, **ends)  # noqa: PTH105 - pathlib has no dir_fd
            elif not _moved(self.descriptor, name, to.descriptor, new_name):
                if stat.S_ISDIR(self.status(name).st_mode):
                    with contextlib.suppress(FileNotFoundError):
                        to.status(new_name)
                        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new_name)
                    os.rename(name, new_name, **ends)  # noqa: PTH104
                else:
                    os.link(name, new_name, **ends, follow_symlinks=False)
                    self.remove(name)

        def remove(self, name: str) -> None:
            """See `Folder`."""
            os.unlink(name, dir_fd=self.descriptor)

        def sync(self) -> None:
            """See `Folder`. Some network file systems cannot, and keep their names in order themselves."""
            with contextlib.suppress(OSError):
                os.fsync(self.descriptor)

        def close(self) -> None:
            """See `Folder`."""
            os.close(self.descriptor)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

    def _moved(folder: int, name: str, to: int, new_name: str) -> bool:
        """Move without replacing; False where the system does not know how."""
        if _exclusive_rename is None:
            return False
        if _exclusive_rename(folder, os.fsencode(name), to, os.fsencode(new_name), _FLAG) == 0:
            return True
        number = ctypes.get_errno()
        if number in _NOT_KNOWN and not _is_within(folder, name, to):
            return False
        raise OSError(number, os.strerror(number), new_name)

    def _is_within(folder: int, name: str, to: int) -> bool:
        """Whether EINVAL means that a folder would go into itself: then no other way may be tried."""
        try:
            mover = os.stat(name, dir_fd=folder, follow_symlinks=False)
            descriptor = os.dup(to)
            try:
                while True:
                    here = os.fstat(descriptor)
                    if (here.st_dev, here.st_ino) == (mover.st_dev, mover.st_ino):
                        return True
                    above = os.open("..", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=descriptor)
                    os.close(descriptor)
                    descriptor = above
                    up = os.fstat(descriptor)
                    if (up.st_dev, up.st_ino) == (here.st_dev, here.st_ino):
                        return False
            finally:
                os.close(descriptor)
        except OSError:
            return False
