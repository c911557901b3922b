"""The strip above the conversation that says what is wrong, and the line below that says what goes on."""

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from titan_desktop.ui.base.theme import Theme, set_tone


class Banner(QFrame):
    """One sentence, with at most one thing to do about it, that can be put away."""

    action_requested = Signal()
    closed = Signal()

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
        """What it says, "" while it is away."""
        return "" if self.isHidden() else self._text.text()

    def say(self, text: str, tone: str = "info", action: str = "") -> None:
        """Show a sentence.

        Args:
            text: the sentence; "" takes the strip away.
            tone: "info", "warning" or "danger".
            action: what the button says; "" for no button.
        """
        if (text, tone, action) == self._said and self.text == text:
            return
        self._said = (text, tone, action)
        self._text.setText(text)
        self._action.setText(action)
        self._action.setVisible(bool(action))
        set_tone(self, tone)
        self.setVisible(bool(text))
        self.setAccessibleName(text)

    def _put_away(self) -> None:
        self.hide()
        self.closed.emit()

    def _draw_icons(self) -> None:
        self._close.setIcon(self._theme.icon("close"))

    def _retranslate(self) -> None:
        words = self.tr("Put this message away")
        self._close.setToolTip(words)
        self._close.setAccessibleName(words)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()


class StatusLine(QFrame):
    """How far the reading of files is, and how many could not be read."""

    failures_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusLine")
        self._activity = QLabel(self)
        self._activity.setTextFormat(Qt.TextFormat.PlainText)
        self._failures = QPushButton(self)
        self._failures.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 4, 16, 4)
        row.addWidget(self._activity, 1)
        row.addWidget(self._failures)
        self._failures.clicked.connect(self.failures_requested)

    @property
    def activity(self) -> str:
        """What goes on, as shown."""
        return self._activity.text()

    @property
    def failures(self) -> str:
        """What the button says, "" while there is none."""
        return "" if self._failures.isHidden() else self._failures.text()

    def set_activity(self, text: str) -> None:
        """Say what goes on."""
        self._activity.setText(text)

    def set_failures(self, text: str) -> None:
        """Offer the list of files that could not be read; "" takes the offer away."""
        self._failures.setText(text)
        self._failures.setVisible(bool(text))
