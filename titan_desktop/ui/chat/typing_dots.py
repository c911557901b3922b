"""The three dots that stand where an answer is awaited."""

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

_STEP_MS = 350


class TypingDots(QWidget):
    """Three dots that breathe while an answer is awaited; they stand still when nobody sees them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.colour = "#808080"
        self._step = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MS)
        self._timer.timeout.connect(self._advance)

    def setVisible(self, visible: bool) -> None:  # noqa: FBT001  # Qt's signature
        """Move only while shown."""
        super().setVisible(visible)
        if not visible:
            self._step = 0
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()

    def _advance(self) -> None:
        self._step = (self._step + 1) % 3
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # Qt's signature
        """Draw the dots."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for dot in range(3):
            colour = QColor(self.colour)
            colour.setAlphaF(1.0 if dot == self._step else 0.35)
            painter.setBrush(colour)
            painter.drawEllipse(QRectF(2 + dot * 11, self.height() / 2 - 3, 6, 6))
