"""A file lock that is released when its process ends, on every system.

The kernel releases it however the process ends, so no lock is ever stale. `client` uses it to check whether the
core runs; `core` and the server host hold one each.
"""

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """An exclusive lock. `acquire` returns at once; the lock is free again when the holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Take the lock if it is free. Returns whether it is held now.

        Raises:
            OSError: the lock file cannot be opened (it belongs to somebody else), or not be locked.
        """
        if self._file is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        file = os.fdopen(descriptor, "r+b")
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):  # from flock, and from msvcrt: the lock is held
            file.close()
            return False
        except OSError:  # for example a network folder without locks
            file.close()
            raise
        self._file = file
        return True

    def release(self) -> None:
        """Release the lock. The file stays: unlinking it would let two holders lock two different inodes."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock at `path`.

    It tries to take the lock, so a starting holder must retry for a moment when it finds the lock taken. A file
    that cannot be opened counts as free: the process that takes the lock then gets the error.
    """
    if not path.exists():
        return False
    with FileLock(path) as probe, contextlib.suppress(OSError):
        return not probe.acquire()
    return False
