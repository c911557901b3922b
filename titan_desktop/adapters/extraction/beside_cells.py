"""What an XLSX has beside its cells (ECMA-376, part 1, 18.7 and 20.5): comments, charts, texts in shapes."""

import re
from collections.abc import Iterator, Mapping

from titan_desktop.adapters.extraction.charts import read_chart
from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.markup import MarkupError, read_xml
from titan_desktop.adapters.extraction.package import Package, PackageError, local_name, relation_of
from titan_desktop.adapters.extraction.presentation import Shapes
from titan_desktop.adapters.extraction.tidy import tidied
from titan_desktop.contracts.sources import Cells
from titan_desktop.ports.extractor import Block

_WORKBOOK = "xl/workbook.xml"
_COMMENTS = re.compile(r"xl/(?:comments/)?comments?\d*\.xml")
_DRAWINGS = "xl/drawings/drawing"
_CHARTS = "xl/charts/chart"
_CELL = re.compile(r"[A-Z]{1,3}[1-9]\d{0,6}")


class _Comments:
    """The `markup.Target` that collects comments: cell, author, text."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self._authors: list[str] = []
        self._cell = self._kind = ""
        self._text: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """See `markup.Target`."""
        self._kind = local_name(tag)
        if self._kind == "author":
            self._authors.append("")
        elif self._kind == "comment":
            self._cell = attributes.get("ref", "")
            number = attributes.get("authorId", "")
            known = {str(at): author for at, author in enumerate(self._authors)}
            self._text = [f"{author}: "] if (author := known.get(number, "")) else []

    def end(self, tag: str) -> None:
        """See `markup.Target`."""
        self._kind = ""
        if local_name(tag) == "comment":
            self.found.append((self._cell, "".join(self._text)))

    def data(self, text: str) -> None:
        """See `markup.Target`."""
        if self._kind == "author":
            self._authors[-1] += text
        elif self._kind == "t":
            self._text.append(text)

    def close(self) -> None:
        """Nothing is left over."""


def blocks(package: Package) -> Iterator[Block]:
    """Yield comments at their cells, charts and shapes at their sheets; what cannot be read is passed over."""
    try:
        related = package.related(_WORKBOOK)
        sheets = [item for item in package.root(_WORKBOOK).iter() if local_name(item.tag) == "sheet"]
    except PackageError:
        return
    for item in sheets:
        sheet = tidied(item.get("name", ""))
        try:
            yield from _beside(package, related.get(relation_of(item), ""), sheet)
        except (PackageError, MarkupError):
            continue


def _beside(package: Package, part: str, sheet: str) -> Iterator[Block]:
    for name in package.related(part).values():
        if _COMMENTS.fullmatch(name):
            comments = _Comments()
            read_xml(package.pieces(name), comments)
            for cell, text in comments.found:
                if text := tidied(text):
                    named = cell if _CELL.fullmatch(cell) else ""
                    yield Block(text, Cells(sheet=sheet, first=named, last=named))
        elif name.startswith(_DRAWINGS):
            flow = Flow()
            read_xml(package.pieces(name), Shapes(flow))
            for chart in package.related(name).values():
                if chart.startswith(_CHARTS):
                    read_chart(package.pieces(chart), flow)
            for block in flow.blocks():
                yield Block(block.text, Cells(sheet=sheet), block.kind)
