"""A passage in Titan itself, with its place: what the program of the file would have to be told, and cannot be."""

import re

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QTextEdit, QVBoxLayout, QWidget

from titan_desktop.client import foreign, sentences
from titan_desktop.contracts.sources import FilePassage
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.base.passage import marked_html
from titan_desktop.ui.base.theme import set_tone
from titan_desktop.ui.base.translator import language


class PassagePage(QWidget):
    """One passage of a file: where it stands, its text, and what can be done with the file."""

    open_requested = Signal(object)
    """With the passage: its file is to be opened."""
    folder_requested = Signal(object)
    left = Signal()
    """Back to the results."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._passage: FilePassage | None = None
        self._pattern: re.Pattern[str] | None = None
        self._title = QLabel(self)
        self._title.setObjectName("heading")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setWordWrap(True)
        self._hint = QLabel(self)
        self._hint.setProperty("tone", "muted")
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        self._hint.setWordWrap(True)
        self.text = QTextEdit(self)
        self.text.setObjectName("passage")
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.open_button = QPushButton(self)
        set_tone(self.open_button, "primary")
        self._folder = QPushButton(self)
        self._back = QPushButton(self)
        for button in (self.open_button, self._folder, self._back):
            button.setAutoDefault(True)
        self.open_button.clicked.connect(lambda: self.open_requested.emit(self._passage))
        self._folder.clicked.connect(lambda: self.folder_requested.emit(self._passage))
        self._back.clicked.connect(self.left)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.open_button)
        buttons.addWidget(self._folder)
        buttons.addStretch(1)
        buttons.addWidget(self._back)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 8)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self._hint)
        column.addWidget(self.text, 1)
        column.addLayout(buttons)

    def show_passage(self, passage: FilePassage, pattern: re.Pattern[str] | None) -> None:
        """Show this passage, with the words of the pattern marked; the keyboard is on "Open file"."""
        self._passage, self._pattern = passage, pattern
        self._fill()
        self.open_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _fill(self) -> None:
        if self._passage is None:
            return
        place = sentences.place(language(), self._passage)
        self._title.setText(foreign.sentence(sentences.titled(language(), self._passage)))
        self._hint.setText(
            self.tr("The program of this file opens it at its beginning. Look there for: {place}.").format(
                place=place
            )
        )
        colours = Colours.of(self.palette())
        text = foreign.text(self._passage.passage).strip("\n ")
        self.text.setHtml(marked_html(text, self._pattern, colours.mark))
        self.text.setAccessibleName(self.tr("Passage of {title}").format(title=self._title.text()))
        self.open_button.setText(self.tr("Open file"))
        self._folder.setText(self.tr("Show in folder"))
        self._back.setText(self.tr("Back to the results"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave on Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language and the palette."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.LanguageChange, QEvent.Type.PaletteChange):
            self._fill()
