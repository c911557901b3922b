"""`.titanignore`: what the person leaves out of a folder and all beneath it, written like `.gitignore`.

As in gitignore(5), the file nearest to a name decides, its last pattern that matches first, and nothing comes back
from a folder that is left out. A pattern that cannot be used is passed over and told; the others hold.
"""

import logging
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from titan_desktop.ports.files_root import BadPattern, Stamp

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_log = logging.getLogger(__name__)

_BYTES_MAX = 64 * 1024
_STARS_MAX = 3
"""pathspec makes a regular expression of a pattern: with a fourth run of stars one name may take seconds."""
_DOUBLE_STARS_MAX = 2
"""The same of `**`, which looks through all folders of a path."""
_KEPT_MAX = 1_000
_STARS = re.compile(r"\*+")


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The patterns that count in one folder: those of its own file, then those of the folders above.

    Attributes:
        depth: how many names the folder lies beneath its root.
    """

    depth: int
    patterns: "GitIgnoreSpec"
    above: "IgnoreRules | None"


def ignores(rules: IgnoreRules | None, names: Sequence[str], *, is_folder: bool) -> bool:
    """Say whether `names`, beneath the root of the rules, is left out. The folders above are not looked at."""
    while rules is not None:
        path = "/".join(names[rules.depth :]) + ("/" if is_folder else "")
        include = rules.patterns.check_file(path).include
        if include is not None:
            return include
        rules = rules.above
    return False


class IgnoreFiles:
    """What the ignore files said when they were last read. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[Path, tuple[Stamp, GitIgnoreSpec]] = {}
        self._bad: dict[Path, tuple[BadPattern, ...]] = {}

    def bad_patterns(self) -> tuple[BadPattern, ...]:
        """Return the patterns that are passed over, in the order of their files and lines."""
        with self._lock:
            return tuple(one for _, found in sorted(self._bad.items()) for one in found)

    def joined(
        self, above: IgnoreRules | None, file: Path, opened: BinaryIO, stamp: Stamp, depth: int
    ) -> IgnoreRules:
        """Return the rules of a folder whose ignore file is `file`, which is read unless it looks as it did."""
        with self._lock:
            known = self._read.get(file)
        if known is not None and known[0] == stamp:
            return IgnoreRules(depth, known[1], above)
        patterns, bad = _parsed(file, opened.read(_BYTES_MAX + 1))
        for one in bad:
            _log.warning("%s, line %d: passed over", one.path, one.line)
        with self._lock:
            while len(self._read) >= _KEPT_MAX:
                self._drop(next(iter(self._read)))
            self._read[file] = (stamp, patterns)
            self._bad[file] = bad
        return IgnoreRules(depth, patterns, above)

    def gone(self, file: Path) -> None:
        """Forget a file that is not there any more."""
        with self._lock:
            self._drop(file)

    def _drop(self, file: Path) -> None:
        self._read.pop(file, None)
        self._bad.pop(file, None)


def _parsed(file: Path, raw: bytes) -> tuple["GitIgnoreSpec", tuple[BadPattern, ...]]:
    from pathspec import GitIgnoreSpec

    good: list[str] = []
    bad: list[BadPattern] = []
    lines = raw[:_BYTES_MAX].decode("utf-8-sig", "replace").splitlines()
    for number, line in enumerate(lines, 1):
        if _is_costly(line) or not _is_pattern(line):
            bad.append(BadPattern(str(file), number))
        else:
            good.append(line)
    if len(raw) > _BYTES_MAX:
        bad.append(BadPattern(str(file), len(lines)))
    return GitIgnoreSpec.from_lines(good), tuple(bad)


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore import GitIgnorePatternError

    if "\N{REPLACEMENT CHARACTER}" in line:  # it was not UTF-8
        return False
    try:
        GitIgnoreSpec.from_lines([line])
    except GitIgnorePatternError:
        return False
    return True


def _is_costly(line: str) -> bool:
    stars = [] if line.startswith("#") else _STARS.findall(line)
    return len(stars) > _STARS_MAX or sum(run != "*" for run in stars) > _DOUBLE_STARS_MAX
