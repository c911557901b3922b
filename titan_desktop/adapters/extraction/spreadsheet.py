"""Sheets as blocks, a row a line: kreuzberg gives the rows of each, but not where in the sheet they begin.

The upper left corner of what is filled is read from the sheet's own part (ECMA-376, part 1, 18.3.1.4), for XLSX
alone; of other spreadsheets only the sheet's name is known.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple
from xml.parsers import expat

import kreuzberg

from titan_desktop.adapters.extraction import tidy
from titan_desktop.adapters.extraction.package import Package, PackageError, local_name, relation_of
from titan_desktop.contracts.sources import Cells
from titan_desktop.ports.extractor import Block, BlockKind

_WORKBOOK = "xl/workbook.xml"
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
"""To XFD1048576: longer names would be large numbers, made in the square of their length."""
_WITHIN_CELL = re.compile(r"[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_LETTERS = 26
_MOMENT = re.compile(r"(\d{4})-(\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)?")
"""What kreuzberg makes of a number that is shown as a date or a time: days since 1899-12-31 are a moment."""
_MIDNIGHT = "00:00:00"
_HOURS_OF_A_DAY = 24


class Corner(NamedTuple):
    """A cell by numbers from 1: B3 is (3, 2)."""

    row: int
    column: int


def blocks(
    names: Sequence[str], tables: Sequence[kreuzberg.ExtractedTable], corners: "Corners"
) -> Iterator[Block]:
    """Yield each sheet's name, then its rows, those that follow each other without an empty one in a block."""
    for table in tables:
        sheet = tidy.tidied(names[table.page_number - 1])
        if sheet:
            yield Block(sheet, Cells(sheet=sheet))
        width = len(table.cells[0]) if table.cells else 0
        corner = corners.of(names[table.page_number - 1], width)
        for number, lines in _runs(table.cells):
            place = Cells(sheet=sheet)
            if corner is not None:
                row = corner.row + number
                last = _name(row + len(lines) - 1, corner.column + width - 1)
                place = Cells(sheet=sheet, first=_name(row, corner.column), last=last)
            yield Block("\n".join(lines), place, BlockKind.TABLE)


def shown(cell: str) -> str:
    """Return a cell as a person sees it: a date, a time, a length of time; to kreuzberg each is a moment."""
    found = _MOMENT.fullmatch(cell)
    if found is None:
        return cell
    year, day, time = found.groups()
    if year == "1899":
        return time
    if day.startswith("01-") and year == "1900" and time != _MIDNIGHT:
        hours, _, rest = time.partition(":")
        return f"{int(day[3:]) * _HOURS_OF_A_DAY + int(hours)}:{rest}"
    return f"{year}-{day}" if time == _MIDNIGHT else cell


def _runs(rows: Sequence[Sequence[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of rows that have no empty one between them, with the first row's number.

    A tab stands between two cells.
    """
    text = "\n".join("\t".join(_WITHIN_CELL.sub(" ", shown(cell)) for cell in row) for row in rows)
    lines = enumerate(tidy.tidied_lines(text).split("\n"))
    for is_filled, run in groupby(lines, key=lambda line: bool(line[1])):
        if is_filled:
            numbers, texts = zip(*run, strict=True)
            yield numbers[0], list(texts)


class Corners:
    """Where the filled part of each sheet of one XLSX begins."""

    def __init__(self, data: bytes) -> None:
        self._parts: dict[str, str] = {}
        try:
            self._package = Package(data)
            related = self._package.related(_WORKBOOK)
            listed = self._package.root(_WORKBOOK).iter()
        except PackageError:
            return
        for element in listed:
            if local_name(element.tag) == "sheet":
                self._parts[element.get("name", "")] = related.get(relation_of(element), "")

    def of(self, sheet: str, width: int) -> Corner | None:
        """Return the upper left cell of a sheet's filled part, `width` columns wide; None if it is not told."""
        if sheet not in self._parts:
            return None
        search = _CornerSearch(width)
        try:
            for piece in self._package.pieces(self._parts[sheet]):
                search.feed(piece)
                if search.is_over:
                    break
        except (PackageError, expat.ExpatError):
            return None
        return search.corner


class _CornerSearch:
    """Reads a sheet until as many columns have been met as it has: mostly its first row."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.StartElementHandler = self._start
        self._parser.CharacterDataHandler = self._text
        self._parser.EndElementHandler = self._end
        self._cell: Corner | None = None
        self._kind = ""
        self._in_value = False
        self._row = self._left = self._right = 0
        self.is_over = False

    @property
    def corner(self) -> Corner | None:
        """What was found; nothing where the sheet is not what kreuzberg has read."""
        fits = self._row and self._right - self._left + 1 == self._width
        return Corner(self._row, self._left) if fits else None

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        match local_name(tag):
            case "c":
                self._cell, self._kind = _corner(attributes.get("r", "")), attributes.get("t", "")
                if self._cell is None:  # cells that do not say where they are
                    self._row, self.is_over = 0, True
            case "v":
                self._in_value = True
                if self._kind == "str":  # a formula's text fills a cell, also when it is empty
                    self._met()
            case "is":
                self._met()

    def _text(self, text: str) -> None:
        if self._in_value and text:
            self._met()

    def _end(self, tag: str) -> None:
        if local_name(tag) == "v":
            self._in_value = False

    def _met(self) -> None:
        if self._cell is None or self.is_over:
            return
        row, column = self._cell
        self._row = self._row or row
        self._left = min(self._left or column, column)
        self._right = max(self._right, column)
        self.is_over = self._right - self._left + 1 >= self._width


def _corner(name: str) -> Corner | None:
    found = _CELL.fullmatch(name)
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * _LETTERS + ord(letter) - ord("A") + 1
    return Corner(int(found[2]), column)


def _name(row: int, column: int) -> str:
    letters = ""
    while column:
        column, letter = divmod(column - 1, _LETTERS)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"
