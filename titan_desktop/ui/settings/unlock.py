"""Asks for the password of the keys' file, once a start: the core says that a key is locked."""

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from titan_desktop.client import key_socket, problems
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.system.paths import Paths
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.base.theme import set_tone
from titan_desktop.ui.base.translator import language
from titan_desktop.ui.settings.dialog_height import grow


class UnlockDialog(QDialog):
    """One password. Window-modal, opened with `open()`."""

    given = Signal(str)
    """A password that is to be tried; `accept` or `complain` answers it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._about = QLabel(self)
        self._about.setWordWrap(True)
        self.password = QLineEdit(self)
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self._trouble = QLabel(self)
        self._trouble.setProperty("tone", "danger")
        self._trouble.setWordWrap(True)
        self._trouble.hide()
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.unlock_button = self._buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        set_tone(self.unlock_button, "primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        for part in (self._about, self.password, self._trouble, self._buttons):
            column.addWidget(part)
        self.setMinimumWidth(420)
        self._buttons.accepted.connect(self._give)
        self._buttons.rejected.connect(self.reject)
        self.password.textEdited.connect(lambda: self.complain(""))
        self.complain("")
        self._retranslate()

    def _give(self) -> None:
        self.unlock_button.setEnabled(False)
        self.given.emit(self.password.text())

    def complain(self, sentence: str) -> None:
        """Show why the keys are still locked, and let the person try again."""
        self._trouble.setText(sentence)
        self._trouble.setVisible(bool(sentence))
        self.unlock_button.setEnabled(bool(self.password.text()))
        set_tone(self.password, "danger" if sentence else "")
        self.password.setAccessibleDescription(sentence)
        if sentence:
            self.password.setFocus()
            self.password.selectAll()
        grow(self)

    def _retranslate(self) -> None:
        self.setWindowTitle(self.tr("Unlock the key"))
        self._about.setText(
            self.tr(
                "Your password protects the model's key. Without it, answers are passages from your files."
            )
        )
        self.password.setAccessibleName(self.tr("Password"))
        self.unlock_button.setText(self.tr("Unlock"))
        self._buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(self.tr("Not now"))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()


class UnlockPresenter(QObject):
    """Opens the dialog and gives the password to the core, which says by its status that the key is there.

    Args:
        paths: where the core listens.
    """

    refused = Signal()
    """The keys are still locked, and the dialog says why."""

    def __init__(self, paths: Paths, window: QWidget, tasks: Tasks) -> None:
        super().__init__(window)
        self._paths = paths
        self._window = window
        self._tasks = tasks
        self._dialog: UnlockDialog | None = None

    def open(self) -> None:
        """Open the dialog, or bring the open one to the front."""
        if self._dialog is None:
            dialog = UnlockDialog(self._window)
            dialog.given.connect(lambda password: self._tasks.start(self._unlock(password), "unlock"))
            dialog.finished.connect(self._on_finished)
            self._dialog = dialog
            dialog.open()
        self._dialog.activateWindow()

    def _on_finished(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None

    async def _unlock(self, password: str) -> None:
        try:
            outcome = await key_socket.give(self._paths, key_socket.Unlock(password))
        except OSError:
            sentence = self.tr("Titan is still starting. Try again in a moment.")
        else:
            sentence = self._sentence(outcome)
        if self._dialog is None:
            return
        if sentence:
            self._dialog.complain(sentence)
            self.refused.emit()
        else:
            self._dialog.accept()

    def _sentence(self, outcome: key_socket.Outcome) -> str:
        match outcome:
            case key_socket.Outcome.DONE:
                return ""
            case key_socket.Outcome.WRONG_PASSWORD:
                return self.tr("This is not the password.")
        damaged = Problem(Code.KEYS_DAMAGED, {"path": str(self._paths.key_file)})
        return problems.say(language(), damaged)
