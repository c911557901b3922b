"""A sentence beside a message's text, about its state or in small print, selected and copied as the text is."""

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLabel, QWidget

from titan_desktop.client import foreign


class Caption(QLabel):
    """A label whose keys and menu are the list's: Qt's own would copy what is selected here alone."""

    drag_began = Signal()
    """The left button went down on it."""
    menu_requested = Signal(QPoint)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def setText(self, text: str) -> None:
        """Show a sentence: a server's own words may be in it."""
        super().setText(foreign.sentence(text))

    def select_nothing(self) -> None:
        """Take the selection away."""
        if self.hasSelectedText():
            self.setSelection(0, 0)

    def event(self, event: QEvent) -> bool:
        """Leave Ctrl+C to the list."""
        if event.type() is QEvent.Type.ShortcutOverride:
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """All keys belong to the list."""
        event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Say that a selection may begin here."""
        if event.button() is Qt.MouseButton.LeftButton:
            self.drag_began.emit()
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A selection of a word begins."""
        self.drag_began.emit()
        super().mouseDoubleClickEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The message's menu, in place of the label's own."""
        self.menu_requested.emit(event.globalPos())
