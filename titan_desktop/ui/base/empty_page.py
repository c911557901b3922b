"""What stands where a list would be while there is nothing in it: what that means, and what to do."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from titan_desktop.client import foreign

_WIDTH_MAX = 520


class EmptyPage(QWidget):
    """A title and a few sentences, in the upper half of the page."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._title = QLabel(self)
        self._title.setObjectName("emptyTitle")
        self._text = QLabel(self)
        self._text.setProperty("tone", "muted")
        inner = QWidget(self)
        inner.setMaximumWidth(_WIDTH_MAX)
        inner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 24, 0, 24)
        column.setSpacing(8)
        column.addStretch(1)
        for label in (self._title, self._text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(label)
        column.addStretch(3)
        centred = QHBoxLayout(self)
        centred.addStretch(1)
        centred.addWidget(inner, 1000)
        centred.addStretch(1)

    @property
    def text(self) -> str:
        """Everything that it says."""
        return "\n".join(filter(None, (self._title.text(), self._text.text())))

    def say(self, title: str, text: str) -> None:
        """Show these words."""
        self._title.setText(foreign.sentence(title))
        self._text.setText(foreign.sentence(text))
        self._title.setVisible(bool(title))
