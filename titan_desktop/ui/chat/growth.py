"""An answer that is being written: cheap to extend, parsed again only where it is unfinished.

A token that comes is appended to the document as it is; the unfinished last block is parsed anew at most five
times a second, and less often when that takes long. What a new line is (a paragraph, an item, a fence) only
the parser knows, so text after a line break waits for it; inside open code it is appended at once.
"""

from time import perf_counter

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor

from titan_desktop.ui.chat.colours import Colours
from titan_desktop.ui.chat.markdown import Code, Rendered, render, render_growing
from titan_desktop.ui.chat.rich_text import RichText

PARSE_INTERVAL_MS = 200
_PARSE_SHARE = 12
"""Of the loop's time, parsing gets at most one part in so many."""
WHOLE_CHARS_MAX = 4_000
"""A finished answer up to this length is parsed once more as a whole; longer ones keep their finished blocks."""


class Growth(QObject):
    """Shows a growing text in a `RichText`."""

    changed = Signal()
    """The text was parsed by the timer, and may have another height."""

    def __init__(self, view: RichText) -> None:
        super().__init__(view)
        self._view = view
        self._colours: Colours | None = None
        self._citations = 0
        self._text = ""
        self._shown_chars = 0
        self._forget()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._parse_and_tell)

    def _forget(self) -> None:
        self._kept_chars = 0
        self._kept_position = 0
        self._kept_tables: tuple[Code | None, ...] = ()
        self._in_code = False
        self._interval_ms = PARSE_INTERVAL_MS

    def begin(self, text: str, colours: Colours, citations: int) -> None:
        """Show a text that will grow."""
        self._colours, self._citations, self._text = colours, citations, text
        self._forget()
        self._view.codes = []
        self._view.clear()
        self._parse()

    def grow(self, text: str) -> None:
        """Show more of the same text."""
        self._text = text
        addition = text[self._shown_chars :]
        if not self._in_code:
            addition = addition.partition("\n")[0]
        elif "`" in addition or "~" in addition:
            addition = ""  # the end of the code, perhaps
        if addition:
            self._append(addition)
        if not self._timer.isActive():
            self._timer.start(self._interval_ms)

    def finish(self, text: str) -> None:
        """Show the whole text; it will not grow any more."""
        self._text = text
        self.stop()
        if len(text) <= WHOLE_CHARS_MAX and self._colours is not None:
            self._view.set_rendered(render(text, self._colours, self._citations))
        else:
            self._parse()

    def stop(self) -> None:
        """Leave the text as it is."""
        self._timer.stop()

    def resume(self) -> None:
        """Parse soon what came while nobody looked."""
        if self._shown_chars < len(self._text) or not self._timer.isActive():
            self._timer.start(self._interval_ms)

    def _append(self, text: str) -> None:
        cursor = QTextCursor(self._view.document())
        tables = self._view.tables() if self._in_code else []
        if tables:
            cursor = tables[-1].cellAt(0, 0).lastCursorPosition()
        else:
            cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        self._shown_chars += len(text)

    def _parse_and_tell(self) -> None:
        self._parse()
        self.changed.emit()

    def _parse(self) -> None:
        if self._colours is None:
            return
        began = perf_counter()
        growing = render_growing(self._text[self._kept_chars :], self._colours, self._citations)
        cursor = QTextCursor(self._view.document())
        cursor.beginEditBlock()
        cursor.setPosition(self._kept_position)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        if growing.finished.html:
            self._insert(cursor, growing.finished)
            self._kept_chars += growing.finished_chars
            self._kept_position = cursor.position()
            self._kept_tables += growing.finished.tables
        self._insert(cursor, growing.last)
        cursor.endEditBlock()
        self._view.codes = [*self._kept_tables, *growing.last.tables]
        self._in_code = growing.in_code
        self._shown_chars = len(self._text)
        self._interval_ms = max(PARSE_INTERVAL_MS, int((perf_counter() - began) * 1000 * _PARSE_SHARE))

    def _insert(self, cursor: QTextCursor, rendered: Rendered) -> None:
        """Append blocks at the cursor, which stands at the document's end."""
        if not rendered.html:
            return
        if cursor.position() and cursor.block().length() > 1:
            cursor.insertBlock(QTextBlockFormat(), QTextCharFormat())
        else:
            cursor.setBlockFormat(QTextBlockFormat())
            cursor.setBlockCharFormat(QTextCharFormat())
        cursor.insertHtml(rendered.html)
        cursor.movePosition(QTextCursor.MoveOperation.End)
