"""A log file that cannot grow without end, and the pipes that lead into it.

Whatever a child or a library prints goes through `BoundedFile`: output of servers and Docker through a `Drain` in
the process that starts them, output of the core and its workers through `own_output`. Python's loggers use
`logs`. A full disk or a missing folder does not stop who prints: what cannot be written is dropped. Standard
library only.
"""

import contextlib
import os
import threading
from pathlib import Path
from typing import IO, Self

from titan_desktop.system import private_files

LIMIT_BYTES = 4_000_000
_PIECE_BYTES = 65_536


class BoundedFile:
    """Appends to `path`; where half of `limit_bytes` is reached, the file becomes `path.1` and a new one begins.

    For one process, and all of its threads.
    """

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._path = path
        self._half = limit_bytes // 2
        self._file: IO[bytes] | None = None
        self._size = 0
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Append what can be written; the rest is dropped."""
        step = min(_PIECE_BYTES, self._half)
        for start in range(0, len(data), step):
            with contextlib.suppress(OSError):
                self.append(data[start : start + step])

    def append(self, piece: bytes) -> None:
        """Append at most half of the limit, or raise OSError; the next call tries with a file opened anew."""
        with self._lock:
            try:
                file = self._opened()
                if self._size and self._size + len(piece) > self._half:
                    self._turn_over()
                    file = self._opened()
                self._size += file.write(piece)
            except OSError:
                self._close()
                raise

    def close(self) -> None:
        """Close the file; the next write opens it again."""
        with self._lock:
            self._close()

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = private_files.append(self._path, buffering=0)
            self._size = os.fstat(self._file.fileno()).st_size
        return self._file

    def _turn_over(self) -> None:
        self._close()
        if self._size > 2 * self._half:  # of a version that knew no limit
            self._path.unlink()
        else:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


def drain(source: int, file: BoundedFile) -> None:
    """Copy a pipe into the file until every process that prints into it has ended."""
    while data := os.read(source, _PIECE_BYTES):
        file.write(data)
    file.close()


class Drain:
    """A pipe into a file, read by a thread. Within `with`, its `end` is passed to a child.

    The thread ends with the last child that has it.
    """

    def __init__(self, file: BoundedFile) -> None:
        self._file = file
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        source, self.end = os.pipe()
        self._thread = threading.Thread(target=self._run, args=(source,), name="drain", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.end)

    def wait(self, timeout_s: float) -> bool:
        """Wait until everything is in the file; False: a grandchild that lives on still has the end open."""
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self, source: int) -> None:
        try:
            drain(source, self._file)
        finally:
            os.close(source)
