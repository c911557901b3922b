"""What stands where a list would be while there is nothing in it: what that means, and what to do."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

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
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addStretch(1)
        for label in (self._title, self._text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setMaximumWidth(_WIDTH_MAX)
            label.setMinimumWidth(min(_WIDTH_MAX, 280))
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    @property
    def text(self) -> str:
        """Everything that it says."""
        return "\n".join(filter(None, (self._title.text(), self._text.text())))

    def say(self, title: str, text: str) -> None:
        """Show these words."""
        self._title.setText(foreign.sentence(title))
        self._text.setText(foreign.sentence(text))
        self._title.setVisible(bool(title))
