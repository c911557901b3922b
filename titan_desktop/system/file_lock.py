"""A lock on a file that dies with its holder, on every system.

The kernel drops it when the process ends, however it ends, so no lock is ever stale. `client` asks whether the
core lives by it; `core` and the server host of the embedded servers hold one each.
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
    """An exclusive lock: `acquire` answers at once, and the lock is free again when the holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Take the lock if nobody holds it; say whether it is ours now.

        Raises:
            OSError: the lock file cannot be opened (it is somebody else's), or not be locked.
        """
        if self._file is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        file = os.fdopen(descriptor, "r+b")
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):  # from flock, and from msvcrt: somebody holds it
            file.close()
            return False
        except OSError:  # a network folder without locks, say: nobody can tell
            file.close()
            raise
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock up. The file stays: unlinking it would let two holders lock two different inodes."""
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
    """Say whether a living process holds the lock at `path`.

    It asks by trying, so a holder-to-be must try again for a moment when it finds the lock taken. A file that we
    may not open counts as free: whoever then tries to take it hears what is wrong.
    """
    if not path.exists():
        return False
    with FileLock(path) as probe, contextlib.suppress(OSError):
        return not probe.acquire()
    return False
