"""The list of a page with the field above it, and the keys that the two share.

Whoever types goes on typing, wherever the keyboard is; Down leads into the list, Up from its first row back.
"""

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QListView, QWidget

ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
_TO_LIST = frozenset({Qt.Key.Key_Down, Qt.Key.Key_PageDown})


class PageList(QListView):
    """A list whose letters belong to a field."""

    entered = Signal(bool)
    """Enter was pressed; with True Ctrl was held."""
    typed = Signal(str)
    """The person goes on typing: the field is meant."""
    left_upwards = Signal()
    """Up was pressed on the first row that can be chosen."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)

    def first(self) -> QModelIndex:
        """The first row that can be chosen, invalid when there is none."""
        model = self.model()
        for row in range(0 if model is None else model.rowCount()):
            index = model.index(row, 0)
            if index.flags() & Qt.ItemFlag.ItemIsSelectable:
                return index
        return QModelIndex()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter, Up on the first row and letters are said; Esc is the page's."""
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() in ENTER:
            self.entered.emit(control)
        elif event.key() == Qt.Key.Key_Up and self.currentIndex() == self.first():
            self.left_upwards.emit()
        elif not control and event.text().isprintable() and event.text().strip():
            self.typed.emit(event.text())
        elif event.key() == Qt.Key.Key_Escape:
            event.ignore()
        else:
            super().keyPressEvent(event)


class FieldAbove(QObject):
    """Joins a field with the list beneath it.

    Args:
        field: where the person types.
        rows: the list; it takes the keyboard while it is visible.
    """

    entered = Signal(bool)
    """Enter was pressed in the field; with True Ctrl was held."""

    def __init__(self, field: QLineEdit, rows: PageList, parent: QObject) -> None:
        super().__init__(parent)
        self._field = field
        self._rows = rows
        field.installEventFilter(self)
        rows.typed.connect(self._type)
        rows.left_upwards.connect(self.focus)

    def focus(self) -> None:
        """Let the person type; what stands in the field is selected."""
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._field.selectAll()

    def _type(self, text: str) -> None:
        self._field.setFocus(Qt.FocusReason.OtherFocusReason)
        self._field.deselect()
        self._field.end(False)
        self._field.insert(text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """In the field: Down goes to the list, Enter is said."""
        if watched is not self._field or not isinstance(event, QKeyEvent):
            return False
        if event.type() is not QEvent.Type.KeyPress:
            return False
        if event.key() in ENTER:
            self.entered.emit(bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
            return True
        if event.key() in _TO_LIST and self._rows.isVisible():
            self._rows.setFocus(Qt.FocusReason.TabFocusReason)
            return True
        return False
