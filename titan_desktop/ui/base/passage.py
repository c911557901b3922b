"""A passage of a file: the question's words marked in it, shortened around the first of them. No Qt here."""

import re
from collections.abc import Sequence
from html import escape

_EXCERPT_CHARS = 380
_LINES_MAX = 6
_LINE_CHARS = 76
"""About as many stand in a line of the text column."""
_BLANK_LINES = re.compile(r"\n\s*\n")
_BEFORE_FIRST_CHARS = 90
_CELL_CHARS_MIN = 40
"""So much of a cell is shown however many stand beside it."""
_CELLS_MAX = 1_000
"""Of a table, the empty ones too: one long row and hundreds of short ones would be half a million."""
_WORD_CHARS_MIN = 3
_STEM_CHARS_MIN = 4
_STEMS_MAX = 100
"""Each is tried at every word of a passage: of a pasted page the first ones are marked."""
_FILLER = re.compile(
    "the|and|for|are|was|were|what|which|who|when|where|how|does|did|has|have|with|from|this|that|our"
    "|что|как|где|когда|кто|чей|для|или|это|мой|моя|моё|моем|моём|мои|про|под|над|при|был|была|было|есть"
)
"""Words of a question that say nothing about a passage."""
_ENDING_CHARS = 2
"""Russian and English endings differ mostly in their last two letters: «договор» finds «договоре»."""


def word_pattern(question: str) -> re.Pattern[str] | None:
    """A pattern for the question's words in their other forms, None when it has no word worth marking."""
    stems: dict[str, None] = {}
    for word in re.findall(r"\w+", question.casefold()):
        if word.isdigit() or (len(word) >= _WORD_CHARS_MIN and not _FILLER.fullmatch(word)):
            stems[word[: max(_STEM_CHARS_MIN, len(word) - _ENDING_CHARS)]] = None
            if len(stems) == _STEMS_MAX:
                break
    if not stems:
        return None
    return re.compile(
        rf"\b(?:{'|'.join(sorted(map(re.escape, stems), key=len, reverse=True))})\w*", re.IGNORECASE
    )


def excerpt(passage: str, pattern: re.Pattern[str] | None) -> str:
    """The part of a long passage around the first word found, at most six lines as they are shown, none blank.

    Dots mark what is left out. A table's rows, whose cells are parted by tabs, keep their cells, long ones cut.
    """
    passage = _BLANK_LINES.sub("\n", passage.strip("\n "))
    if _is_table(passage):
        return _few_lines([_row(line, pattern) for line in passage.split("\n")], pattern, of_table=True)
    return _few_lines(_cut(passage.strip(), pattern).split("\n"), pattern, of_table=False)


def _row(line: str, pattern: re.Pattern[str] | None) -> str:
    cells = line.split("\t")
    chars = max(_CELL_CHARS_MIN, _EXCERPT_CHARS // len(cells))
    return "\t".join(_cut(cell, pattern, chars) for cell in cells)


def _cut(passage: str, pattern: re.Pattern[str] | None, chars: int = _EXCERPT_CHARS) -> str:
    if len(passage) <= chars:
        return passage
    found = pattern.search(passage) if pattern else None
    start = max(0, found.start() - min(_BEFORE_FIRST_CHARS, chars // 4)) if found else 0
    if start:
        start = passage.find(" ", start, start + chars // 4) + 1 or start
    end = min(len(passage), start + chars)
    if end < len(passage):
        end = max(passage.rfind(" ", end - chars // 4, end), end - chars // 4)
    return ("… " if start else "") + passage[start:end].strip() + (" …" if end < len(passage) else "")


def _few_lines(lines: Sequence[str], pattern: re.Pattern[str] | None, *, of_table: bool) -> str:
    """Return at most six lines, with the one before the first word found if not all are shown."""
    # The columns of a table share the width by their texts.
    heights = [1 + len(line) // _LINE_CHARS for line in lines]
    if sum(heights) <= _LINES_MAX:
        return "\n".join(lines)
    found = next((at for at, line in enumerate(lines) if pattern and pattern.search(line)), 0)
    start = end = max(0, found - 1)
    height = 0
    while end < len(lines) and (height := height + heights[end]) <= _LINES_MAX:
        end += 1
    shown = "\n".join(lines[start : max(end, found + 1)])
    before, after = ("…\n", "\n…") if of_table else ("… ", " …")
    return (
        (before if start and (of_table or not shown.startswith("…")) else "")
        + shown
        + (after if end < len(lines) and (of_table or not shown.endswith("…")) else "")
    )


def _is_table(passage: str) -> bool:
    """Whether tabs part cells: in a text with one here and there they do not."""
    lines = passage.strip("\n").split("\n")
    return 2 * sum("\t" in line.strip() for line in lines) >= len(lines)


def marked_html(text: str, pattern: re.Pattern[str] | None, mark: str) -> str:
    """The text as HTML, with the words found on a background of colour `mark`; tabs make a table's cells."""
    if not _is_table(text):
        return f"<p>{_marked(text, pattern, mark)}</p>"
    rows = [line.split("\t") for line in text.strip("\n").split("\n")]
    width = max(map(len, rows))
    if width * len(rows) > _CELLS_MAX:
        return f"<p>{_marked(text, pattern, mark)}</p>"
    cells = (
        "".join(f"<td>{_marked(cell, pattern, mark)}</td>" for cell in (*row, *[""] * (width - len(row))))
        for row in rows
    )
    return f'<table cellpadding="3">{"".join(f"<tr>{row}</tr>" for row in cells)}</table>'


def _marked(text: str, pattern: re.Pattern[str] | None, mark: str) -> str:
    pieces, position = [], 0
    for found in pattern.finditer(text) if pattern else ():
        pieces.append(escape(text[position : found.start()]))
        pieces.append(f'<span style="background-color:{mark}">{escape(found[0])}</span>')
        position = found.end()
    pieces.append(escape(text[position:]))
    return "".join(pieces).replace("\n", "<br>")
