"""Keeps the person's input between the first paint and the session, and emits it in order later."""

from typing import Any

from titan_desktop.ui.shell.main_window import MainWindow


class EarlyInput:
    """Receives a window's signals in place of presenters that are still being imported."""

    def __init__(self, window: MainWindow) -> None:
        self._submitted = window.chat.prompt_submitted
        self._made: list[tuple[Any, tuple[object, ...]]] = []
        self._listening = []
        for signal in (
            self._submitted,
            window.new_requested,
            window.search_requested,
            window.memory_requested,
            window.settings_requested,
            window.failures_requested,
        ):
            listener = self._listener(signal)
            signal.connect(listener)
            self._listening.append((signal, listener))

    def _listener(self, signal: Any) -> Any:
        return lambda *values: self._made.append((signal, values))

    @property
    def questions(self) -> tuple[str, ...]:
        """The questions so far, oldest first."""
        return tuple(str(values[0]) for signal, values in self._made if signal is self._submitted)

    def replay(self) -> None:
        """Emit everything again, now that the presenters are connected, and stop listening."""
        for signal, listener in self._listening:
            signal.disconnect(listener)
        self._listening.clear()
        made, self._made = self._made, []
        for signal, values in made:
            signal.emit(*values)
