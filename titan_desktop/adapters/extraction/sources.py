"""The words that a document's own XML or HTML has, for the check of what was lost (`losses`).

Nothing here knows how the text is read: parts of the archive, tags stripped, and what no reader shows left out.
"""

import re
from collections.abc import Iterable

from titan_desktop.adapters.extraction import losses
from titan_desktop.adapters.extraction.package import Package, PackageError

_BYTES_MAX = 32 * 1024 * 1024
"""Of the parts that are looked at: more would cost as long as reading them."""
_WORD_PARTS = re.compile(r"word/(?:document|(?:header|footer)\d*|footnotes|endnotes|comments)\.xml")
_SLIDE_PARTS = re.compile(r"ppt/(?:slides/slide|notesSlides/notesSlide|charts/chart|diagrams/data)\d+\.xml")
_SHEET_PARTS = re.compile(r"xl/(?:sharedStrings|(?:comments/)?comments?\d*|drawings/drawing\d+)\.xml")
_RUNS = re.compile(r"<(?:\w+:)?t(?: [^<>]*)?>([^<]*)<|<c:v>([^<]*)<")
_ELEMENT = r"<{name}(?:\s[^<>]*)?>[^<]*</{name}>"
_UNSHOWN = re.compile(
    "|".join(_ELEMENT.format(name=name) for name in ("dc:date", "meta:date-string", "text:page-number"))
)
_BOOK_UNSHOWN = re.compile(
    "|".join(_ELEMENT.format(name=name) for name in ("genre", "lang", "src-lang", "id", "version", "binary"))
)
_BETWEEN = re.compile(
    r"<text:tracked-changes\b|<office:automatic-styles\b|<document-info\b|<office:forms\b|<a:fld\b|<rPh\b"
)


def of_word(package: Package) -> frozenset[str]:
    """Return the words of a DOCX, without deleted ones."""
    return _runs(package, _WORD_PARTS)


def of_slides(package: Package) -> frozenset[str]:
    """Return the words of a PPTX."""
    return _runs(package, _SLIDE_PARTS)


def of_sheets(package: Package) -> frozenset[str]:
    """Return the words of an XLSX that are not computed."""
    return _runs(package, _SHEET_PARTS)


def of_open_document(package: Package) -> frozenset[str]:
    """Return the words of an OpenDocument text or presentation."""
    return losses.words(_without(_UNSHOWN.sub(" ", _joined(package, ["content.xml"]))))


def of_book(text: str) -> frozenset[str]:
    """Return the words of a FictionBook."""
    return losses.words(_without(_BOOK_UNSHOWN.sub(" ", text[:_BYTES_MAX])))


def _runs(package: Package, parts: re.Pattern[str]) -> frozenset[str]:
    markup = _without(_joined(package, filter(parts.fullmatch, package.names)))
    return losses.words("\n".join("".join(found) for found in _RUNS.findall(markup)))


def _joined(package: Package, parts: Iterable[str]) -> str:
    read: list[bytes] = []
    size = 0
    try:
        for part in parts:
            for piece in package.pieces(part):
                read.append(piece)
                size += len(piece)
                if size > _BYTES_MAX:
                    return ""
    except PackageError:
        return ""
    return b"".join(read).decode("utf-8", "replace")


def _without(markup: str) -> str:
    """Return the markup without the elements that no reader shows, each from its begin to its end."""
    kept, at = [], 0
    while found := _BETWEEN.search(markup, at):
        kept.append(markup[at : found.start()])
        at = markup.find(f"</{found[0][1:]}>", found.end())
        if at < 0:
            break
    else:
        kept.append(markup[at:])
    return " ".join(kept)
