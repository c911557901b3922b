"""Long code is shown in one colour at once and coloured afterwards, a few milliseconds at a time.

Pygments takes about 2 ms for 1,000 characters, and Qt as much again: in one go a long block would be felt.
"""

from collections import deque
from collections.abc import Iterator
from time import perf_counter

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat.highlight import coloured

_SLICE_S = 0.004
_PAUSE_MS = 12
"""Between two slices: the window paints and answers."""


class DeferredHighlight(QObject):
    """Colours the code blocks of one text widget, which must not change before them meanwhile."""

    def __init__(self, view: QTextEdit) -> None:
        super().__init__(view)
        self._view = view
        self._waiting: deque[Iterator[None]] = deque()
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._advance)

    @property
    def is_busy(self) -> bool:
        """Whether something is not coloured yet."""
        return bool(self._waiting)

    def add(self, first_block: int, code: str, language: str, colours: Colours) -> None:
        """Colour code whose lines stand in one text block each, beginning with number `first_block`."""
        self._waiting.append(self._colour(first_block, code, language, colours))
        self._timer.start()

    def cancel(self) -> None:
        """Leave everything as it is: the text is another now."""
        self._waiting.clear()
        self._timer.stop()

    def _advance(self) -> None:
        end = perf_counter() + _SLICE_S
        cursor = QTextCursor(self._view.document())
        cursor.beginEditBlock()
        while self._waiting and perf_counter() < end:
            if next(self._waiting[0], self) is self:
                self._waiting.popleft()
        cursor.endEditBlock()
        if not self._waiting:
            self._timer.stop()

    def _colour(self, first_block: int, code: str, language: str, colours: Colours) -> Iterator[None]:
        block, offset = self._view.document().findBlockByNumber(first_block), 0
        for text, colour in coloured(code, language, colours):
            for number, piece in enumerate(text.split("\n")):
                if number:
                    block, offset = block.next(), 0
                length = len(piece.encode("utf-16-le")) // 2  # as Qt counts
                if colour and length:
                    _dye(QTextCursor(block), offset, length, colour)
                offset += length
            yield


def _dye(cursor: QTextCursor, offset: int, length: int, colour: str) -> None:
    start = cursor.position() + offset
    cursor.setPosition(start)
    cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
    ink = QTextCharFormat()
    ink.setForeground(QColor(colour))
    cursor.mergeCharFormat(ink)
