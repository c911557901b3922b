"""Finds changes by polling, where the system cannot watch.

It walks through the files root, as a scan does. So links, hidden and ignored folders are left out, a folder that
cannot be read affects no other, and nothing is reported as gone that was not there before.
"""

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

from titan_desktop.ports.files_root import FilesRoot, FilesRootError, Stamp

INTERVAL_S = 10.0
_SHARE = 20
"""Looking takes at most one part of so many of the time: large folders are looked at less often."""


class Poller:
    """The files of the roots at the last poll. For one thread at a time."""

    def __init__(self, files_root: FilesRoot, interval_s: float = INTERVAL_S) -> None:
        self._files_root = files_root
        self._interval_s = interval_s
        self._held: dict[Path, dict[Path, Stamp]] = {}
        self.pause_s = interval_s
        """How long to wait before the next look."""

    def changes(self, roots: Iterable[Path]) -> tuple[set[Path], set[Path]]:
        """Walk through `roots`; return the files that differ from the last poll, and the new roots.

        A root that cannot be read now is left as it was.
        """
        began = time.monotonic()
        changed: set[Path] = set()
        new: set[Path] = set()
        for root in roots:
            with contextlib.suppress(FilesRootError):
                now = dict(self._files_root.walk(root))
                held = self._held.get(root)
                if held is None:
                    new.add(root)
                else:
                    changed |= {path for path, stamp in now.items() if held.get(path) != stamp}
                    changed |= held.keys() - now.keys()
                self._held[root] = now
        self.pause_s = max(self._interval_s, _SHARE * (time.monotonic() - began))
        return changed, new
