"""Logs a trouble that lasts: when it begins, becomes another one, and is over; never at each try."""

import logging


class Outage:
    """What one loop has logged of its trouble.

    Args:
        log: where to.
        what: what the loop does, the beginning of each line: `files: scan`.
    """

    def __init__(self, log: logging.Logger, what: str) -> None:
        self._log = log
        self._what = what
        self._said = ""

    def begins(self, error: Exception, *, foreseen: bool) -> None:
        """Note a failure. One that nobody foresaw is our own bug, and comes with its traceback.

        What is foreseen is told by its kind alone: the words of a server that restarts change from try to try.
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
        """Note a success."""
        if self._said:
            self._said = ""
            self._log.info("%s goes on", self._what)
