"""Slides told apart: kreuzberg marks where each begins, and numbers them by the names of their parts.

The order in which they are shown stands in the presentation itself (ECMA-376, part 1, 19.2.1.34), and is another
where slides were moved by a program that keeps the names. Speaker's notes are read here, too: kreuzberg takes
`notesSlide1.xml` for the notes of `slide1.xml`, which holds only where every slide has some.
"""

import re
import secrets
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from titan_desktop.adapters.extraction import tidy
from titan_desktop.adapters.extraction.package import Package, PackageError, local_name, relation_of
from titan_desktop.contracts.sources import Slides
from titan_desktop.ports.extractor import Block

_PRESENTATION = "ppt/presentation.xml"
_SLIDES = "ppt/slides/"
_NOTES = "ppt/notesSlides/"
_NUMBER = re.compile(r"(?<!\d)(\d{1,9})\.xml$")
_NOTES_BEGIN = re.compile(r"(?:^|\n\n)Notes:\n\n")


class Marks:
    """What kreuzberg writes before each slide of one document. Drawn by lot, so that no text holds it."""

    def __init__(self) -> None:
        self._token = secrets.token_hex(8)

    @property
    def format(self) -> str:
        """For `kreuzberg.PageConfig`."""
        return f"\n\n{self._token}:{{page_num}}\n\n"

    def blocks(self, content: str, data: bytes) -> Iterator[Block]:
        """Yield the slides that have text, in the order in which they are shown, each with its notes."""
        first, *marked = re.split(rf"^{self._token}:(\d+)$", content, flags=re.MULTILINE)
        texts = [tidy.tidied(text) for text in (first, *marked[1::2])]
        try:
            yield from _Deck(Package(data)).blocks(dict(zip(map(int, marked[::2]), texts[1:], strict=True)))
        except PackageError:
            yield from map(Block, filter(None, texts))


class _Deck:
    """What the parts of one presentation say of its slides."""

    def __init__(self, package: Package) -> None:
        self._package = package
        parts = package.related(_PRESENTATION)
        self._numbered = sorted((part for part in parts.values() if part.startswith(_SLIDES)), key=_number)
        listed = [item for item in package.root(_PRESENTATION).iter() if local_name(item.tag) == "sldId"]
        self._shown = [parts.get(relation_of(item), "") for item in listed]

    def blocks(self, texts: dict[int, str]) -> Iterator[Block]:
        """Yield the slides; `texts` are kreuzberg's, by its numbers.

        Raises:
            PackageError: the presentation does not say which slides it shows, or not all of them.
        """
        if sorted(self._shown) != sorted(self._numbered) or len(texts) > len(self._numbered):
            raise PackageError(_PRESENTATION)
        slides = {
            part: self._slide(part, texts.get(number, "")) for number, part in enumerate(self._numbered, 1)
        }
        for place, part in enumerate(self._shown, 1):
            if slides[part]:
                yield Block(slides[part], Slides(first=place, last=place))

    def _slide(self, part: str, text: str) -> str:
        """Return a slide's text with its own notes in place of those that kreuzberg takes for its."""
        begins = [found.start() for found in _NOTES_BEGIN.finditer(text)]
        if begins and f"{_NOTES}notesSlide{_number(part)}.xml" in self._package.names:
            text = text[: begins[-1]]
        related = self._package.related(part).values()
        notes = "\n\n".join(self._notes(name) for name in related if name.startswith(_NOTES))
        return f"{text}\n\nNotes:\n\n{notes}".strip() if notes else text

    def _notes(self, part: str) -> str:
        """Return the paragraphs of the notes, without the slide's number, the date and so on."""
        shapes = [shape for shape in self._package.root(part).iter() if local_name(shape.tag) == "sp"]
        bodies = [shape for shape in shapes if any(_is_body(item) for item in shape.iter())]
        paragraphs = [item for body in bodies for item in body.iter() if local_name(item.tag) == "p"]
        return tidy.tidied("\n\n".join(map(_text, paragraphs)))


def _is_body(item: ET.Element) -> bool:
    return local_name(item.tag) == "ph" and item.get("type") == "body"


def _text(paragraph: ET.Element) -> str:
    return "".join(item.text or "" for item in paragraph.iter() if local_name(item.tag) == "t")


def _number(part: str) -> float:
    found = _NUMBER.search(part)
    return int(found[1]) if found else float("inf")
