"""The files that an answer rests on: a numbered list below it, each with its passage to unfold."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QToolButton, QWidget

from titan_desktop.client import foreign
from titan_desktop.contracts.sources import FactSource, FilePassage, Source
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.base.icons import file_icon
from titan_desktop.ui.base.passage import excerpt, marked_html
from titan_desktop.ui.base.tooltip import tip
from titan_desktop.ui.chat import sentences, styles
from titan_desktop.ui.chat.html_writer import Rendered
from titan_desktop.ui.chat.icons import arrow_icon
from titan_desktop.ui.chat.rich_text import RichText

_SHOWN_AT_FIRST = 5
_ROW = 30
_GAP = 2
_INDENT = 34
_TITLE = 24
_SPACE = 6


@dataclass
class Unfolded:
    """What the person has unfolded in one answer; it outlives the widgets, which are used for other rows.

    Attributes:
        thoughts_text: what was fetched when they were unfolded.
        thoughts_of: the attempt and the number of characters that it was fetched for.
    """

    passages: set[int] = field(default_factory=set)
    all_sources: bool = False
    thoughts: bool = False
    thoughts_text: str = ""
    thoughts_of: tuple[int, int] = (0, 0)


def open_passages(
    sources: Sequence[Source], unfolded: Unfolded, pattern: re.Pattern[str] | None, *, short: bool
) -> dict[int, str]:
    """The passages that can be read below an answer, by index; with `short` those that are folded as excerpts."""
    shown = range(_shown(sources, unfolded))
    whole = {index: _passage(sources[index]) for index in shown if index in unfolded.passages}
    return {index: excerpt(_passage(sources[index]), pattern) for index in shown if short} | whole


def _passage(source: Source) -> str:
    return foreign.text(source.passage).strip("\n ")


def _shown(sources: Sequence[Source], unfolded: Unfolded) -> int:
    return len(sources) if unfolded.all_sources else min(len(sources), _SHOWN_AT_FIRST)


class SourceRow(QWidget):
    """One source: number, name, the place in the file, and its passage."""

    open_clicked = Signal(str)
    """With the path of its file."""
    fact_clicked = Signal(object)
    """With the `FactSource` that it is."""
    toggled = Signal(int)
    passage_made = Signal(object)
    """With the text widget of its passage, which is made when it is first unfolded."""

    def __init__(self, index: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._index = index
        self._path = ""
        self._fact: FactSource | None = None
        self._line = ""
        self.arrow = QToolButton(self)
        self.arrow.setAutoRaise(True)
        self.arrow.clicked.connect(lambda: self.toggled.emit(self._index))
        self.file = QToolButton(self)
        self.file.setAutoRaise(True)
        self.file.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.file.setIconSize(QSize(18, 18))
        self.file.setCursor(Qt.CursorShape.PointingHandCursor)
        self.file.clicked.connect(self._open)
        for button in (self.arrow, self.file):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # they are reached by arrow keys
        self.place = QLabel(self)
        self.place.setTextFormat(Qt.TextFormat.PlainText)
        self._passage: RichText | None = None

    @property
    def passage(self) -> RichText | None:
        """The passage's text, None while it is folded."""
        return None if self._passage is None or self._passage.isHidden() else self._passage

    def show_source(
        self, source: Source, colours: Colours, pattern: re.Pattern[str] | None, *, open_: bool, short: bool
    ) -> None:
        """Show a source; when `open_`, with its passage, which `short` cuts to where the question's words are."""
        self._line = colours.line
        self.file.setText(
            f"{self._index + 1}  {foreign.isolated(sentences.title(source))}".replace("&", "&&")
        )  # no mnemonic
        self._show_file(source)
        where = sentences.place(source)
        self.place.setText(where)
        styles.dress(self.place, f"color:{colours.muted};")
        title, passage = foreign.isolated(sentences.title(source)), _passage(source)
        named = f"{title}, {where}" if where else title
        self.file.setAccessibleName(
            self.tr("Open source {number}: {title}").format(number=self._index + 1, title=named)
        )
        self.arrow.setIcon(arrow_icon(colours.muted, down=open_ and not short))
        self.arrow.setVisible(not short or excerpt(passage, pattern) != passage)
        words = self.tr("Hide the passage") if open_ and not short else self.tr("Show the passage")
        self.arrow.setToolTip(words)
        self.arrow.setAccessibleName(words)
        if not open_:
            if self._passage is not None:
                self._passage.hide()
            return
        if self._passage is None:
            self._passage = RichText(self)
            self.passage_made.emit(self._passage)
        text = excerpt(passage, pattern) if short else passage
        self._passage.set_colours(colours)
        self._passage.set_rendered(Rendered(marked_html(text, pattern, colours.mark)))
        self._passage.setAccessibleName(self.tr("Passage of {title}").format(title=title))
        self._passage.show()

    def _show_file(self, source: Source) -> None:
        """A file can be opened, a fact shown on its page."""
        file = source if isinstance(source, FilePassage) else None
        self._path = file.path if file else ""
        self._fact = source if isinstance(source, FactSource) else None
        self.file.setEnabled(file is not None or self._fact is not None)
        self.file.setIcon(file_icon(file.kind if file else ""))
        self.file.setToolTip(tip(self._path))

    def _open(self) -> None:
        if self._fact is not None:
            self.fact_clicked.emit(self._fact)
        else:
            self.open_clicked.emit(self._path)

    def fit(self, width: int) -> int:
        """Place the parts and return the height."""
        self.arrow.setGeometry(0, (_ROW - 24) // 2, 24, 24)
        where = min(self.place.sizeHint().width(), width // 2) if self.place.text() else 0
        named = min(self.file.sizeHint().width(), width - 26 - _SPACE - where)
        self.file.setGeometry(26, 1, named, _ROW - 2)
        self.place.setGeometry(26 + named + _SPACE, 1, where, _ROW - 2)
        if self.passage is None:
            return _ROW
        height = self.passage.fit(width - _INDENT - 14)
        self.passage.setGeometry(_INDENT + 14, _ROW + 2, width - _INDENT - 14, height)
        return _ROW + height + 8

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # Qt's signature
        """A bar beside the passage."""
        if self.passage is not None:
            area = self.passage.geometry()
            painter = QPainter(self)
            painter.fillRect(QRectF(_INDENT, area.top(), 3, area.height() - 6), QColor(self._line))


class SourceList(QWidget):
    """The sources of one answer."""

    source_activated = Signal(str)
    fact_activated = Signal(object)
    changed = Signal()
    """Something was unfolded or folded: the height is another."""
    passage_made = Signal(object)
    """With the text widget of a passage, before it is filled."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._title = QLabel(self)
        self._more = QToolButton(self)
        self._more.setAutoRaise(True)
        self._more.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._more.clicked.connect(self._show_all)
        self._rows: list[SourceRow] = []
        self._sources: Sequence[Source] = ()
        self._unfolded = Unfolded()
        self._pattern: re.Pattern[str] | None = None
        self._colours = Colours.of(self.palette())
        self._short = False

    def show_sources(
        self,
        sources: Sequence[Source],
        unfolded: Unfolded,
        pattern: re.Pattern[str] | None,
        colours: Colours,
        *,
        passages: bool,
    ) -> None:
        """Show these; with `passages` each shows an excerpt from the start, because the sources are the answer."""
        self._sources, self._unfolded, self._pattern = sources, unfolded, pattern
        self._colours, self._short = colours, passages
        self._title.setText("" if passages else self.tr("Sources"))
        self._title.setVisible(not passages)
        styles.dress(self._title, f"color:{colours.muted}; font-weight:600;")
        shown = _shown(sources, unfolded)
        while len(self._rows) < shown:
            row = SourceRow(len(self._rows), self)
            row.open_clicked.connect(self.source_activated)
            row.fact_clicked.connect(self.fact_activated)
            row.toggled.connect(self._toggle)
            row.passage_made.connect(self.passage_made)
            self._rows.append(row)
        for index, row in enumerate(self._rows):
            row.setVisible(index < shown)
            if index < shown:
                self._fill(index)
        self._more.setVisible(shown < len(sources))
        self._more.setText(self.tr("Show {count} more").format(count=len(sources) - shown))

    def _fill(self, index: int) -> None:
        chosen = index in self._unfolded.passages
        self._rows[index].show_source(
            self._sources[index],
            self._colours,
            self._pattern,
            open_=chosen or self._short,
            short=self._short and not chosen,
        )

    def passages(self) -> dict[int, RichText]:
        """The passages that are unfolded, by the number of their source, counted from 1."""
        rows = [] if self.isHidden() else [row for row in self._rows if not row.isHidden()]
        return {number: row.passage for number, row in enumerate(rows, 1) if row.passage is not None}

    def fit(self, width: int) -> int:
        """Place the rows and return the height."""
        y = 0
        if not self._title.isHidden():
            self._title.setGeometry(4, 0, width, _TITLE)
            y = _TITLE
        for row in self._rows:
            if not row.isHidden():
                height = row.fit(width)
                row.setGeometry(0, y, width, height)
                y += height + _GAP
        if not self._more.isHidden():
            self._more.adjustSize()
            self._more.move(26, y)
            y += self._more.height() + _GAP
        return y

    def unfold(self, number: int) -> None:
        """Show the passage of source `number`, counted from 1: a citation was clicked."""
        if 1 <= number <= len(self._sources):
            self._unfolded.all_sources |= number > _SHOWN_AT_FIRST
            self._unfolded.passages.add(number - 1)
            self._again()

    def _toggle(self, index: int) -> None:
        self._unfolded.passages ^= {index}
        self._again()

    def _show_all(self) -> None:
        is_by_key = self._more.hasFocus()
        first = len([row for row in self._rows if not row.isHidden()])
        self._unfolded.all_sources = True
        self._again()
        if is_by_key:
            self._rows[first].file.setFocus()

    def _again(self) -> None:
        self.show_sources(self._sources, self._unfolded, self._pattern, self._colours, passages=self._short)
        self.changed.emit()
