"""OpenDocument text and presentations (ODF 1.3, part 3): paragraphs, tables, notes, annotations, headers, footers.

What was deleted under tracking is left out.
"""

import re
from collections.abc import Iterator, Mapping

from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.markup import read_xml
from titan_desktop.adapters.extraction.package import Package, PackageError, local_name
from titan_desktop.adapters.extraction.tidy import tidied
from titan_desktop.contracts.sources import Cells, Slides
from titan_desktop.ports.extractor import Block

CONTENT = "content.xml"
_STYLES = "styles.xml"
_LEFT_OUT = frozenset({"tracked-changes", "forms", "scripts", "date", "automatic-styles", "font-face-decls"})
_WORDS = frozenset({"p", "h", "desc", "title", "creator"})
_ASIDES = frozenset({"note-body", "annotation", "text-box"})
_SPACES = re.compile(r"[ \t\r\n]+")
_SPACES_MAX = 1_000
_COLUMNS_MAX = 256
"""A row ends in as many empty cells as a sheet is wide."""


class Prose:
    """The `markup.Target` that writes a document into flows, a page of a presentation into one of its own.

    Args:
        only: read within this element alone.
        has_sheets: a table that stands in no other is a sheet, and has a flow of its own, too, and its name.
    """

    def __init__(self, only: str = "", *, has_sheets: bool = False) -> None:
        self.names: list[str] = []
        self._has_sheets = has_sheets
        self._tables = 0
        self._columns = 1
        self.flows = [Flow()]
        self._only = only
        self._within = self._left_out = self._words = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """See `markup.Target`."""
        name = local_name(tag)
        if self._left_out or name in _LEFT_OUT:
            self._left_out += 1
            return
        self._within += name == self._only
        self._words += name in _WORDS
        flow = self.flows[-1]
        if name in _ASIDES:
            flow.begin_aside()
        match name:
            case "page":
                flow.end_paragraph()
                self.flows.append(Flow())
            case "s" if self._words:
                flow.write(" " * _count(attributes, "c", _SPACES_MAX))
            case "tab" if self._words:
                flow.write("\t")
            case "line-break" if self._words:
                flow.write("\n")
            case "table":
                self._begin_table(attributes)
            case "table-cell" | "covered-table-cell":
                self._columns = _count(attributes, "number-columns-repeated", _COLUMNS_MAX)
            case "note-citation":
                flow.write("[")

    def end(self, tag: str) -> None:
        """See `markup.Target`."""
        if self._left_out:
            self._left_out -= 1
            return
        name, flow = local_name(tag), self.flows[-1]
        self._within -= name == self._only
        self._words -= name in _WORDS
        match name:
            case "p" | "h" | "desc" | "title":
                flow.end_paragraph()
            case "creator":
                flow.write(": ")
            case "note-citation":
                flow.write("]")
            case "table-cell" | "covered-table-cell":
                flow.end_cell(self._columns)
                self._columns = 1
            case "table-row":
                flow.end_row()
            case "table":
                flow.end_table()
                self._tables -= 1
        if name in _ASIDES:
            flow.end_aside()

    def data(self, text: str) -> None:
        """See `markup.Target`."""
        if self._words and not self._left_out and (self._within or not self._only):
            self.flows[-1].write(_SPACES.sub(" ", text))

    def close(self) -> None:
        """Nothing is left over."""

    def _begin_table(self, attributes: Mapping[str, str]) -> None:
        if self._has_sheets and not self._tables:
            self.names.append(tidied(_attribute(attributes, "name")))
            self.flows.append(Flow())
        self._tables += 1
        self.flows[-1].begin_table()


def blocks(package: Package) -> Iterator[Block]:
    """Yield a text's blocks, headers and footers last. Raises PackageError, MarkupError."""
    if CONTENT not in package.names:
        raise PackageError(CONTENT)
    yield from _flow(package, CONTENT, "").blocks()
    if _STYLES in package.names:
        yield from _flow(package, _STYLES, "master-styles").blocks()


def slides(package: Package) -> Iterator[Block]:
    """Yield a presentation's slides, each with its notes. Raises PackageError, MarkupError."""
    prose = Prose()
    read_xml(package.pieces(CONTENT), prose)
    for number, flow in enumerate(prose.flows):
        for block in flow.blocks():
            yield Block(block.text, Slides(first=number, last=number) if number else None, block.kind)


def sheets(package: Package) -> Iterator[Block]:
    """Yield each sheet's name and rows, as they are shown. Raises PackageError, MarkupError."""
    prose = Prose(has_sheets=True)
    read_xml(package.pieces(CONTENT), prose)
    for flow, name in zip(prose.flows[1:], prose.names, strict=True):
        place = Cells(sheet=name)
        found = list(flow.blocks())
        if found and name:
            yield Block(name, place)
        yield from (Block(block.text, place, block.kind) for block in found)


def _flow(package: Package, part: str, only: str) -> Flow:
    prose = Prose(only)
    read_xml(package.pieces(part), prose)
    return prose.flows[0]


def _attribute(attributes: Mapping[str, str], name: str) -> str:
    return next((value for key, value in attributes.items() if local_name(key) == name), "")


def _count(attributes: Mapping[str, str], name: str, most: int) -> int:
    told = _attribute(attributes, name)
    return min(int(told[:9]), most) if told.isdecimal() and told.isascii() else 1
