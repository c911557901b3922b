"""Waits until a changing path has settled, so that a file is not read while it is being written.

Pure state on the loop: the watcher reports paths, the service asks which have settled.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from titan_desktop.ports.files_root import Stamp

QUIET_S = 0.5
"""A path has settled when it was not reported for this long, and its size and time did not change."""
PATIENCE_S = 5.0
"""A path that never settles, such as a log, is checked this long after its first report."""


@dataclass(slots=True)
class _Unrest:
    since_s: float
    heard_s: float
    is_folder: bool
    looked_s: float
    stamp: Stamp | None = None
    former: Path | None = None


@dataclass(frozen=True, slots=True)
class Rested:
    """A settled path. `former`: the folder's path before it was moved."""

    is_folder: bool
    former: Path | None = None


class Settling:
    """Changing paths. `clock` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paths: dict[Path, _Unrest] = {}

    def __len__(self) -> int:
        return len(self._paths)

    def touch(self, path: Path, *, is_folder: bool) -> None:
        """Record a report of a path."""
        now = self._clock()
        unrest = self._paths.setdefault(path, _Unrest(now, now, is_folder, now))
        unrest.heard_s = now
        unrest.is_folder = is_folder

    def moved(self, old: Path, new: Path) -> None:
        """Record that a folder was moved; a second move before it has settled is merged into one."""
        unrest = self._paths.pop(old, None)
        former = unrest.former if unrest and unrest.former else old
        self.touch(new, is_folder=True)
        self._paths[new].former = former if former != new else None

    def again(self, path: Path, rested: Rested) -> None:
        """Record a settled path as changing again."""
        if rested.former is None:
            self.touch(path, is_folder=rested.is_folder)
        else:
            self.moved(rested.former, path)

    def candidates(self) -> list[Path]:
        """Return the paths to check now: two checks with some time in between show that a path has settled."""
        latest = self._clock() - QUIET_S / 2
        return [
            path for path, unrest in self._paths.items() if max(unrest.heard_s, unrest.looked_s) <= latest
        ]

    def settled(self, looks: dict[Path, Stamp | None]) -> dict[Path, Rested]:
        """Take the candidates' stamps (None: no file); remove and return the settled ones."""
        now = self._clock()
        rested: dict[Path, Rested] = {}
        for path, stamp in looks.items():
            unrest = self._paths.get(path)
            if unrest is None:
                continue
            at_rest = now - unrest.heard_s >= QUIET_S and unrest.stamp == stamp
            if at_rest or now - unrest.since_s >= PATIENCE_S:
                rested[path] = Rested(unrest.is_folder, unrest.former)
                del self._paths[path]
            unrest.stamp, unrest.looked_s = stamp, now
        return rested
