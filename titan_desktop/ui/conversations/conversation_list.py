"""How a conversation looks in the list on the left, and the keys that the list itself knows."""

from datetime import UTC, datetime

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from titan_desktop.ui.conversations.model import USED_ROLE, Age, age_of

_ROW_HEIGHT = 36
_HEADING_HEIGHT = 32
_PADDING = 12


class ConversationDelegate(QStyledItemDelegate):
    """Draws a row, and above the first one of a group its heading: so the keyboard meets conversations only."""

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

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """A row, with room for the heading where one begins."""
        height = max(_ROW_HEIGHT, option.fontMetrics.height() + 16)
        return QSize(80, height + (_HEADING_HEIGHT if self._begins_group(index) else 0))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Heading, rounded ground, title."""
        rect = self._row_rect(option, index)
        palette: QPalette = option.palette
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._begins_group(index):
            self._paint_heading(painter, option, index)
        self._paint_ground(painter, option, rect)
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        inner = rect.adjusted(_PADDING, 0, -_PADDING, 0)
        title = str(index.data() or "")
        shown = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.restore()

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Put the title's editor over the title, beneath a heading."""
        editor.setGeometry(self._row_rect(option, index).adjusted(2, 2, -2, -2))

    def _paint_heading(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        rect: QRect = option.rect
        palette: QPalette = option.palette
        usual = painter.font()
        small = QFont(usual)
        small.setPointSizeF(usual.pointSizeF() * 0.88)
        small.setWeight(QFont.Weight.DemiBold)
        painter.setFont(small)
        painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
        heading = rect.adjusted(_PADDING, 0, -_PADDING, _HEADING_HEIGHT - rect.height() - 6)
        painter.drawText(
            heading, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, self._heading(index)
        )
        painter.setFont(usual)

    @staticmethod
    def _paint_ground(painter: QPainter, option: QStyleOptionViewItem, rect: QRect) -> None:
        state = option.state
        palette: QPalette = option.palette
        ground = rect.adjusted(0, 1, 0, -1)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.Mid))
            painter.drawRoundedRect(ground, 6, 6)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.Midlight))
            painter.drawRoundedRect(ground, 6, 6)
        if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
            pen = painter.pen()
            pen.setStyle(Qt.PenStyle.SolidLine)
            pen.setColor(palette.color(QPalette.ColorRole.Accent))
            pen.setWidth(2)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(ground.adjusted(1, 1, -1, -1), 6, 6)

    def _row_rect(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QRect:
        rect: QRect = option.rect
        return rect.adjusted(0, _HEADING_HEIGHT if self._begins_group(index) else 0, 0, 0)

    @staticmethod
    def _age(index: QModelIndex | QPersistentModelIndex) -> Age:
        return age_of(index.data(USED_ROLE), datetime.now(UTC).astimezone().date())

    def _begins_group(self, index: QModelIndex | QPersistentModelIndex) -> bool:
        if index.row() == 0:
            return True
        above = index.model().index(index.row() - 1, 0)
        return self._age(above) is not self._age(index)

    def _heading(self, index: QModelIndex | QPersistentModelIndex) -> str:
        match self._age(index):
            case Age.TODAY:
                return self.tr("Today")
            case Age.YESTERDAY:
                return self.tr("Yesterday")
            case Age.THIS_WEEK:
                return self.tr("Last 7 days")
            case Age.THIS_MONTH:
                return self.tr("Last 30 days")
            case _:
                return self.tr("Earlier")


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
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete on Del (and Backspace, as on a Mac)."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_pressed.emit()
            return
        super().keyPressEvent(event)
