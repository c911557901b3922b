"""How a fact looks: two lines of what it says, and one of where it is from and since when it is so."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from titan_desktop.contracts.memory import Fact
from titan_desktop.ui.base import list_row
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.base.theme import Theme
from titan_desktop.ui.memory.facts_model import DETAILS_ROLE, FACT_ROLE

_PADDING = 12
_ABOVE = 8
_GAP = 3
_PIN = 16
_LINES = 2


class FactDelegate(QStyledItemDelegate):
    """Draws a fact. All rows have one height."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._draw_pin()
        theme.changed.connect(self._draw_pin)

    def _draw_pin(self) -> None:
        self._pin = self._theme.icon("pin")

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Two lines and the small one below them, whatever the fact says."""
        details = QFontMetrics(list_row.heading_font(option.font)).height()
        return QSize(80, 2 * _ABOVE + _LINES * option.fontMetrics.height() + _GAP + details + 2)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one row."""
        fact = index.data(FACT_ROLE)
        if not isinstance(fact, Fact):
            return
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        list_row.paint_ground(painter, option, rect)
        colours = Colours.of(option.palette)
        area = rect.adjusted(_PADDING, _ABOVE, -_PADDING, -_ABOVE)
        text = area.adjusted(0, 0, -(_PIN + 8) if fact.pinned else 0, 0)
        if fact.pinned:
            self._pin.paint(painter, QRect(area.right() - _PIN, area.top(), _PIN, _PIN))
        painter.setFont(option.font)
        painter.setPen(QColor(colours.text))
        said, line = str(index.data()), painter.fontMetrics().height()
        if painter.fontMetrics().horizontalAdvance(said) < text.width():  # one line stands in the middle
            text.adjust(0, line // 2, 0, 0)
            area.adjust(0, 0, 0, -(line // 2))
        list_row.paint_lines(painter, text, said, (), QColor(colours.mark), _LINES)
        small = list_row.heading_font(option.font)
        small.setWeight(QFont.Weight.Normal)
        painter.setFont(small)
        painter.setPen(QColor(colours.muted))
        details = painter.fontMetrics().elidedText(
            str(index.data(DETAILS_ROLE)), Qt.TextElideMode.ElideMiddle, area.width()
        )
        painter.drawText(area, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, details)
        painter.restore()
