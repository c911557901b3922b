"""Slides of a PPTX (ECMA-376, part 1, 19): texts of all shapes, grouped ones too, tables, charts, diagrams, notes.

The order in which they are shown stands in the presentation itself (19.2.1.34), and is another than that of their
parts' names where slides were moved.
"""

import re
from collections.abc import Iterator, Mapping

from titan_desktop.adapters.extraction.charts import read_chart
from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.markup import read_xml
from titan_desktop.adapters.extraction.package import Package, local_name, relation_of
from titan_desktop.contracts.sources import Slides
from titan_desktop.ports.extractor import Block

_PRESENTATION = "ppt/presentation.xml"
_SLIDE = re.compile(r"ppt/slides/[^/]+\.xml")
_NOTES = "ppt/notesSlides/"
_CHARTS = "/charts/chart"
_DIAGRAMS = "/diagrams/data"
_COMMENTS = "/comments/"
_NOTES_LABEL = "Notes:"
_COUNTED = ("slidenum", "datetime")
"""Fields that every slide has, and that say nothing of it."""


class Shapes:
    """The `markup.Target` that writes the texts of one part into a flow: of a slide, its notes, a diagram."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._in_words = False
        self._left_out = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """See `markup.Target`."""
        name = local_name(tag)
        if self._left_out or (name == "fld" and attributes.get("type", "").startswith(_COUNTED)):
            self._left_out += 1
            return
        self._in_words = name in {"t", "text"}
        match name:
            case "br":
                self._flow.write("\n")
            case "tbl":
                self._flow.begin_table()
            case "cNvPr" if description := attributes.get("descr", "").strip():
                self._flow.write(description)
                self._flow.end_paragraph()

    def end(self, tag: str) -> None:
        """See `markup.Target`."""
        if self._left_out:
            self._left_out -= 1
            return
        self._in_words = False
        match local_name(tag):
            case "p" | "cm":
                self._flow.end_paragraph()
            case "tc":
                self._flow.end_cell()
            case "tr":
                self._flow.end_row()
            case "tbl":
                self._flow.end_table()

    def data(self, text: str) -> None:
        """See `markup.Target`."""
        if self._in_words and not self._left_out:
            self._flow.write(text)

    def close(self) -> None:
        """Nothing is left over."""


def blocks(package: Package) -> Iterator[Block]:
    """Yield the slides that have text, in the order in which they are shown, each with its notes.

    Where that cannot be told, they come in the order of their names, and have no place.

    Raises:
        PackageError: it has no slides.
        MarkupError: one of them cannot be read.
    """
    shown = _shown(package)
    for number, part in enumerate(shown or sorted(filter(_SLIDE.fullmatch, package.names), key=_number), 1):
        for block in _slide(package, part):
            yield Block(block.text, Slides(first=number, last=number) if shown else None, block.kind)


def _shown(package: Package) -> list[str]:
    """Return the slides as they are shown, none where the presentation does not say it, or not of all."""
    parts = package.related(_PRESENTATION)
    listed = [item for item in package.root(_PRESENTATION).iter() if local_name(item.tag) == "sldId"]
    shown = [parts.get(relation_of(item), "") for item in listed]
    return shown if sorted(shown) == sorted(part for part in parts.values() if _SLIDE.fullmatch(part)) else []


def _number(part: str) -> tuple[int, str]:
    return len(part), part


def _slide(package: Package, part: str) -> Iterator[Block]:
    flow = Flow()
    read_xml(package.pieces(part), Shapes(flow))
    related = [name for name in package.related(part).values() if name in package.names]
    for name in related:
        if _CHARTS in name:
            read_chart(package.pieces(name), flow)
        elif _DIAGRAMS in name or _COMMENTS in name:
            read_xml(package.pieces(name), Shapes(flow))
            flow.end_paragraph()
    for name in related:
        if name.startswith(_NOTES):
            notes = Flow()
            read_xml(package.pieces(name), Shapes(notes))
            if text := "\n\n".join(block.text for block in notes.blocks()):
                flow.write(f"{_NOTES_LABEL}\n\n{text}")
                flow.end_paragraph()
    return flow.blocks()
