"""Unicode normalisation in linear time, whatever the text; for everything that is read from files or typed.

`unicodedata.normalize` sorts the combining marks of a letter by insertion, in the square of their number. No
language writes thirty of them, which is where the Stream-Safe Text Format draws the line (UAX 15, section 13).
Standard library only.
"""

import re
import unicodedata
from typing import Literal

MARKS_MAX = 30
"""Combining marks in a row that are kept."""

# Python's patterns know no categories, and marks are among what is neither a word nor ASCII.
_MAYBE_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{MARKS_MAX + 1},}}")
_HALFWIDTH = {0xFF9E: 0x3099, 0xFF9F: 0x309A}
"""The two marks that count as letters (Lm), and what NFKC makes of them."""


def normalized(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Return the text in that form; of more than `MARKS_MAX` combining marks in a row the rest is left out."""
    if text.isascii():
        return text
    if form == "NFKC":
        text = text.translate(_HALFWIDTH)
    return unicodedata.normalize(form, _MAYBE_MARKS.sub(_within_bounds, text))


def _within_bounds(found: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for character in found[0]:
        # Some that are no marks themselves are made of marks alone: U+0F73.
        is_mark = unicodedata.combining(unicodedata.normalize("NFD", character)[0])
        marks = marks + 1 if is_mark else 0
        if marks <= MARKS_MAX:
            kept.append(character)
    return "".join(kept)
