"""Confines the process that calls it, before it meets a foreign byte: one adapter a system."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from titan_desktop.contracts.security import Mechanism


class Sandbox(Protocol):
    """Takes from a process what a parser does not need. There is no way back."""

    def close(self, readable: Sequence[Path]) -> tuple[Mechanism, ...]:
        """Leave this process its memory, its open descriptors, and reading beneath `readable`; nothing else.

        Called when everything is imported and no second thread runs: on some systems a thread that runs already
        would stay outside.

        Returns:
            Every means that this system could have, with those that are missing: an old kernel is no reason not
            to read, and none to be silent.
        """
        ...
