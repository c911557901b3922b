"""How a conversation looks in the list on the left, and the keys that the list itself knows."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from titan_desktop.ui.base import list_row
from titan_desktop.ui.conversations.model import ID_ROLE

_ROW_HEIGHT = 36
_PADDING = 12


class ConversationDelegate(QStyledItemDelegate):
    """Draws a conversation, or the heading of a group."""

    editing_changed = Signal(bool)
    """Whether a title is being edited."""

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        """Qt's own field."""
        self.editing_changed.emit(True)
        return super().createEditor(parent, option, index)

    def destroyEditor(self, editor: QWidget, index: QModelIndex | QPersistentModelIndex) -> None:
        """Qt calls it however the editing ends."""
        super().destroyEditor(editor, index)
        self.editing_changed.emit(False)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: ARG002  # Qt's signature
        """All rows have one height; the list asks for the first one's."""
        return QSize(80, max(_ROW_HEIGHT, option.fontMetrics.height() + 16))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """A heading, or the title on its rounded background."""
        rect: QRect = option.rect
        palette: QPalette = option.palette
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inner = rect.adjusted(_PADDING, 0, -_PADDING, 0)
        title = str(index.data() or "")
        if index.data(ID_ROLE):
            list_row.paint_ground(painter, option, rect)
            painter.setPen(palette.color(QPalette.ColorRole.Text))
            place = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            shown = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, inner.width())
            painter.drawText(inner, place, shown)
        else:
            list_row.paint_heading(painter, option, inner, title)
        painter.restore()

    def updateEditorGeometry(
        self,
        editor: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,  # noqa: ARG002  # Qt's signature
    ) -> None:
        """Put the title's editor over the title."""
        rect: QRect = option.rect
        editor.setGeometry(rect.adjusted(2, 2, -2, -2))


class ConversationList(QListView):
    """The list, with the keys F2 and Del."""

    delete_pressed = Signal()
    editing_changed = Signal(bool)
    """Whether a title is being edited."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("conversations")
        delegate = ConversationDelegate(self)
        delegate.editing_changed.connect(self.editing_changed)
        self.setItemDelegate(delegate)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setUniformItemSizes(True)  # thousands of rows are laid out at every change
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete on Del (and Backspace, as on a Mac)."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_pressed.emit()
            return
        super().keyPressEvent(event)
