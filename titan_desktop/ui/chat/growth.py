"""An answer that is being written: cheap to extend, parsed again only where it is unfinished.

A token that comes is appended to the document as it is; the unfinished last block is parsed anew at most five
times a second, and less often when that takes long. What a new line is (a paragraph, an item, a fence) only
the parser knows, so text after a line break or a mark waits for it; inside open code it is appended at once.
"""

from time import perf_counter

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QTextCursor

from titan_desktop.client import foreign
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat import unfinished
from titan_desktop.ui.chat.html_writer import Code, Rendered
from titan_desktop.ui.chat.markdown import LATE_CODE_CHARS, render, render_growing
from titan_desktop.ui.chat.rich_text import RichText
from titan_desktop.ui.chat.unfinished import Settled

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
        self._kept_codes: tuple[Code, ...] = ()
        self._last_codes: tuple[Code, ...] = ()
        self._may_quote = False
        self._in_code = self._in_table = self._is_waiting = False
        self._interval_ms = PARSE_INTERVAL_MS

    def begin(self, text: str, colours: Colours, citations: int) -> None:
        """Show a text that will grow."""
        self._colours, self._citations, self._text = colours, citations, _in_lines(text)
        self._forget()
        self._view.set_plain("")
        self._parse()

    def grow(self, text: str) -> None:
        """Show more of the same text."""
        text = self._text = _in_lines(text)
        if not self._shown_chars:  # the first words are not to wait
            self._parse()
            return
        addition = self._plain_addition()
        if addition:
            self._append(addition)
        is_long_code = self._in_code and len(text) - self._kept_chars > LATE_CODE_CHARS
        if not self._timer.isActive() and not (is_long_code and addition):
            self._timer.start(self._interval_ms)

    def _plain_addition(self) -> str:
        """Return how much of what has come may be appended as it is."""
        addition = self._text[self._shown_chars :]
        begins_line = self._text[self._shown_chars - 1] == "\n"
        if self._in_code:
            return "" if self._may_close(self._text) else addition
        if self._in_table or self._is_waiting or begins_line:
            return ""
        return unfinished.MARKS.split(addition, maxsplit=1)[0]

    def _may_close(self, text: str) -> bool:
        """Whether a line that is new, or goes on, looks like the fence at the code's end."""
        lines = text[text.rfind("\n", 0, self._shown_chars) + 1 :].split("\n")
        return any(line.lstrip()[:1] in ("`", "~") for line in lines if line.strip())

    def finish(self, text: str) -> None:
        """Show the whole text; it will not grow any more."""
        text = self._text = _in_lines(text)
        self.stop()
        if len(text) <= WHOLE_CHARS_MAX and self._colours is not None:
            self._view.set_rendered(render(text, self._colours, self._citations))
        else:
            self._parse(is_final=True)
            self._colour_later(self._kept_position, self._last_codes)

    def stop(self) -> None:
        """Leave the text as it is."""
        self._timer.stop()

    def resume(self) -> None:
        """Parse soon what came while nobody looked."""
        if self._shown_chars < len(self._text) or not self._timer.isActive():
            self._timer.start(self._interval_ms)

    def _append(self, text: str) -> None:
        cursor = QTextCursor(self._view.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        for number, line in enumerate(map(foreign.text, text.split("\n"))):
            if number:  # a new line of code; it takes the space below over from the line above
                above, below = cursor.blockFormat(), cursor.blockFormat()
                above.setBottomMargin(0)
                below.setTopMargin(0)
                cursor.setBlockFormat(above)
                cursor.insertBlock(below)
            # After a link or emphasis the text goes on as its paragraph does.
            cursor.insertText(line, cursor.charFormat() if self._in_code else cursor.blockCharFormat())
        self._shown_chars += len(text)

    def _parse_and_tell(self) -> None:
        self._parse()
        self.changed.emit()

    def _parse(self, *, is_final: bool = False) -> None:
        if self._colours is None:
            return
        began = perf_counter()
        written = self._text[self._kept_chars :]
        settled = Settled(written, len(written), is_whole=True) if is_final else unfinished.settled(written)
        settled_chars = self._kept_chars + settled.chars
        growing = render_growing(settled.text, self._colours, self._citations)
        cursor = QTextCursor(self._view.document())
        cursor.beginEditBlock()
        cursor.setPosition(self._kept_position)
        kept = cursor.blockFormat()
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        if self._kept_position:  # an empty line, as a rule is, would take over the look of what is removed
            cursor.setBlockFormat(kept)
        before = self._kept_position
        if growing.finished.html:
            self._insert(cursor, growing.finished)
            self._kept_chars += growing.finished_chars
            self._kept_position = cursor.position()
            self._kept_codes += growing.finished.codes
        self._insert(cursor, growing.last)
        cursor.endEditBlock()
        self._may_quote |= "<blockquote" in growing.finished.html + growing.last.html
        self._last_codes = growing.last.codes
        kept_blocks = 0
        if self._kept_position:
            kept_blocks = self._view.document().findBlock(self._kept_position).blockNumber() + 1
        codes = (*self._kept_codes, *growing.last.codes)
        self._view.note(codes, quotes=self._may_quote, settled=kept_blocks)
        self._colour_later(before, growing.finished.codes)
        self._in_code, self._in_table = growing.in_code, growing.in_table
        self._is_waiting = not settled.is_whole
        # Markdown leaves blanks out at the end, and the next word needs them.
        shown = self._text[:settled_chars]
        self._shown_chars = len(shown if self._in_code else shown.rstrip(" "))
        self._interval_ms = max(PARSE_INTERVAL_MS, int((perf_counter() - began) * 1000 * _PARSE_SHARE))

    def _colour_later(self, position: int, codes: tuple[Code, ...]) -> None:
        """Have the long ones among complete code blocks coloured; they stand after `position` in this order."""
        if self._colours is not None and any(len(code.text) > LATE_CODE_CHARS for code in codes):
            for number, code in zip(self._view.code_starts(position), codes, strict=False):
                if len(code.text) > LATE_CODE_CHARS:
                    self._view.deferred_highlight.add(number, code.text, code.language.lower(), self._colours)

    def _insert(self, cursor: QTextCursor, rendered: Rendered) -> None:
        """Append blocks at the cursor, which stands at the document's end.

        Into a document that is not empty, Qt inserts HTML without the format of its first block. So a block that
        nobody sees goes first: its one character joins the last line and is taken out again.
        """
        if not rendered.html:
            return
        start, before = cursor.position(), cursor.blockFormat()
        cursor.insertHtml(f"<p>&#8203;</p>{rendered.html}" if start else rendered.html)
        if start:
            cursor.setPosition(start)
            cursor.deleteChar()
            cursor.setBlockFormat(before)  # a rule's would be the inserted block's
        cursor.movePosition(QTextCursor.MoveOperation.End)


def _in_lines(text: str) -> str:
    """The text with the line ends by which the parser's line numbers count, whatever the model writes."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
