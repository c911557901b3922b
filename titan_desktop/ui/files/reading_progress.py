"""The progress of reading files, counted from events. Independent of bus and widgets."""

QUIET_S = 60.0
"""A published file without an outcome for this long counts as done: its event was dead-lettered."""


class ReadingProgress:
    """Files seen and files processed since the last idle time."""

    def __init__(self) -> None:
        self._pending: set[str] = set()
        self._done = 0
        self._last_step_s = 0.0

    def seen(self, path: str, now_s: float) -> None:
        """A file is going to be read."""
        self._pending.add(path)
        self._last_step_s = now_s

    def dealt_with(self, path: str, now_s: float) -> None:
        """A file has been read, or could not be."""
        self._pending.discard(path)
        self._done += 1
        self._last_step_s = now_s

    def figures(self, now_s: float) -> tuple[int, int]:
        """Return (done, total); (0, 0) when idle."""
        if not self._pending or now_s - self._last_step_s > QUIET_S:
            self._pending.clear()
            self._done = 0
            return 0, 0
        return self._done, self._done + len(self._pending)
