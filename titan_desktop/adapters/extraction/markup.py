"""XML and HTML, read event by event through lxml: forgiving, in bounded memory, fetching nothing.

XML keeps libxml2's limits on depth, on the length of a text and on entities. HTML has no entities of its own, and
may be as deep as pages are that no browser refuses.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from lxml import etree

_PIECE_CHARACTERS = 65_536
_DECLARED = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_DROPPED = {
    "<script": "</script",
    "<style": "</style",
    "<template": "</template",
    "<!--": "-->",
}
_DROPPED_BEGIN = re.compile("|".join(_DROPPED), re.IGNORECASE)


class MarkupError(Exception):
    """It is no markup at all."""


class Target(Protocol):
    """Hears what stands in a document. Names of XML come with their namespace in braces."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        ...

    def end(self, tag: str) -> None:
        """An element ends."""
        ...

    def data(self, text: str) -> None:
        """Text, in pieces of any length."""
        ...

    def close(self) -> None:
        """The end."""
        ...


def read_xml(pieces: Iterable[bytes | str], target: Target) -> None:
    """Tell a target of an XML document; what is damaged in it is passed over.

    Raises:
        MarkupError: nothing in it is XML.
    """
    parser = etree.XMLParser(
        target=target, recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    _read(pieces, parser)


def read_html(text: str, target: Target) -> None:
    """Tell a target of an HTML page. Raises MarkupError."""
    text = _DECLARED.sub("", text)
    _read(
        (text[at : at + _PIECE_CHARACTERS] for at in range(0, len(text), _PIECE_CHARACTERS)),
        etree.HTMLParser(target=target, recover=True, no_network=True, huge_tree=True),
    )


def _read(pieces: Iterable[bytes | str], parser: "etree.XMLParser | etree.HTMLParser") -> None:
    try:
        for piece in pieces:
            parser.feed(piece)
        parser.close()
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise MarkupError(str(error)) from error


def shown(page: str) -> str:
    """Return a page's source without scripts, styles and comments, of which a reader sees nothing."""
    kept, at = [], 0
    while found := _DROPPED_BEGIN.search(page, at):
        kept.append(page[at : found.start()])
        closing = re.compile(_DROPPED[found[0].lower()], re.IGNORECASE).search(page, found.end())
        if closing is None:
            break
        at = closing.end()
    else:
        kept.append(page[at:])
    return " ".join(kept)
