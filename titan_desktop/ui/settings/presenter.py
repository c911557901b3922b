"""The settings: opens the dialog, saves what was chosen, and tells everybody."""

import asyncio
import contextlib
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from titan_bus import BusError
from titan_desktop import settings as settings_file
from titan_desktop.contracts import system
from titan_desktop.settings import Settings
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.settings import key_store
from titan_desktop.ui.settings.dialog import Choice, SettingsDialog


class SettingsPresenter(QObject):
    """Owns the settings in force.

    Args:
        path: the settings file.
        settings: as read at the start, without the environment laid over them.
    """

    appearance_changed = Signal(str, str)
    """Language and theme, to be put on at once."""
    saved = Signal()
    editing_changed = Signal(bool)
    """Whether the dialog is open."""
    complained = Signal()
    """Something could not be saved, and the dialog says why."""

    def __init__(self, path: Path, settings: Settings, window: QWidget, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(window)
        self._path = path
        self._settings = settings
        self._window = window
        self._bridge = bridge
        self._tasks = tasks
        self._dialog: SettingsDialog | None = None

    def open(self) -> None:
        """Open the dialog, or bring the open one to the front."""
        if self._dialog is None:
            dialog = SettingsDialog(self._settings, self._window)
            dialog.appearance_changed.connect(self.appearance_changed)
            dialog.chosen.connect(lambda choice: self._tasks.start(self._save(choice), "save settings"))
            dialog.finished.connect(self._on_finished)
            self._dialog = dialog
            self.editing_changed.emit(True)
            dialog.open()
        self._dialog.activateWindow()

    def open_model(self) -> None:
        """Open the dialog where a model is connected."""
        self.open()
        if self._dialog is not None:
            self._dialog.show_model()

    def _on_finished(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None
            self.editing_changed.emit(False)

    async def _save(self, choice: Choice) -> None:
        """Save the file, then the key, then say it: the core must find both when it hears of them."""
        try:
            await asyncio.to_thread(settings_file.save, self._path, choice.settings)
        except OSError as error:
            self._complain(
                self.tr("The settings could not be saved: {reason}.").format(reason=error.strerror)
            )
            return
        self._settings = choice.settings
        if choice.key and (complaint := await key_store.store_key(choice.key)):
            self._complain(complaint)
        elif self._dialog is not None:
            self._dialog.finish(choice.settings)
        with contextlib.suppress(BusError):  # a core that is not there reads them when it starts
            await self._bridge.send(system.ReadSettings())
        self.saved.emit()

    def _complain(self, sentence: str) -> None:
        if self._dialog is not None:
            self._dialog.complain(sentence)
        self.complained.emit()
