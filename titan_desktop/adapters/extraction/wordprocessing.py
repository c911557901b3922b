"""WordprocessingML (ECMA-376, part 1, 17): a DOCX with its headers, footers, notes, comments and text boxes.

Deleted text is left out, moved text stands where it was moved to.
"""

import re
from collections.abc import Iterator, Mapping

from titan_desktop.adapters.extraction.charts import read_chart
from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.markup import read_xml
from titan_desktop.adapters.extraction.package import Package, PackageError, local_name
from titan_desktop.ports.extractor import Block

_BODY = "word/document.xml"
_PARTS = re.compile(
    r"word/(?:document|(?:header|footer)\d*|footnotes|endnotes|comments|charts/chart\d+)\.xml"
)
_ORDER = ("header", "document", "chart", "footnotes", "endnotes", "comments", "footer")
_LEFT_OUT = frozenset(
    (  # noqa: SIM905 - see above
        "pPr rPr sectPr tblPr trPr tcPr del moveFrom instrText delText delInstrText Fallback"
    ).split()
)
_WORDS = frozenset({"t"})


class Wording:
    """The `markup.Target` that writes one part into a flow."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._left_out = 0
        self._in_words = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """See `markup.Target`."""
        name = local_name(tag)
        if self._left_out or name in _LEFT_OUT:
            self._left_out += 1
            return
        self._in_words = name in _WORDS
        match name:
            case "tab" | "ptab":
                self._flow.write("\t")
            case "br" | "cr":
                self._flow.write("\n")
            case "noBreakHyphen":
                self._flow.write("-")
            case "tbl":
                self._flow.begin_table()
            case "txbxContent":
                self._flow.begin_aside()
            case _:
                self._flow.write(_said_by(name, attributes))

    def end(self, tag: str) -> None:
        """See `markup.Target`."""
        if self._left_out:
            self._left_out -= 1
            return
        self._in_words = False
        match local_name(tag):
            case "p":
                self._flow.end_paragraph()
            case "tc":
                self._flow.end_cell()
            case "tr":
                self._flow.end_row()
            case "tbl":
                self._flow.end_table()
            case "txbxContent":
                self._flow.end_aside()

    def data(self, text: str) -> None:
        """See `markup.Target`."""
        if self._in_words and not self._left_out:
            self._flow.write(text)

    def close(self) -> None:
        """Nothing is left over."""


def blocks(package: Package) -> Iterator[Block]:
    """Yield a document's blocks. Raises PackageError, MarkupError."""
    if _BODY not in package.names:
        raise PackageError(_BODY)
    seen: set[tuple[Block, ...]] = set()
    for part in parts(package):
        flow = Flow()
        if "chart" in part:
            read_chart(package.pieces(part), flow)
        else:
            read_xml(package.pieces(part), Wording(flow))
        found = tuple(flow.blocks())
        if found not in seen:  # the same header on the first page, on even and on odd ones
            seen.add(found)
            yield from found


def parts(package: Package) -> list[str]:
    """Return the parts that have text, in the order in which it is read."""
    names = sorted(filter(_PARTS.fullmatch, package.names))
    return sorted(names, key=lambda name: next(at for at, kind in enumerate(_ORDER) if kind in name))


def _said_by(name: str, attributes: Mapping[str, str]) -> str:
    """Return what an element says by its attributes: a note's mark, a comment's author, what a picture shows."""
    match name:
        case "footnoteReference" | "endnoteReference":
            return f"[^{_attribute(attributes, 'id')}]"
        case "footnote" | "endnote" if not _attribute(attributes, "type"):
            return f"[^{_attribute(attributes, 'id')}] "
        case "comment" if author := _attribute(attributes, "author"):
            return f"{author}: "
        case "docPr" if description := attributes.get("descr", "").strip():
            return f" {description} "
    return ""


def _attribute(attributes: Mapping[str, str], name: str) -> str:
    return next((value for key, value in attributes.items() if local_name(key) == name), "")
