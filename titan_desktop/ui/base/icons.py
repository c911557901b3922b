"""Small pictures that are drawn, so that they follow the palette and every screen's pixel density."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

_PAGE_COLOURS = {
    "#c5362b": ("pdf",),
    "#2b63c5": ("doc", "docx", "odt", "rtf"),
    "#1c7f45": ("xls", "xlsx", "ods", "csv"),
    "#c4611b": ("ppt", "pptx", "odp"),
    "#7a4fc0": ("html", "htm", "md", "xml", "json", "eml", "epub"),
}
_COLOUR_OF_KIND = {kind: colour for colour, kinds in _PAGE_COLOURS.items() for kind in kinds}
_SIZE = 20
_SCALE = 2
"""Drawn for double density: Qt scales down where the screen has less."""


def file_icon(kind: str) -> QIcon:
    """A sheet of paper in the colour of its kind ("pdf", "docx" …)."""
    pixmap, painter = canvas()
    sheet = QPainterPath()
    sheet.moveTo(4, 2)
    sheet.lineTo(12, 2)
    sheet.lineTo(16, 6)
    sheet.lineTo(16, 18)
    sheet.lineTo(4, 18)
    sheet.closeSubpath()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(_COLOUR_OF_KIND.get(kind.lower(), "#6b7480")))
    painter.drawPath(sheet)
    painter.setPen(QPen(QColor(255, 255, 255, 215), 1.4))
    for y, right in ((9, 13.5), (12, 13.5), (15, 10.5)):
        painter.drawLine(QPointF(6.5, y), QPointF(right, y))
    painter.end()
    return QIcon(pixmap)


def message_icon(colour: str) -> QIcon:
    """A speech bubble."""
    pixmap, painter = canvas()
    bubble = QPainterPath()
    bubble.addRoundedRect(QRectF(3, 4, 14, 10), 3, 3)
    tail = QPainterPath(QPointF(6, 12))
    tail.lineTo(6, 18)
    tail.lineTo(11, 13)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawPath(bubble.united(tail))
    painter.setPen(QPen(QColor(255, 255, 255, 215), 1.4))
    for y, right in ((7.5, 14.0), (10.5, 11.0)):
        painter.drawLine(QPointF(6, y), QPointF(right, y))
    painter.end()
    return QIcon(pixmap)


def canvas() -> tuple[QPixmap, QPainter]:
    """Return a transparent picture and the painter on it; end the painter before the picture is used."""
    pixmap = QPixmap(QSize(_SIZE, _SIZE) * _SCALE)
    pixmap.setDevicePixelRatio(_SCALE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return pixmap, painter
