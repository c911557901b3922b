"""What the rows of every list have in common: their ground, the keyboard's ring, and text that is cut to fit."""

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPalette, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem


def paint_ground(painter: QPainter, option: QStyleOptionViewItem, rect: QRect) -> None:
    """Paint the rounded ground of a row that is chosen or under the pointer, and its ring when keys came to it."""
    state = option.state
    palette: QPalette = option.palette
    background = rect.adjusted(0, 1, 0, -1)
    if state & QStyle.StateFlag.State_Selected:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(QPalette.ColorRole.Mid))
        painter.drawRoundedRect(background, 6, 6)
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(QPalette.ColorRole.Midlight))
        painter.drawRoundedRect(background, 6, 6)
    if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
        pen = painter.pen()
        pen.setStyle(Qt.PenStyle.SolidLine)
        pen.setColor(palette.color(QPalette.ColorRole.Accent))
        pen.setWidth(2)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(background.adjusted(1, 1, -1, -1), 6, 6)


def heading_font(font: QFont) -> QFont:
    """Return the font of a heading among rows."""
    small = QFont(font)
    small.setPointSizeF(font.pointSizeF() * 0.88)
    small.setWeight(QFont.Weight.DemiBold)
    return small


def paint_heading(painter: QPainter, option: QStyleOptionViewItem, rect: QRect, text: str) -> None:
    """Paint the heading of a group at the foot of its row."""
    painter.setFont(heading_font(painter.font()))
    painter.setPen(option.palette.color(QPalette.ColorRole.PlaceholderText))
    place = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect.adjusted(0, 0, 0, -6), place, shown)


def paint_lines(
    painter: QPainter, rect: QRect, text: str, marks: Iterable[tuple[int, int]], mark: QColor, lines: int
) -> None:
    """Paint a text from the top of `rect`, at most so many lines of it; what is cut ends in an ellipsis.

    Args:
        painter: its font and pen are used.
        rect: what the text may fill.
        text: one paragraph.
        marks: where parts of the text begin and end that stand out.
        mark: the colour behind them.
        lines: at least 1.
    """
    layout = QTextLayout(text, painter.font())
    ends = _break(layout, rect.width(), lines)
    shown = len(text)
    if len(ends) == lines and ends[-1] < len(text):
        start = ends[-2] if lines > 1 else 0
        last = painter.fontMetrics().elidedText(text[start:], Qt.TextElideMode.ElideRight, rect.width() - 4)
        shown = start + len(last) - 1  # the ellipsis is no part of the text
        layout = QTextLayout(text[:start] + last, painter.font())
    layout.setFormats([_format(start, min(end, shown), mark) for start, end in marks if start < shown])
    _break(layout, rect.width(), lines)
    layout.draw(painter, QPointF(rect.topLeft()))


def _format(start: int, end: int, mark: QColor) -> QTextLayout.FormatRange:
    look = QTextCharFormat()
    look.setBackground(mark)
    part = QTextLayout.FormatRange()
    part.start, part.length, part.format = start, end - start, look
    return part


def _break(layout: QTextLayout, width: int, lines: int) -> list[int]:
    """Lay out the first lines, and return where each ends in the text."""
    layout.setTextOption(QTextOption(Qt.AlignmentFlag.AlignLeft))
    ends: list[int] = []
    y = 0.0
    layout.beginLayout()
    while len(ends) < lines and (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        line.setPosition(QPointF(0, y))
        y += line.height()
        ends.append(line.textStart() + line.textLength())
    layout.endLayout()
    return ends
