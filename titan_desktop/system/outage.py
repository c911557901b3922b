"""Logs a lasting failure when it begins, changes and ends; not at each try."""

import logging


class Outage:
    """The failure that one loop has logged.

    Args:
        log: the logger.
        what: what the loop does, the beginning of each line: `files: scan`.
    """

    def __init__(self, log: logging.Logger, what: str) -> None:
        self._log = log
        self._what = what
        self._said = ""

    def begins(self, error: Exception, *, foreseen: bool) -> None:
        """Record a failure. An unforeseen one is a bug, and logged with its traceback.

        A foreseen one is compared by its type only: the text of a restarting server's errors changes from try to
        try.
        """
        kind = type(error).__name__ if foreseen else repr(error)
        if kind == self._said:
            return
        self._said = kind
        if foreseen:
            self._log.warning("%s waits: %s", self._what, error)
        else:
            self._log.error("%s failed and is tried again", self._what, exc_info=error)

    def ends(self) -> None:
        """Record a success."""
        if self._said:
            self._said = ""
            self._log.info("%s goes on", self._what)
