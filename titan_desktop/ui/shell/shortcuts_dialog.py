"""The overview of the keys."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget


class ShortcutsDialog(QDialog):
    """Keys and what they do, in a small window that does not block the other."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(32)
        self._grid.setVerticalSpacing(8)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self._buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(24)
        column.addLayout(self._grid)
        column.addWidget(self._buttons)
        self._retranslate()

    def _retranslate(self) -> None:
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        for row, (keys, words) in enumerate(self._keys()):
            key = QLabel(keys, self)
            key.setObjectName("heading")
            self._grid.addWidget(key, row, 0, Qt.AlignmentFlag.AlignLeft)
            self._grid.addWidget(QLabel(words, self), row, 1)

    def _keys(self) -> list[tuple[str, str]]:
        def native(keys: str) -> str:
            return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)

        return [
            (native("Enter"), self.tr("Send the question")),
            (native("Shift+Enter"), self.tr("New line")),
            (native("Esc"), self.tr("Stop the answer")),
            (native("Ctrl+N"), self.tr("New conversation")),
            (native("Ctrl+Shift+F"), self.tr("Search files and conversations")),
            (native("Ctrl+Shift+M"), self.tr("Memory")),
            (native("Ctrl+K"), self.tr("Find a conversation")),
            (native("Ctrl+L"), self.tr("Go to the question field")),
            (native("Tab"), self.tr("From message to message")),
            ("← ↑ → ↓", self.tr("To links, sources and buttons of the message")),
            (native("F2"), self.tr("Rename the conversation")),
            (native("Del"), self.tr("Delete the conversation")),
            (native("Ctrl+,"), self.tr("Settings")),
            (native("F1"), self.tr("This overview")),
            (native("Ctrl+Q"), self.tr("Quit")),
        ]

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
