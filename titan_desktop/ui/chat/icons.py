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
    pixmap, painter = _canvas()
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


def arrow_icon(colour: str, *, down: bool) -> QIcon:
    """An angle that points right, or down."""
    pixmap, painter = _canvas()
    painter.setPen(QPen(QColor(colour), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    middle = QPointF(10, 13) if down else QPointF(13, 10)
    for end in (QPointF(5, 8), QPointF(15, 8)) if down else (QPointF(8, 5), QPointF(8, 15)):
        painter.drawLine(middle, end)
    painter.end()
    return QIcon(pixmap)


def send_icon(colour: str, disabled: str) -> QIcon:
    """An arrow that points up; of the second colour while there is nothing to send."""
    icon = QIcon(_up_arrow(colour))
    icon.addPixmap(_up_arrow(disabled), QIcon.Mode.Disabled)
    return icon


def _up_arrow(colour: str) -> QPixmap:
    pixmap, painter = _canvas()
    painter.setPen(QPen(QColor(colour), 2.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for start, end in (((10, 16), (10, 4)), ((10, 4), (5, 9)), ((10, 4), (15, 9))):
        painter.drawLine(QPointF(*start), QPointF(*end))
    painter.end()
    return pixmap


def stop_icon(colour: str) -> QIcon:
    """A square."""
    pixmap, painter = _canvas()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(QRectF(5, 5, 10, 10), 2, 2)
    painter.end()
    return QIcon(pixmap)


def _canvas() -> tuple[QPixmap, QPainter]:
    pixmap = QPixmap(QSize(_SIZE, _SIZE) * _SCALE)
    pixmap.setDevicePixelRatio(_SCALE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return pixmap, painter
