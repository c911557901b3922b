"""The progress of reading files, counted from events. Independent of bus and widgets."""

UNSURE_S = 5.0
"""A number that the core has said is asked for again when nothing has come of it for so long."""
QUIET_S = 60.0
"""A published file without an outcome for this long counts as done: its event was dead-lettered."""


class ReadingProgress:
    """Files seen and files processed since the last idle time."""

    def __init__(self) -> None:
        self._pending: set[str] = set()
        self._unnamed = 0
        self._done = 0
        self._last_step_s = 0.0

    def waiting(self, count: int, now_s: float) -> None:
        """The core says how many files it has still to read: those too that were seen before this window was."""
        self._unnamed = max(0, count - len(self._pending))
        self._last_step_s = now_s

    def asked(self, now_s: float) -> None:
        """The core is asked how many wait: not again before it has had time to answer."""
        self._last_step_s = now_s

    def seen(self, path: str, now_s: float) -> None:
        """A file is going to be read."""
        self._pending.add(path)
        self._last_step_s = now_s

    def dealt_with(self, path: str, now_s: float) -> None:
        """A file has been read, or could not be."""
        if path in self._pending:
            self._pending.remove(path)
        else:
            self._unnamed = max(0, self._unnamed - 1)
        self._done += 1
        self._last_step_s = now_s

    def is_unsure(self, now_s: float) -> bool:
        """Whether only files are left of which no more than their number was said, and nothing has happened."""
        return bool(self._unnamed) and not self._pending and now_s - self._last_step_s > UNSURE_S

    def figures(self, now_s: float) -> tuple[int, int]:
        """Return (done, total); (0, 0) when idle."""
        left = len(self._pending) + self._unnamed
        if not left or now_s - self._last_step_s > QUIET_S:
            self._pending.clear()
            self._done = self._unnamed = 0
            return 0, 0
        return self._done, self._done + left
