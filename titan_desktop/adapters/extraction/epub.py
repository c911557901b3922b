"""EPUB (3.3): the parts of a book in the order in which they are read, under its title and authors."""

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote

from titan_desktop.adapters.extraction import webpage
from titan_desktop.adapters.extraction.charset import decode
from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.package import Package, PackageError, local_name
from titan_desktop.ports.extractor import Block

_CONTAINER = "META-INF/container.xml"
_PAGE = re.compile(r"\.x?html?$|\.xml$", re.IGNORECASE)


class Book:
    """The package document of one book.

    Raises:
        PackageError: it has none, or one without parts.
    """

    def __init__(self, package: Package) -> None:
        self._package = package
        paths = [item.get("full-path", "") for item in package.root(_CONTAINER).iter()]
        self._path = next(filter(None, paths), "")
        self.title = ""
        self.authors: list[str] = []
        hrefs: dict[str, str] = {}
        self.parts: list[str] = []
        for element in package.root(self._path).iter():
            match local_name(element.tag):
                case "title" if not self.title:
                    self.title = " ".join((element.text or "").split())
                case "creator":
                    self.authors.append(" ".join((element.text or "").split()))
                case "item":
                    hrefs[element.get("id", "")] = element.get("href", "")
                case "itemref" if part := self._part(hrefs.get(element.get("idref", ""), "")):
                    self.parts.append(part)
        if not self.parts:
            raise PackageError(self._path)

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks. Raises PackageError, MarkupError."""
        head = "\n".join(filter(None, (self.title, ", ".join(filter(None, self.authors)))))
        if head:
            yield Block(head)
        for text in self.pages():
            flow = Flow(has_layout=True)
            webpage.read(text, flow)
            yield from flow.blocks()

    def pages(self) -> Iterator[str]:
        """Yield the source of each part."""
        for part in dict.fromkeys(self.parts):
            yield decode(b"".join(self._package.pieces(part)))

    def _part(self, href: str) -> str:
        """Return the member of the archive that an address names, written as it is or encoded; "" for none."""
        folder = posixpath.dirname(self._path)
        for name in (href, unquote(href)):
            joined = posixpath.normpath(posixpath.join(folder, name.partition("#")[0]))
            if joined in self._package.names and _PAGE.search(joined):
                return joined
        return ""
