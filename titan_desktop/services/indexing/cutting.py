"""A document's blocks cut into passages: what is searched, shown as a source, and given to the model.

Cut where the author paused: between paragraphs, then lines, sentences, words. Short paragraphs share a
passage; a long one is parted evenly, and each part begins with the last sentences of the one before, because
a question's words often stand on both sides of a cut (tests/benchmarks/retrieval.py: a share of 0.003 of the
first hits). A passage may reach from one page or slide into the next, and knows from where to where. What is
cut out of a table begins with the table's first row: without the names of its columns a number says nothing.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from titan_desktop.contracts.sources import Place
from titan_desktop.ports.extractor import Block, BlockKind
from titan_desktop.ports.passages import Passage
from titan_desktop.services.indexing.places import joinable, joined, narrowed

TARGET = 1_200
"""The length in characters at which a passage is closed."""
LIMIT = 1_600
"""The maximum length of a passage in characters."""
OVERLAP = LIMIT - TARGET
"""How many characters of one part the next may repeat."""
HEADER_LIMIT = 300
"""The most characters of a row that each passage of a table repeats."""
MOST_PASSAGES = 8_000
"""The most passages of one file, ten million characters: a book of five thousand pages, not a year of logs."""

_PARAGRAPHS = re.compile(r"\n[ \t\f\v]*\n\s*")
_AROUND = " \n\r\v\f"
"""Not the tabs: they part the cells of a table, of which the first may be empty."""
_PAUSES = (
    (re.compile(r"\n"), "\n"),
    (re.compile(r"[.!?…。！？][»”\"')\]]?(\s+)"), " "),
    (re.compile(r"\s+"), " "),
)
"""Where a paragraph may be cut (a pattern, or its group), the best place first, and the text that joins the parts
again."""


def cut(blocks: Iterable[Block]) -> list[Passage]:
    """Return the passages of a document in order: none empty or longer than `LIMIT`.

    They are at most one more than `MOST_PASSAGES`, which says that there would be others.
    """
    return list(islice(_passages(blocks), MOST_PASSAGES + 1))


def _passages(blocks: Iterable[Block]) -> Iterator[Passage]:
    current: Passage | None = None
    for paragraph in _paragraphs(blocks):
        if current is not None:
            text = f"{current.text}\n\n{paragraph.text}"
            if len(text) <= LIMIT and len(current.text) < TARGET and joinable(current.place, paragraph.place):
                current = Passage(text, joined(current.place, paragraph.place))
                continue
            yield current
        header = "" if paragraph.is_first else paragraph.header
        current = Passage(header + paragraph.text, paragraph.place)
        if len(current.text) > LIMIT:
            yield from _parts(paragraph)
            current = None
    if current is not None:
        yield current


class _Paragraph(NamedTuple):
    """A paragraph of whatever length, its place, its table's first row or "", and whether it begins with that."""

    text: str
    place: Place | None
    header: str = ""
    is_first: bool = True


def _paragraphs(blocks: Iterable[Block]) -> Iterator[_Paragraph]:
    """Yield every paragraph of every block."""
    for block in blocks:
        line, header = 0, ""
        for part, after in _split(_PARAGRAPHS, block.text):
            if part.strip() and (paragraph := part.strip(_AROUND)):
                begin = line + part.count("\n", 0, part.index(paragraph[0]))
                place = narrowed(block.place, begin, begin + paragraph.count("\n"))
                is_first = not header
                if is_first and block.kind is BlockKind.TABLE:
                    header = _header(paragraph)
                yield _Paragraph(paragraph, place, header, is_first)
            line += part.count("\n") + after.count("\n")


def _header(table: str) -> str:
    """Return a table's first row, "" where it is too long to be the names of columns."""
    row = table[: HEADER_LIMIT + 1].partition("\n")[0] + "\n"
    return row if len(row) <= HEADER_LIMIT else ""


def _parts(paragraph: _Paragraph) -> Iterator[Passage]:
    """Split a long paragraph evenly, so that no short rest remains."""
    goal = len(paragraph.text) / math.ceil(len(paragraph.text) / TARGET)
    limit = LIMIT - len(paragraph.header)
    part: list[_Piece] = []
    size = fresh = 0
    header = "" if paragraph.is_first else paragraph.header
    for piece in _pieces(paragraph.text):
        if fresh and (fresh >= goal or size + len(piece.text) > limit):
            yield _passage_of(part, paragraph.place, header)
            header = paragraph.header
            part = _tail(part, min(OVERLAP, limit - len(piece.text)))
            size, fresh = sum(len(each.text) for each in part), 0
        part.append(piece)
        size += len(piece.text)
        fresh += len(piece.text)
    yield _passage_of(part, paragraph.place, header)


class _Piece(NamedTuple):
    """A piece that is not split further, its separator from the next, and its line in the paragraph, from 0."""

    text: str
    line: int


def _passage_of(part: Sequence[_Piece], place: Place | None, header: str) -> Passage:
    text = header + "".join(piece.text for piece in part).strip(_AROUND)
    return Passage(text, narrowed(place, part[0].line, part[-1].line))


def _pieces(text: str) -> Iterator[_Piece]:
    """Yield lines, or the sentences of long lines, or their words."""
    pause, between = _PAUSES[0]
    for number, (line, _) in enumerate(_split(pause, text)):
        if len(line) < TARGET:
            yield _Piece(line + between, number)
        else:
            for piece in _smaller(line, 1):
                yield _Piece(piece, number)


def _smaller(text: str, depth: int) -> Iterator[str]:
    if depth == len(_PAUSES):
        for start in range(0, len(text), TARGET):
            yield text[start : start + TARGET]
        return
    pause, between = _PAUSES[depth]
    for part, _ in _split(pause, text):
        if len(part) < TARGET:
            yield part + between
        else:
            yield from _smaller(part, depth + 1)


def _split(pause: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    """Yield the texts between pauses, each with its pause, "" at the end.

    Step by step: `pause.split` would block the interpreter, and the loop, for the whole of a long text.
    """
    begin = 0
    for found in pause.finditer(text):
        end, after = found.span(pause.groups)
        yield text[begin:end], text[end:after]
        begin = after
    yield text[begin:], ""


def _tail(part: list[_Piece], room: int) -> list[_Piece]:
    """Return the last pieces that fit into `room` characters."""
    tail: list[_Piece] = []
    for piece in reversed(part):
        room -= len(piece.text)
        if room < 0:
            break
        tail.insert(0, piece)
    return tail
