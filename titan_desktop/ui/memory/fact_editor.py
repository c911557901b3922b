"""A small window in which a fact is written or corrected. It keeps what was typed until the core has taken it."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from titan_desktop.client import foreign, sizes
from titan_desktop.contracts.memory import TEXT_BYTES_MAX, Fact
from titan_desktop.ui.base.theme import set_tone
from titan_desktop.ui.base.translator import language

_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class FactEditor(QDialog):
    """Writes one fact.

    Args:
        fact: the one that is corrected, None for a new one.
        parent: the window.
    """

    submitted = Signal(str)
    """With the sentence; the window stays until `close` or `complain`."""

    def __init__(self, fact: Fact | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._fact = fact
        self._about = QLabel(self)
        self._about.setWordWrap(True)
        self.edit = QPlainTextEdit(self)
        self.edit.setObjectName("details")
        self.edit.setTabChangesFocus(True)
        self.edit.setFixedHeight(6 * self.edit.fontMetrics().height())
        self.edit.setPlainText("" if fact is None else foreign.text(fact.text))
        self.edit.selectAll()
        self.edit.installEventFilter(self)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.save = QPushButton(self)
        self.save.setDefault(True)
        set_tone(self.save, "primary")
        self._buttons.addButton(self.save, QDialogButtonBox.ButtonRole.AcceptRole)
        self._buttons.accepted.connect(self._submit)
        self._buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(self._about)
        column.addWidget(self.edit)
        column.addWidget(self._buttons)
        self.setMinimumWidth(440)
        self._retranslate()

    @property
    def about(self) -> str:
        """What is said above the text."""
        return self._about.text()

    def complain(self, sentence: str) -> None:
        """Say why it was not taken; what was typed stays."""
        set_tone(self._about, "danger")
        self._about.setText(foreign.sentence(sentence))
        self.save.setEnabled(True)
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def tell(self, sentence: str) -> None:
        """Say something above the text."""
        set_tone(self._about, "muted")
        self._about.setText(foreign.sentence(sentence))

    def _submit(self) -> None:
        text = self.edit.toPlainText().strip()
        if not text or (self._fact is not None and text == self._fact.text.strip()):
            self.reject()
        elif (length := len(text.encode())) > TEXT_BYTES_MAX:
            said, most = sizes.beside(language(), length, TEXT_BYTES_MAX)
            self.complain(
                self.tr("A fact has at most {most}, this has {length}.").format(most=most, length=said)
            )
        else:
            self.save.setEnabled(False)
            self.submitted.emit(text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter saves, with Shift it begins a line."""
        if watched is not self.edit or event.type() is not QEvent.Type.KeyPress:
            return False
        if not isinstance(event, QKeyEvent) or event.key() not in _ENTER:
            return False
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            return False
        if self.save.isEnabled():
            self._submit()
        return True

    def _retranslate(self) -> None:
        if self._fact is None:
            self.setWindowTitle(self.tr("New fact"))
            about = self.tr("A sentence about you or your world, as you would say it. It holds at once.")
            self.save.setText(self.tr("Remember"))
        else:
            self.setWindowTitle(self.tr("Correct a fact"))
            about = self.tr(
                "What it should have said all along. "
                "If it was true and no longer is, choose “No longer so” instead."
            )
            self.save.setText(self.tr("Correct"))
        set_tone(self._about, "muted")
        self._about.setText(about)
        self.edit.setAccessibleName(self.windowTitle())

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
