"""Beneath a root on any POSIX system: folder by folder, each opened within the one before it.

A descriptor names a folder for good, whatever becomes of its path, and O_NOFOLLOW refuses a link in the name that
is opened within it: so there is no moment between the check and the opening.
"""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence

from titan_desktop.adapters.files_root.beneath import Entry, LinkError, read_entries

if sys.platform != "win32":
    _FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    _FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

    class PosixBeneath:
        """Component by component with `dir_fd`."""

        def open(self, root: str, names: Sequence[str]) -> int:
            """See `Beneath`."""
            with self._folder(root, names[:-1]) as folder:
                return _open_in(folder, names[-1], _FILE)

        def status(self, root: str, names: Sequence[str]) -> os.stat_result:
            """See `Beneath`."""
            with self._folder(root, names[:-1]) as folder:
                return os.stat(names[-1], dir_fd=folder, follow_symlinks=False)

        def entries(self, root: str, names: Sequence[str]) -> list[Entry]:
            """See `Beneath`."""
            with self._folder(root, names) as folder:
                return read_entries(folder)

        @contextlib.contextmanager
        def _folder(self, root: str, names: Sequence[str]) -> Iterator[int]:
            descriptor = self.open_folder(root, names)
            try:
                yield descriptor
            finally:
                os.close(descriptor)

        def open_folder(self, root: str, names: Sequence[str]) -> int:
            """Return a descriptor of a folder; the caller closes it."""
            descriptor = os.open(root, _FOLDER)
            for name in names:
                try:
                    inner = _open_in(descriptor, name, _FOLDER)
                finally:
                    os.close(descriptor)
                descriptor = inner
            return descriptor

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
