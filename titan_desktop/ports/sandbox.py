"""Confines the calling process before it reads a foreign byte: one adapter for each system."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from titan_desktop.contracts.security import Mechanism


class Sandbox(Protocol):
    """Removes the rights of a process that a parser does not need, for good."""

    def close(self, readable: Sequence[Path]) -> tuple[Mechanism, ...]:
        """Confine this process to its memory, its open descriptors, and reading beneath `readable`.

        Called when everything is imported and no second thread runs: on some systems a thread that runs already
        would stay outside.

        Returns:
            Every means that this system could have, with those that are missing: an old kernel is no reason not
            to read, and none to be silent.
        """
        ...
