"""A document's text cut into passages: what is searched, shown as a source, and given to the model.

Cut where the author paused: between paragraphs, then lines, sentences, words. Short paragraphs share a
passage; a long one is parted evenly, and each part begins with the last sentences of the one before, because
a question's words often stand on both sides of a cut (tests/benchmarks/retrieval.py: a share of 0.003 of the
first hits).
"""

import math
import re
from collections.abc import Iterator

TARGET = 1_200
"""Characters at which a passage is closed."""
LIMIT = 1_600
"""Characters that no passage exceeds."""
OVERLAP = LIMIT - TARGET
"""Characters of one part that the next may repeat."""
MOST_PASSAGES = 8_000
"""Passages of one file at most, ten million characters: a book of five thousand pages, not a year of logs."""

_PARAGRAPHS = re.compile(r"\n[ \t\f\v]*\n\s*")
_PAUSES = (
    (re.compile(r"\n"), "\n"),
    (re.compile(r"[.!?…。！？][»”\"')\]]?(\s+)"), " "),
    (re.compile(r"\s+"), " "),
)
"""Where a paragraph may be cut (a pattern, or its group), the best place first, and what stands there again when
the parts are joined."""


def cut(text: str) -> list[str]:
    """Return the passages of `text` in order: none empty or longer than `LIMIT`, at most `MOST_PASSAGES`."""
    passages: list[str] = []
    for passage in _passages(text.replace("\r\n", "\n").replace("\r", "\n")):
        passages.append(passage)
        if len(passages) == MOST_PASSAGES:
            break
    return passages


def _passages(text: str) -> Iterator[str]:
    current = ""
    for part in _split(_PARAGRAPHS, text):
        paragraph = part.strip()
        joined = f"{current}\n\n{paragraph}" if current else paragraph
        if len(joined) <= LIMIT and len(current) < TARGET:
            current = joined
            continue
        if current:
            yield current
        current = paragraph
        if len(paragraph) > LIMIT:
            yield from _parts(paragraph)
            current = ""
    if current:
        yield current


def _parts(paragraph: str) -> Iterator[str]:
    """Part a long paragraph evenly, so that no crumb is left at its end."""
    goal = len(paragraph) / math.ceil(len(paragraph) / TARGET)
    part: list[str] = []
    size = fresh = 0
    for piece in _pieces(paragraph):
        if fresh and (fresh >= goal or size + len(piece) > LIMIT):
            yield "".join(part).strip()
            part = _tail(part, min(OVERLAP, LIMIT - len(piece)))
            size, fresh = sum(map(len, part)), 0
        part.append(piece)
        size += len(piece)
        fresh += len(piece)
    yield "".join(part).strip()


def _pieces(text: str, depth: int = 0) -> Iterator[str]:
    """Yield lines, or the sentences of long lines, or their words, each with what parts it from the next one."""
    if depth == len(_PAUSES):
        for start in range(0, len(text), TARGET):
            yield text[start : start + TARGET]
        return
    pause, between = _PAUSES[depth]
    for part in _split(pause, text):
        if len(part) < TARGET:
            yield part + between
        else:
            yield from _pieces(part, depth + 1)


def _split(pause: re.Pattern[str], text: str) -> Iterator[str]:
    """Split step by step: `pause.split` would hold the interpreter, and the loop, for the whole of a long text."""
    begin = 0
    for found in pause.finditer(text):
        end, after = found.span(pause.groups)
        yield text[begin:end]
        begin = after
    yield text[begin:]


def _tail(part: list[str], room: int) -> list[str]:
    """Return the last pieces that fit into `room` characters."""
    tail: list[str] = []
    for piece in reversed(part):
        room -= len(piece)
        if room < 0:
            break
        tail.insert(0, piece)
    return tail
