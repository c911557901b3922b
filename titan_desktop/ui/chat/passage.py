"""A passage of a file: the question's words marked in it, shortened around the first of them. No Qt here."""

import re
from html import escape

_EXCERPT_CHARS = 380
_BLANK_LINES = re.compile(r"\n\s*\n")
_BEFORE_FIRST_CHARS = 90
_WORD_CHARS_MIN = 3
_STEM_CHARS_MIN = 4
_FILLER = re.compile(
    "the|and|for|are|was|were|what|which|who|when|where|how|does|did|has|have|with|from|this|that|our"
    "|что|как|где|когда|кто|чей|для|или|это|мой|моя|моё|моем|моём|мои|про|под|над|при|был|была|было|есть"
)
"""Words of a question that say nothing about a passage."""
_ENDING_CHARS = 2
"""Russian and English endings differ mostly in their last two letters: «договор» finds «договоре»."""


def word_pattern(question: str) -> re.Pattern[str] | None:
    """A pattern for the question's words in their other forms, None when it has no word worth marking."""
    stems = set()
    for word in re.findall(r"\w+", question.casefold()):
        if word.isdigit() or (len(word) >= _WORD_CHARS_MIN and not _FILLER.fullmatch(word)):
            stems.add(word[: max(_STEM_CHARS_MIN, len(word) - _ENDING_CHARS)])
    if not stems:
        return None
    return re.compile(
        rf"\b(?:{'|'.join(sorted(map(re.escape, stems), key=len, reverse=True))})\w*", re.IGNORECASE
    )


def excerpt(passage: str, pattern: re.Pattern[str] | None) -> str:
    """The part of a long passage around the first word found, without blank lines; dots mark what is left out."""
    passage = _BLANK_LINES.sub("\n", passage.strip())
    if len(passage) <= _EXCERPT_CHARS:
        return passage
    found = pattern.search(passage) if pattern else None
    start = max(0, found.start() - _BEFORE_FIRST_CHARS) if found else 0
    if start:
        start = passage.find(" ", start, start + 30) + 1 or start
    end = min(len(passage), start + _EXCERPT_CHARS)
    if end < len(passage):
        end = max(passage.rfind(" ", end - 30, end), end - 30)
    return ("… " if start else "") + passage[start:end].strip() + (" …" if end < len(passage) else "")


def marked_html(text: str, pattern: re.Pattern[str] | None, mark: str) -> str:
    """The text as HTML with the words found on a background of colour `mark`."""
    pieces, position = [], 0
    for found in pattern.finditer(text) if pattern else ():
        pieces.append(escape(text[position : found.start()]))
        pieces.append(f'<span style="background-color:{mark}">{escape(found[0])}</span>')
        position = found.end()
    pieces.append(escape(text[position:]))
    return f"<p>{''.join(pieces).replace(chr(10), '<br>')}</p>"
