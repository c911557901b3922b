"""What stands in the middle while a conversation is empty: what Titan is, where it looks, what one could ask."""

from collections.abc import Sequence
from pathlib import PurePath

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from titan_desktop.ui.base.tooltip import tip
from titan_desktop.ui.chat.sentences import folder_list

_WIDTH_MAX = 560
_EXAMPLE_PADDING = 36
"""Pixels left and right of the words, with the frame, as style.qss has them."""


class ExampleButton(QPushButton):
    """A question to click, shortened where the window is narrow."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.question = ""
        self.setProperty("tone", "example")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_question(self, question: str) -> None:
        """Offer another question."""
        self.question = question
        self.setAccessibleName(question)
        self._shorten()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as there is room for."""
        super().resizeEvent(event)
        self._shorten()

    def _shorten(self) -> None:
        room = self.width() - _EXAMPLE_PADDING
        shown = self.fontMetrics().elidedText(self.question, Qt.TextElideMode.ElideRight, room)
        self.setText(shown.replace("&", "&&"))
        self.setToolTip("" if shown == self.question else self.question)


class StartScreen(QScrollArea):
    """A friendly beginning. Scrolls when the window is low."""

    example_chosen = Signal(str)

    def __init__(self, folders: Sequence[str | PurePath], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._folders = tuple(folders)
        self._title = QLabel(self)
        self._title.setObjectName("startTitle")
        self._about = QLabel(self)
        self._where = QLabel(self)
        self._try = QLabel(self)
        self._examples = [ExampleButton(self) for _ in range(3)]
        self._lay_out()
        self._retranslate()

    def set_folders(self, folders: Sequence[str]) -> None:
        """The paths of the folders that Titan reads: one that it may not read is not among them."""
        self._folders = tuple(folders)
        self._retranslate()

    def _lay_out(self) -> None:
        for label in (self._title, self._about, self._where, self._try):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        for label in (self._where, self._try):
            label.setProperty("tone", "muted")
        page = QWidget(self)
        page.setObjectName("page")
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(self._title)
        column.addWidget(self._about)
        column.addWidget(self._where)
        column.addSpacing(16)
        column.addWidget(self._try)
        for example in self._examples:
            example.clicked.connect(lambda _=False, button=example: self.example_chosen.emit(button.question))
            column.addWidget(example)
        column.addStretch(2)
        body = QWidget(page)
        body.setMaximumWidth(_WIDTH_MAX)
        body.setLayout(column)
        row = QHBoxLayout(page)
        row.setContentsMargins(24, 16, 24, 16)
        row.addStretch(1)
        row.addWidget(body, 1000)
        row.addStretch(1)
        self.setWidget(page)

    def _retranslate(self) -> None:
        self._title.setText(self.tr("Ask about your files"))
        self._about.setText(
            self.tr("Titan reads your documents and answers from them, naming the file and the passage.")
        )
        self._where.setText(
            self.tr("It reads these folders and nothing else: {folders}.").format(
                folders=folder_list(self._folders)
            )
        )
        self._where.setVisible(bool(self._folders))
        self._where.setToolTip(tip("\n".join(map(str, self._folders))))
        self._try.setText(self.tr("Try one of these, or write your own question below."))
        for button, words in zip(
            self._examples,
            (
                self.tr("What is the deposit in my rental agreement?"),
                self.tr("Show me the contract as PDF"),
                self.tr("Which invoices are due this month?"),
            ),
            strict=True,
        ):
            button.set_question(words)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
