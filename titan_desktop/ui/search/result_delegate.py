"""How a result looks: icon, name and place; where it lies and since when; two lines of its passage."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from titan_desktop.contracts.sources import FilePassage
from titan_desktop.ui.base import list_row
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.base.icons import file_icon, message_icon
from titan_desktop.ui.search.results import ROW_ROLE, Hit

_PADDING = 12
_ABOVE = 10
_GAP = 3
_ICON = 20
_INDENT = _ICON + 10
_HEADING = 34
_LINES = 2


class ResultDelegate(QStyledItemDelegate):
    """Draws a result or a heading."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """A heading is low, and every result has the same height: nothing moves when a passage is short."""
        if index.data(ROW_ROLE) is None:
            return QSize(80, _HEADING)
        line = option.fontMetrics.height()
        details = QFontMetrics(list_row.heading_font(option.font)).height()
        return QSize(80, 2 * _ABOVE + line + details + 2 * _GAP + _LINES * line + 2)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one row."""
        found: Hit | None = index.data(ROW_ROLE)
        rect: QRect = option.rect
        inner = rect.adjusted(_PADDING, 0, -_PADDING, 0)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if found is None:
            list_row.paint_heading(painter, option, inner, str(index.data()))
        else:
            list_row.paint_ground(painter, option, rect)
            self._paint_hit(painter, option, inner.adjusted(0, _ABOVE, 0, -_ABOVE), found)
        painter.restore()

    def _paint_hit(self, painter: QPainter, option: QStyleOptionViewItem, area: QRect, found: Hit) -> None:
        colours = Colours.of(option.palette)
        source = found.source
        icon = file_icon(source.kind) if isinstance(source, FilePassage) else message_icon(colours.accent)
        line = option.fontMetrics.height()
        icon.paint(painter, QRect(area.left(), area.top() + (line - _ICON) // 2, _ICON, _ICON))
        text = area.adjusted(_INDENT, 0, 0, 0)
        self._paint_title(painter, option, text, found, colours)
        small = list_row.heading_font(option.font)
        small.setWeight(QFont.Weight.Normal)
        painter.setFont(small)
        painter.setPen(QColor(colours.muted))
        text.setTop(text.top() + line + _GAP)
        details = painter.fontMetrics().elidedText(found.details, Qt.TextElideMode.ElideMiddle, text.width())
        painter.drawText(text, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, details)
        text.setTop(text.top() + painter.fontMetrics().height() + _GAP)
        painter.setFont(option.font)
        painter.setPen(QColor(colours.text))
        list_row.paint_lines(painter, text, found.excerpt, found.marks, QColor(colours.mark), _LINES)

    @staticmethod
    def _paint_title(
        painter: QPainter, option: QStyleOptionViewItem, area: QRect, found: Hit, colours: Colours
    ) -> None:
        """The name keeps its end, which has the kind; the place is never pushed out."""
        top = Qt.AlignmentFlag.AlignTop
        painter.setFont(option.font)
        painter.setPen(QColor(colours.muted))
        metrics = painter.fontMetrics()
        place = metrics.elidedText(found.place, Qt.TextElideMode.ElideMiddle, area.width() // 2)
        painter.drawText(area, top | Qt.AlignmentFlag.AlignRight, place)
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        painter.setPen(QColor(colours.text))
        room = area.width() - (metrics.horizontalAdvance(place) + 16 if place else 0)
        elide = (
            Qt.TextElideMode.ElideMiddle
            if isinstance(found.source, FilePassage)
            else Qt.TextElideMode.ElideRight
        )
        title = painter.fontMetrics().elidedText(found.title, elide, room)
        painter.drawText(area, top | Qt.AlignmentFlag.AlignLeft, title)
