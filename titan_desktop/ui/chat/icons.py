"""The small pictures of a conversation, drawn as `base.icons` are."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPen, QPixmap

from titan_desktop.ui.base.icons import canvas


def arrow_icon(colour: str, *, down: bool) -> QIcon:
    """An angle that points right, or down."""
    pixmap, painter = canvas()
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
    pixmap, painter = canvas()
    painter.setPen(QPen(QColor(colour), 2.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for start, end in (((10, 16), (10, 4)), ((10, 4), (5, 9)), ((10, 4), (15, 9))):
        painter.drawLine(QPointF(*start), QPointF(*end))
    painter.end()
    return pixmap


def stop_icon(colour: str) -> QIcon:
    """A square."""
    pixmap, painter = canvas()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(QRectF(5, 5, 10, 10), 2, 2)
    painter.end()
    return QIcon(pixmap)
