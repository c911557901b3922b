"""The strip above the conversation for problems, and the status line below it."""

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from titan_desktop.client import foreign
from titan_desktop.ui.base.theme import Theme, set_tone


class Banner(QFrame):
    """One sentence with at most one action, which the person can dismiss."""

    action_requested = Signal()
    closed = Signal()
    focus_left = Signal()
    """It went away with the keyboard's focus on it, which Qt would give to whatever comes next."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._theme = theme
        self._said = ("", "", "")
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._action = QPushButton(self)
        self._close = QToolButton(self)
        self._close.setIconSize(QSize(16, 16))
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 6, 8, 6)
        row.setSpacing(12)
        row.addWidget(self._text, 1)
        row.addWidget(self._action)
        row.addWidget(self._close)
        self._action.clicked.connect(self.action_requested)
        self._close.clicked.connect(self._put_away)
        theme.changed.connect(self._draw_icons)
        self._draw_icons()
        self._retranslate()
        self.hide()

    @property
    def text(self) -> str:
        """The shown sentence, "" while hidden."""
        return "" if self.isHidden() else self._text.text()

    def say(self, text: str, tone: str = "info", action: str = "") -> None:
        """Show a sentence.

        Args:
            text: the sentence; "" hides the strip.
            tone: "info", "warning" or "danger".
            action: the text of the button; "" for no button.
        """
        if (text, tone, action) == self._said and self.text == text:
            return
        self._said = (text, tone, action)
        focused = self.window().focusWidget()
        self._text.setText(foreign.sentence(text))
        self._action.setText(action)
        self._action.setVisible(bool(action))
        set_tone(self, tone)
        self.setVisible(bool(text))
        self.setAccessibleName(text)
        self._pass_on(focused)

    def _put_away(self) -> None:
        focused = self.window().focusWidget()
        self.hide()
        self.closed.emit()
        self._pass_on(focused)

    def _pass_on(self, focused: QWidget | None) -> None:
        if focused and self.isAncestorOf(focused) and not focused.isVisibleTo(self.window()):
            self.focus_left.emit()

    def _draw_icons(self) -> None:
        self._close.setIcon(self._theme.icon("close"))

    def _retranslate(self) -> None:
        words = self.tr("Put this message away")
        self._close.setToolTip(words)
        self._close.setAccessibleName(words)

    def changeEvent(self, event: QEvent) -> None:
        """Update the texts when the language changes."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()


class StatusLine(QFrame):
    """The progress of reading files, and the number of files that could not be read."""

    failures_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusLine")
        self._activity = QLabel(self)
        self._meaning = QLabel(self)
        for label in (self._activity, self._meaning):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self._meaning.hide()
        self._failures = QPushButton(self)
        self._failures.hide()
        row = QHBoxLayout()
        row.addWidget(self._activity, 1)
        row.addWidget(self._failures)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 4, 16, 4)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self._meaning)
        self._failures.clicked.connect(self.failures_requested)

    @property
    def activity(self) -> str:
        """The shown activity."""
        return self._activity.text()

    @property
    def failures(self) -> str:
        """The text of the button, "" while hidden."""
        return "" if self._failures.isHidden() else self._failures.text()

    @property
    def meaning(self) -> str:
        """How far the index by meaning is, "" when nothing is said of it."""
        return self._meaning.text()

    def set_activity(self, text: str, meaning: str = "") -> None:
        """Show how far the reading is, and below it the index by meaning; "" for nothing to say of that."""
        self._activity.setText(text)
        self._meaning.setText(meaning)
        self._meaning.setVisible(bool(meaning))

    def set_failures(self, text: str) -> None:
        """Show the button for files that could not be read; "" hides it."""
        self._failures.setText(text)
        self._failures.setVisible(bool(text))
