"""A document as it flows by, made into blocks: paragraphs are collected, tables are set apart, a row a line.

Readers of marked-up documents write into a `Flow`, and need not know where a table stands in another.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from titan_desktop.adapters.extraction import tidy
from titan_desktop.ports.extractor import Block, BlockKind

_AROUND = " \n\r"
"""Not the tabs: they align what follows."""
_WITHIN_CELL = re.compile(r"\s+")


@dataclass(slots=True)
class _Table:
    """A table that is open. The cells of one that serves the layout are plain text."""

    rows: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    paragraphs: list[str] = field(default_factory=list)
    is_layout: bool = False


class Flow:
    """Takes text in its order and gives blocks.

    Args:
        has_layout: a table that holds another serves the page's layout, as in HTML; else the inner one is text of
            its cell.
    """

    def __init__(self, *, has_layout: bool = False) -> None:
        self._has_layout = has_layout
        self._blocks: list[Block] = []
        self._paragraphs: list[str] = []
        self._run: list[str] = []
        self._tables: list[_Table] = []
        self._inner = 0
        """How many tables are open whose cells are plain text of what they stand in."""
        self._asides: list[list[str]] = []
        self._held: list[str] = []
        """What asides have said; it follows the paragraph that they stand in."""

    def write(self, text: str) -> None:
        """Continue the paragraph."""
        self._run.append(text)

    def end_paragraph(self) -> None:
        """End the paragraph, if there is one."""
        text = "".join(self._run).strip(_AROUND)
        self._run.clear()
        if text and not text.isspace():
            self._paragraphs_here().append(text)
        if self._held and not self._asides:
            self._paragraphs_here().extend(self._held)
            self._held = []

    def begin_aside(self) -> None:
        """Begin what stands in the midst of a paragraph and is none of it: a text box, a note."""
        self._asides.append(self._run)
        self._run = []

    def end_aside(self) -> None:
        """Go on with the paragraph."""
        self.end_paragraph()
        if self._asides:
            self._run = self._asides.pop()
        if not self._run:
            self.end_paragraph()

    def begin_table(self) -> None:
        """Begin a table."""
        self.end_paragraph()
        outer = self._table
        if self._asides or (outer is not None and not self._has_layout):
            self._inner += 1
            return
        if outer is not None:
            outer.is_layout = True
            self._take_rows(outer)
            self._paragraphs += [*outer.cells, *outer.paragraphs]
            outer.cells, outer.paragraphs = [], []
        self._tables.append(_Table())

    def end_cell(self, columns: int = 1) -> None:
        """End a cell of the row; as many `columns` have the same text."""
        self.end_paragraph()
        if (table := self._table) is not None and not self._inner:
            table.cells += ["\n".join(table.paragraphs)] * columns
            table.paragraphs = []

    def end_row(self) -> None:
        """End a row of the table."""
        self.end_paragraph()
        if (table := self._table) is None or self._inner:
            return
        if table.paragraphs:
            self.end_cell()
        if len(table.cells) == 1:  # a frame around text, or a heading over the table
            table.rows += table.cells[0].split("\n")
        elif any(table.cells):
            table.rows.append("\t".join(_WITHIN_CELL.sub(" ", cell) for cell in table.cells))
        table.cells = []

    def end_table(self) -> None:
        """End a table."""
        self.end_row()
        if self._inner:
            self._inner -= 1
        elif self._tables:
            self._take_rows(self._tables.pop())

    def blocks(self) -> Iterator[Block]:
        """Return what was written, tidied; to be called at the end."""
        while self._asides:
            self.end_aside()
        while self._inner or self._tables:
            self.end_table()
        self.end_paragraph()
        self._flush()
        return iter(self._blocks)

    @property
    def _table(self) -> _Table | None:
        """The table whose cells are written."""
        return self._tables[-1] if self._tables and not self._tables[-1].is_layout else None

    def _paragraphs_here(self) -> list[str]:
        if self._asides:
            return self._held
        return self._paragraphs if (table := self._table) is None else table.paragraphs

    def _take_rows(self, table: _Table) -> None:
        if any("\t" in row for row in table.rows):
            self._flush()
            self._say("\n".join(table.rows), BlockKind.TABLE)
        else:
            self._paragraphs += table.rows
        table.rows = []

    def _flush(self) -> None:
        self._say("\n\n".join(self._paragraphs), BlockKind.TEXT)
        self._paragraphs = []

    def _say(self, text: str, kind: BlockKind) -> None:
        tidied = tidy.tidied(text) if kind is BlockKind.TEXT else tidy.tidied_lines(text).rstrip()
        if tidied.strip():
            self._blocks.append(Block(tidied, kind=kind))
