"""Parts of an Office document of which kreuzberg does not speak: XML in a ZIP, with relations (ECMA-376, part 2).

A document may be odd and still give its text, so who asks for a part hears `PackageError` and does without.
"""

import contextlib
import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree as ET

_PIECE_BYTES = 65_536
_ODD = (KeyError, ValueError, OSError, NotImplementedError, zipfile.BadZipFile, zlib.error, ET.ParseError)


class PackageError(Exception):
    """The document has no such part, or one that cannot be read."""


class Package:
    """An Office document's parts. What they unpack to has been bounded before."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self.names = frozenset(self._zip.namelist())
        except _ODD as error:
            raise PackageError from error

    @property
    def title(self) -> str:
        """The document's title, "" for none (ECMA-376, part 2, 11; ODF 1.3, part 3, 4.3.2.7)."""
        for part in ("docProps/core.xml", "meta.xml"):
            if part in self.names:
                with contextlib.suppress(PackageError):
                    for element in self.root(part).iter():
                        if local_name(element.tag) == "title":
                            return element.text or ""
        return ""

    def root(self, part: str) -> ET.Element:
        """Return a part's root element. Expat bounds what entities become (2.4) and fetches nothing."""
        try:
            return ET.fromstring(self._zip.read(part))  # noqa: S314 - see above
        except _ODD as error:
            raise PackageError(part) from error

    def pieces(self, part: str) -> Iterator[bytes]:
        """Yield a part piece by piece: a sheet may unpack to hundreds of megabytes."""
        try:
            with self._zip.open(part) as opened:
                while piece := opened.read(_PIECE_BYTES):
                    yield piece
        except _ODD as error:
            raise PackageError(part) from error

    def related(self, part: str) -> dict[str, str]:
        """Return the names of the parts that a part points to, by the ids that it uses for them."""
        folder, name = posixpath.split(part)
        if f"{folder}/_rels/{name}.rels" not in self.names:
            return {}
        return {
            relation.get("Id", ""): posixpath.normpath(
                posixpath.join("/", folder, relation.get("Target", ""))
            )[1:]
            for relation in self.root(f"{folder}/_rels/{name}.rels")
        }


def relation_of(element: ET.Element) -> str:
    """Return the id by which an element points to another part; its namespace differs between editions."""
    return next((value for name, value in element.items() if name.endswith("relationships}id")), "")


def local_name(tag: str) -> str:
    """Return an element's name without its namespace, which differs between editions."""
    return tag.rpartition("}")[2]
