"""What the model thought before it answered: a line above the answer, with the thoughts folded away under it.

They are asked for when they are unfolded (`wanted`), and are no part of the answer: neither copied with it nor
selected with the conversation.
"""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolButton, QWidget

from titan_desktop.contracts.chat import Message
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat import styles
from titan_desktop.ui.chat.caption import Caption
from titan_desktop.ui.chat.icons import arrow_icon
from titan_desktop.ui.chat.sources import Unfolded

SHOWN_CHARS_MAX = 20_000
"""A label lays all of its text out at once, about a millisecond for a thousand characters."""

_ROW = 28
_INDENT = 26
_BAR = 3


class ThoughtsRow(QWidget):
    """The thoughts of one answer."""

    wanted = Signal()
    """They are unfolded, and `Unfolded.thoughts_text` is not theirs yet."""
    toggled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._line = ""
        self._unfolded = Unfolded()
        self.head = QToolButton(self)
        self.head.setAutoRaise(True)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it is reached by arrow keys
        self.head.clicked.connect(self._toggle)
        self.text = Caption(self)

    def show_thoughts(self, message: Message, unfolded: Unfolded, colours: Colours) -> None:
        """Show that there are some, and, where the person has unfolded them, which."""
        self._unfolded, self._line = unfolded, colours.line
        is_open = unfolded.thoughts
        self.head.setText(self.tr("Thoughts"))
        self.head.setIcon(arrow_icon(colours.muted, down=is_open))
        styles.dress(self.head, styles.button(colours, framed=False))
        self.head.setAccessibleName(self.tr("Hide the thoughts") if is_open else self.tr("Show the thoughts"))
        self.text.setVisible(is_open)
        if not is_open:
            return
        styles.dress(self.text, f"color:{colours.muted};")
        shown = unfolded.thoughts_text.strip()
        self.text.setText(shown if len(shown) <= SHOWN_CHARS_MAX else f"{shown[:SHOWN_CHARS_MAX]}…")
        if unfolded.thoughts_of != (message.attempt, message.thoughts):
            unfolded.thoughts_of = (message.attempt, message.thoughts)
            self.text.setText(shown or "…")
            self.wanted.emit()

    def fit(self, width: int) -> int:
        """Place the parts and return the height."""
        self.head.setGeometry(0, 0, min(self.head.sizeHint().width(), width), _ROW)
        if self.text.isHidden():
            return _ROW
        height = self.text.heightForWidth(width - _INDENT)
        self.text.setGeometry(_INDENT, _ROW + 4, width - _INDENT, height)
        return _ROW + 4 + height + 8

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # Qt's signature
        """A bar beside the thoughts."""
        if not self.text.isHidden():
            area = self.text.geometry()
            QPainter(self).fillRect(QRectF(12, area.top(), _BAR, area.height()), QColor(self._line))

    def _toggle(self) -> None:
        self._unfolded.thoughts = not self._unfolded.thoughts
        self.toggled.emit()
