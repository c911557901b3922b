"""A file that exists while a window runs: the next start finds it when that window did not end in order.

Its first byte says whether everything the person typed or requested was on the disk or in the core at that moment.
It is written at once, into the system's page cache, which outlives a killed process but not a killed computer: so
the rest of the file identifies the system's boot.
"""

import contextlib
import logging
import os
import sys
from enum import Enum
from pathlib import Path

log = logging.getLogger(__name__)

FILE_NAME = "window.running"
_KEPT, _UNKEPT = b"k", b"u"


class FormerEnd(Enum):
    """How the last window ended."""

    IN_ORDER = "in_order"
    NOTHING_LOST = "nothing_lost"
    """It crashed or was killed, and everything was stored."""
    UNKNOWN = "unknown"
    """It crashed or was killed, and the last input may be lost."""


class ExitMark:
    """The mark of one window. Without `begin` there is no file, and every call does nothing.

    Args:
        path: the file; its folder exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._unkept: set[str] = set()
        self.former = FormerEnd.IN_ORDER
        """How the window before this one ended; known after `begin`."""

    def begin(self, *unkept: str) -> None:
        """Read how the last window ended, and write this one's mark; `unkept` is what is not stored yet."""
        self._unkept = set(unkept)
        boot = _boot().encode()
        if self._path.exists():
            self.former = FormerEnd.UNKNOWN
            with contextlib.suppress(OSError):
                if boot and self._path.read_bytes() == _KEPT + boot:
                    self.former = FormerEnd.NOTHING_LOST
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
        try:
            self._descriptor = os.open(self._path, flags, 0o600)
            os.write(self._descriptor, self._byte() + boot)
        except OSError as error:
            log.warning("a crash of this window will not be reported: %s", error)

    def note(self, what: str, *, kept: bool) -> None:
        """Record that some input is stored, or is not yet. It costs some microseconds."""
        before = self._byte()
        if kept:
            self._unkept.discard(what)
        else:
            self._unkept.add(what)
        if self._descriptor is not None and self._byte() != before:
            try:
                os.lseek(self._descriptor, 0, os.SEEK_SET)
                os.write(self._descriptor, self._byte())
            except OSError as error:
                log.warning("a crash of this window will not be reported: %s", error)
                self.end()  # better no mark than a wrong one

    def end(self) -> None:
        """Remove the mark: the window ends in order."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _byte(self) -> bytes:
        return _UNKEPT if self._unkept else _KEPT


def _boot() -> str:
    """Identify the system's boot; "" where that is not possible, which never matches."""
    try:
        if sys.platform == "linux":
            return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        else:  # noqa: RET505 - mypy reads each system's branch, and would call what follows unreachable
            import psutil

            return str(round(psutil.boot_time()))
    except OSError:
        return ""
