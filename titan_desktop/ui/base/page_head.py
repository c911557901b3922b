"""The head of a page that stands in place of the conversation: its title, and the way back."""

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from titan_desktop.ui.base.theme import Theme

PAGE_WIDTH_MAX = 880
"""A page's column is no wider: a line longer than this is hard to read."""


class PageHead(QWidget):
    """A title and a button that closes the page."""

    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = QLabel(self)
        self._title.setObjectName("pageTitle")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._close = QToolButton(self)
        self._close.setIconSize(QSize(16, 16))
        self._close.clicked.connect(self.closed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._title, 1)
        row.addWidget(self._close)
        theme.changed.connect(self._draw_icon)
        self._draw_icon()
        self._retranslate()

    def set_title(self, text: str) -> None:
        """Show a title."""
        self._title.setText(text)

    def _draw_icon(self) -> None:
        self._close.setIcon(self._theme.icon("close"))

    def _retranslate(self) -> None:
        words = self.tr("Back to the conversation (Esc)")
        self._close.setToolTip(words)
        self._close.setAccessibleName(words)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
