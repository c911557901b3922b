"""Numbers, telephone numbers, addresses and codes: each also as one word that is the same in every spelling."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from titan_desktop.adapters.postgres.text.letters import in_latin_if_alike

LONGEST_CODE = 64
LOCAL_DIGITS = 7
"""So many digits has a telephone number within its town."""

# Russian numbers have ten digits behind 7 or 8; others are taken as they are written behind the plus sign.
_PHONE = re.compile(
    r"(?<![\w+])(?:"
    r"(?:\+?7|8)(?P<national>(?:[ ()-]{0,3}\d){10})"
    r"|\+(?P<foreign>(?!7)\d(?:[ ()-]{0,2}\d){7,13})"
    r"|(?P<local>\(?\d{3}\)?[ -]{1,2}\d{3}[ -]\d{2}[ -]?\d{2})"
    r")(?!\d)"
)
# In groups of three, or with one or two decimals. Not a part of a date, a version or a longer number.
_NUMBER = re.compile(
    r"(?<![\w.,])(?:"
    r"(?P<grouped>[1-9]\d{0,2}(?P<mark>[ .,'’])\d{3}(?:(?P=mark)\d{3})*)(?:[.,](?P<cents>\d\d?))?"
    r"|(?P<whole>\d+)[.,](?P<decimals>\d\d?)"
    r")(?![.,]?\d)"
)
_CODE = re.compile(r"(?<![^\W_])[^\W_]++(?:[-\u2010\u2011./:_@&+\\][^\W_]++)+")
_HYPHENS = frozenset("-\u2010\u2011")
_LANGUAGE = re.compile(r"(?<![^\W_])([cfj])(\+\+|#)(?!\w)")
_LANGUAGES = {"++": "plusplus", "#": "sharp"}
_NOT_DIGITS = re.compile(r"\D+")
_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Figure:
    """A stretch of a text and the words that stand for it as a whole.

    Attributes:
        words: the first is its own; by the others it is found, too.
        exact: its parts mean nothing alone.
    """

    start: int
    end: int
    words: tuple[str, ...]
    exact: bool


def figures(text: str) -> Iterator[Figure]:
    """Yield all figures of a text in lower case, none within another."""
    taken = bytearray(len(text))
    finders = (_phones, _numbers) if any(character.isdigit() for character in text) else ()
    for find in (*finders, _codes, _languages):
        for figure in find(text):
            if taken.find(1, figure.start, figure.end) < 0:
                taken[figure.start : figure.end] = b"\1" * (figure.end - figure.start)
                yield figure


def _phones(text: str) -> Iterator[Figure]:
    for found in _PHONE.finditer(text):
        digits = _NOT_DIGITS.sub("", found["national"] or found["foreign"] or found["local"])
        yield Figure(*found.span(), (digits, digits[-LOCAL_DIGITS:]), exact=True)


def _numbers(text: str) -> Iterator[Figure]:
    for found in _NUMBER.finditer(text):
        whole = _NOT_DIGITS.sub("", found["grouped"] or found["whole"])
        decimals = (found["cents"] or found["decimals"] or "").rstrip("0")
        yield Figure(*found.span(), (f"{whole}.{decimals}", whole) if decimals else (whole,), exact=True)


def _codes(text: str) -> Iterator[Figure]:
    for found in _CODE.finditer(text):
        joined = _NOT_WORD.sub("", found[0])
        marks = {character for character in found[0] if not character.isalnum()}
        if len(joined) <= LONGEST_CODE and (
            marks <= _HYPHENS or "@" in marks or any(character.isdigit() for character in joined)
        ):
            yield Figure(*found.span(), (in_latin_if_alike(joined),), exact="@" in marks)


def _languages(text: str) -> Iterator[Figure]:
    for found in _LANGUAGE.finditer(text):
        yield Figure(*found.span(), (found[1] + _LANGUAGES[found[2]],), exact=True)
