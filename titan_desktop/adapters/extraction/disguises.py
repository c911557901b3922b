"""Texts that are something else than their name says: mails, pages, and Office documents of one XML file each.

Word and Excel open a `.doc` that is MIME, HTML or XML and an `.xls` that is HTML or XML without a word, and many
programs write them.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum

from titan_desktop.adapters.extraction import losses, tidy
from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.markup import MarkupError, read_xml
from titan_desktop.adapters.extraction.package import local_name
from titan_desktop.adapters.extraction.wordprocessing import Wording
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Cells
from titan_desktop.ports.extractor import Block, BlockKind, Extracted, ExtractionError

_PAGES = frozenset({"html", "htm", "xhtml"})
_OFFICE = frozenset({"doc", "docx", "dot", "xls", "xlsx", "xlt", "rtf", "odt", "ods"})
_MAILS = frozenset({"eml", "mht", "mhtml"})
_MIME = re.compile(r"^MIME-Version:[ \t]*1\.0", re.IGNORECASE | re.MULTILINE)
_HEADER_LINE = re.compile(r"^[A-Za-z][A-Za-z0-9-]{0,60}:", re.MULTILINE)
_ENVELOPE = re.compile(r"^From [^\n]{0,200}\d\d:\d\d[^\n]{0,60}\n>?[A-Za-z][A-Za-z0-9-]{0,60}:")
_PAGE_BEGIN = re.compile(r"<(?:!doctype html|html|head|meta|body|table|style|div|p)\b", re.IGNORECASE)
_DECLARED = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_COLUMNS_MAX = 16_384


class Disguise(Enum):
    """What a text is."""

    MAIL = "mail"
    MAILBOX = "mailbox"
    PAGE = "page"
    WORD = "word"
    SHEETS = "sheets"


def told(begin: str, extension: str) -> Disguise | None:
    """Return what a text is that begins so, None if it is what its name says.

    Args:
        begin: its first kilobytes.
        extension: of its name. A text of any name may be a mail; a page is one only under a document's name,
            because a `.txt` or `.md` with tags is what its author wrote.
    """
    begin = begin.removeprefix("\ufeff").replace("\r\n", "\n")
    if _ENVELOPE.match(begin):
        return Disguise.MAILBOX
    header = begin.partition("\n\n")[0]
    if extension in _MAILS or (_HEADER_LINE.match(header) and _MIME.search(header)):
        return Disguise.MAIL
    if extension == "xml" or extension in _OFFICE:
        if "schemas.microsoft.com/office/word/2003/wordml" in begin or "office/2006/xmlPackage" in begin:
            return Disguise.WORD
        if "urn:schemas-microsoft-com:office:spreadsheet" in begin:
            return Disguise.SHEETS
    if extension in _OFFICE and _PAGE_BEGIN.match(begin.lstrip()):
        return Disguise.PAGE
    return None


def word(text: str) -> Extracted:
    """Return the blocks of a Word document in one XML file, of 2003 or "flat". Raises ExtractionError."""
    flow = Flow()
    _read(text, _FlatWord(flow))
    return _checked(tuple(flow.blocks()), "application/msword")


def sheets(text: str) -> Extracted:
    """Return the blocks of an Excel book in XML of 2003. Raises ExtractionError."""
    book = _Book()
    _read(text, book)
    return _checked(tuple(book.blocks()), "application/vnd.ms-excel")


def _read(text: str, target: "_FlatWord | _Book") -> None:
    try:
        read_xml([_DECLARED.sub("", text)], target)
    except MarkupError as error:
        raise ExtractionError(Reason.BROKEN, str(error)[:200]) from error


def _checked(blocks: tuple[Block, ...], mime_type: str) -> Extracted:
    loss = losses.loss_of("\n".join(block.text for block in blocks))
    gap, detail = (Reason.NONE, "") if loss is None else (loss.reason, loss.detail)
    return Extracted(blocks, mime_type, gap=gap, gap_detail=detail)


class _FlatWord(Wording):
    """Hears only the parts that have text, of all that stand in one file."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow)
        self._passed_over = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """See `markup.Target`."""
        name = local_name(tag)
        if self._passed_over or name in {"styles", "fonts", "lists", "docPr", "binData", "binaryData"}:
            self._passed_over += 1
        else:
            super().start(tag, attributes)

    def end(self, tag: str) -> None:
        """See `markup.Target`."""
        if self._passed_over:
            self._passed_over -= 1
        else:
            super().end(tag)


class _Book:
    """The `markup.Target` that collects the rows of each sheet."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._sheet = ""
        self._rows: list[str] = []
        self._row: list[str] = []
        self._data: list[str] | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        match local_name(tag):
            case "Worksheet":
                self._sheet = tidy.title(_attribute(attributes, "Name"))
                if self._sheet:
                    self._blocks.append(Block(self._sheet, Cells(sheet=self._sheet)))
            case "Row":
                self._row = []
            case "Cell":
                number = _attribute(attributes, "Index")
                column = min(int(number), _COLUMNS_MAX) if number.isdecimal() and number.isascii() else 0
                self._row += [""] * (column - 1 - len(self._row))
                self._row.append("")
            case "Data":
                self._data = []

    def end(self, tag: str) -> None:
        match local_name(tag):
            case "Data":
                if self._data is not None and self._row:
                    said = " ".join("".join(self._data).split())
                    self._row[-1] = " ".join(filter(None, (self._row[-1], said)))
                self._data = None
            case "Row" if any(self._row):
                self._rows.append("\t".join(self._row))
            case "Worksheet":
                if rows := tidy.tidied_lines("\n".join(self._rows)):
                    self._blocks.append(Block(rows, Cells(sheet=self._sheet), BlockKind.TABLE))
                self._rows = []

    def data(self, text: str) -> None:
        if self._data is not None:
            self._data.append(text)

    def close(self) -> None:
        """Nothing is left over."""

    def blocks(self) -> Iterator[Block]:
        return iter(self._blocks)


def _attribute(attributes: Mapping[str, str], name: str) -> str:
    return next((value for key, value in attributes.items() if local_name(key) == name), "")
