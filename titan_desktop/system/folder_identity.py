"""Watches whether folders are still those with which this process began; a process that lost its home must end.

After an uninstall, a test's clean-up or a pulled drive the folder is gone, or another one has its name, and nobody
reads what this process writes. The core and the server host each watch for themselves. Standard library only.
"""

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

LOOK_S = 0.5
_LOOKS = 2
"""Missed so often in a row: a folder that two renames exchange is not taken for lost."""


class FolderIdentity:
    """The device and inode that folders have when this is made.

    Raises:
        OSError: one of them is not there.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._known = {folder: _identity(folder) for folder in folders}

    def lost(self) -> Path | None:
        """Return a folder that is gone, or is another one. It blocks while a drive does not answer."""
        return next((folder for folder, known in self._known.items() if not _is(folder, known)), None)

    def watch(self, on_lost: Callable[[Path], None]) -> None:
        """Call `on_lost` once, in a thread of its own, when a folder is lost; until the process ends.

        A thread, because a loop or a main thread that hangs must not keep a process that nobody can reach.
        """
        threading.Thread(target=self._watch, args=(on_lost,), name="folders", daemon=True).start()

    def _watch(self, on_lost: Callable[[Path], None]) -> None:
        missed = 0
        while True:
            folder = self.lost()
            missed = missed + 1 if folder is not None else 0
            if folder is not None and missed == _LOOKS:
                on_lost(folder)
                return
            time.sleep(LOOK_S)


def _identity(folder: Path) -> tuple[int, int]:
    seen = folder.stat()
    return seen.st_dev, seen.st_ino


def _is(folder: Path, known: tuple[int, int]) -> bool:
    try:
        return _identity(folder) == known
    except OSError:  # also of a drive that was pulled, or of a server that has gone
        return False
