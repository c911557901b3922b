"""FictionBook 2: title, authors, annotation, text with poems and tables, notes."""

import re
from collections.abc import Iterator, Mapping

from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.markup import read_xml
from titan_desktop.adapters.extraction.package import local_name
from titan_desktop.ports.extractor import Block

_LEFT_OUT = frozenset({"binary", "document-info", "stylesheet", "src-title-info"})
_PARAGRAPHS = frozenset(
    {"p", "v", "subtitle", "text-author", "book-title", "author", "translator", "date", "publisher"}
)
_WORDS = _PARAGRAPHS | {"td", "th", "first-name", "middle-name", "last-name", "nickname"}
_SPACES = re.compile(r"\s+")
_DECLARED = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")


class _Book:
    """The `markup.Target` that writes a book into a flow."""

    def __init__(self, flow: Flow) -> None:
        self.title = ""
        self._flow = flow
        self._left_out = self._words = 0
        self._in_title = False

    def start(self, tag: str, _: Mapping[str, str]) -> None:
        name = local_name(tag)
        if self._left_out or name in _LEFT_OUT:
            self._left_out += 1
            return
        self._words += name in _WORDS
        self._in_title = name == "book-title" and not self.title
        if name == "table":
            self._flow.begin_table()

    def end(self, tag: str) -> None:
        if self._left_out:
            self._left_out -= 1
            return
        name = local_name(tag)
        self._words -= name in _WORDS
        self._in_title = False
        match name:
            case "first-name" | "middle-name" | "last-name" | "nickname":
                self._flow.write(" ")
            case "td" | "th":
                self._flow.end_cell()
            case "tr":
                self._flow.end_row()
            case "table":
                self._flow.end_table()
            case _ if name in _PARAGRAPHS:
                self._flow.end_paragraph()

    def data(self, text: str) -> None:
        if self._left_out:
            return
        if self._in_title:
            self.title += text
        if self._words:
            self._flow.write(_SPACES.sub(" ", text))

    def close(self) -> None:
        """Nothing is left over."""


def read(text: str) -> tuple[Iterator[Block], str]:
    """Return a book's blocks and its title. Raises MarkupError."""
    flow = Flow()
    book = _Book(flow)
    read_xml([_DECLARED.sub("", text)], book)
    return flow.blocks(), book.title
