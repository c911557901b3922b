"""Beneath a root on any POSIX system: folder by folder, each opened within the one before it.

A descriptor names a folder for good, whatever becomes of its path, and O_NOFOLLOW refuses a link in the name that
is opened within it: so there is no moment between the check and the opening. That the root is still the folder
which was pinned is seen on its descriptor, too.
"""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence

from titan_desktop.adapters.files_root.beneath import (
    AnotherFolderError,
    Entry,
    LinkError,
    RootAwayError,
    read_entries,
)
from titan_desktop.ports.files_root import PinnedRoot

if sys.platform != "win32":
    from titan_desktop.adapters.files_root.folder_posix import PosixFolder

    _FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    _FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    _ON_THE_WAY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
    """For folders that are only passed: Linux asks for no right to read them."""

    class PosixBeneath:
        """Component by component with `dir_fd`."""

        def pin(self, path: str) -> PinnedRoot:
            """See `Beneath`."""
            descriptor = os.open("/", _ON_THE_WAY)
            for name in filter(None, path.split("/")):
                descriptor = _open_then_close(descriptor, name, _ON_THE_WAY)
            try:
                status = os.fstat(descriptor)
            finally:
                os.close(descriptor)
            return PinnedRoot(path, status.st_dev, status.st_ino)

        def open(self, root: PinnedRoot, names: Sequence[str]) -> int:
            """See `Beneath`."""
            with self._folder(root, names[:-1]) as folder:
                return _open_in(folder, names[-1], _FILE)

        def status(self, root: PinnedRoot, names: Sequence[str]) -> os.stat_result:
            """See `Beneath`."""
            with self._folder(root, names[:-1]) as folder:
                return os.stat(names[-1], dir_fd=folder, follow_symlinks=False)

        def entries(self, root: PinnedRoot, names: Sequence[str]) -> list[Entry]:
            """See `Beneath`."""
            with self._folder(root, names) as folder:
                return read_entries(folder)

        def folder(self, root: PinnedRoot, names: Sequence[str]) -> PosixFolder:
            """See `Beneath`."""
            return PosixFolder(self.open_folder(root, names))

        @contextlib.contextmanager
        def _folder(self, root: PinnedRoot, names: Sequence[str]) -> Iterator[int]:
            descriptor = self.open_folder(root, names)
            try:
                yield descriptor
            finally:
                os.close(descriptor)

        def open_folder(self, root: PinnedRoot, names: Sequence[str]) -> int:
            """Return a descriptor of a folder; the caller closes it."""
            descriptor = open_root(root, _FOLDER)
            for name in names:
                descriptor = _open_then_close(descriptor, name, _FOLDER)
            return descriptor

    def open_root(root: PinnedRoot, flags: int) -> int:
        """Return a descriptor of the root; the caller closes it."""
        try:
            descriptor = os.open(root.path, flags)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR}:  # a link: ELOOP, or ENOTDIR with O_DIRECTORY
                raise AnotherFolderError(error.errno, error.strerror, root.path) from error
            raise RootAwayError(error.errno, error.strerror, root.path) from error
        try:
            status = os.fstat(descriptor)
        except OSError as error:  # a disk that is gone, behind FUSE
            os.close(descriptor)
            raise RootAwayError(error.errno, error.strerror, root.path) from error
        if (status.st_dev, status.st_ino) != (root.device, root.inode):
            os.close(descriptor)
            raise AnotherFolderError(errno.ESTALE, os.strerror(errno.ESTALE), root.path)
        return descriptor

    def _open_then_close(folder: int, name: str, flags: int) -> int:
        try:
            return _open_in(folder, name, flags)
        finally:
            os.close(folder)

    def _open_in(folder: int, name: str, flags: int) -> int:
        try:
            return os.open(name, flags, dir_fd=folder)
        except OSError as error:
            # A link gives ELOOP, or ENOTDIR with O_DIRECTORY (open(2)), EMLINK on FreeBSD, EFTYPE on NetBSD.
            if error.errno == errno.ELOOP or _is_link(folder, name):
                raise LinkError(errno.ELOOP, os.strerror(errno.ELOOP), name) from error
            raise

    def _is_link(folder: int, name: str) -> bool:
        with contextlib.suppress(OSError):
            return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
        return False
