"""The settings: opens the dialog, saves what was chosen, and tells everybody."""

import asyncio
import contextlib
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from titan_bus import BusError
from titan_desktop import settings as settings_file
from titan_desktop.contracts import system
from titan_desktop.settings import FolderSettings, Settings
from titan_desktop.system.paths import Paths
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.settings import key_store
from titan_desktop.ui.settings.dialog import Choice, SettingsDialog
from titan_desktop.ui.settings.folder_consent import FolderConsent


class SettingsPresenter(QObject):
    """Owns the settings in force.

    Args:
        paths: where the settings file is, and the core that takes keys.
        settings: as read at the start, without the environment laid over them.
    """

    appearance_changed = Signal(str, str)
    """Language and theme, to be put on at once."""
    saved = Signal()
    editing_changed = Signal(bool)
    """Whether the dialog is open."""
    complained = Signal()
    """Something could not be saved, and the dialog says why."""
    failed = Signal(str)
    """Something could not be saved while no dialog is open, and why."""

    def __init__(
        self, paths: Paths, settings: Settings, window: QWidget, bridge: Bridge, tasks: Tasks
    ) -> None:
        super().__init__(window)
        self._paths = paths
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

    def ask_for_folder(self, path: str, real: str) -> None:
        """Ask whether a folder that is refused shall be read, and on a yes let exactly that one be read."""
        question = FolderConsent(path, real, self._window)
        question.given.connect(lambda: self._tasks.start(self._allow(real), "allow a folder"))
        question.open()

    async def _allow(self, folder: str) -> None:
        def add() -> FolderSettings:
            chosen = settings_file.load(self._paths.settings_file, {})  # somebody may have written into it
            folders = tuple(dict.fromkeys((*chosen.folders.allowed, folder)))
            allowed = msgspec.structs.replace(chosen.folders, allowed=folders)
            settings_file.save(self._paths.settings_file, msgspec.structs.replace(chosen, folders=allowed))
            return allowed

        try:
            allowed = await asyncio.to_thread(add)
        except (OSError, settings_file.SettingsError) as error:
            self.failed.emit(self._not_saved(error))
            return
        self._settings = msgspec.structs.replace(self._settings, folders=allowed)
        with contextlib.suppress(BusError):  # a core that is not there reads it when it starts
            await self._bridge.send(system.ReadSettings())
        self.saved.emit()

    def _not_saved(self, error: OSError | settings_file.SettingsError) -> str:
        reason = error.strerror if isinstance(error, OSError) else error.reason
        return self.tr("The settings could not be saved: {reason}.").format(reason=reason)

    async def _save(self, choice: Choice) -> None:
        """Save all or nothing, then say it: the core must find file and key when it hears of them."""
        path = self._paths.settings_file
        try:
            chosen = await asyncio.to_thread(_with_what_is_not_shown, choice.settings, path)
            fresh = await asyncio.to_thread(settings_file.prepare, path, chosen)
            try:
                refusal = await key_store.keep(choice.key, self._paths) if choice.key else None
                if refusal is None:
                    await asyncio.to_thread(fresh.take_place)
            finally:
                await asyncio.to_thread(fresh.discard)
        except OSError as error:
            self._complain(self._not_saved(error))
            return
        if refusal is not None:
            if self._dialog is not None:
                self._dialog.refuse_key(refusal)
            self.complained.emit()
            return
        self._settings = chosen
        if self._dialog is not None:
            self._dialog.finish(chosen)
        with contextlib.suppress(BusError):  # a core that is not there reads them when it starts
            await self._bridge.send(system.ReadSettings())
        self.saved.emit()

    def _complain(self, sentence: str) -> None:
        if self._dialog is not None:
            self._dialog.complain(sentence)
        self.complained.emit()


def _with_what_is_not_shown(chosen: Settings, path: Path) -> Settings:
    """Return what was chosen, and of the file what the dialog does not show: a command may have written it."""
    try:
        there = settings_file.load(path, {})
    except settings_file.SettingsError:  # the choices that are saved now are its cure
        return chosen
    return msgspec.structs.replace(chosen, archive=there.archive, folders=there.folders, keys=there.keys)
