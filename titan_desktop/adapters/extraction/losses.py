"""Looks for what an extraction has lost: words of the source that are missing, letters that are garbled.

Pure functions over texts, in time proportional to them. Readers differ in what they leave out; this check knows
nothing of them, only the words between the tags of the file's own XML or HTML.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from titan_desktop.contracts.indexing import Reason

_SAMPLE_CHARACTERS = 200_000
_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]{4,}")
_TAG = re.compile("<[^<>]*>")
_REPLACED_SHARE = 0.002
_REPLACED_MIN = 3
_DECLARATIONS = re.compile(r"<!DOCTYPE[^<>\[]*\[")
_HEAD_CHARACTERS = 4_096
_UNKNOWN_ENTITY = re.compile(r"&\w{1,40};")
_WRONG_SHARE = 0.15
_ENCODED_SHARE = 0.3
_TAG_SHARE = 0.1
_MISSING_SHARE = 0.005
_MISSING_MIN = 2
_LOOKED_FOR_MAX = 2_000
"""Words that no word of the text equals; each is looked for as a part of one."""
_SHOWN = 5

_WRONG = re.compile(
    "[\u00c0-\u00ff]{4,}"  # cp1251 or KOI8-R taken for cp1252: no language has such words
    "|(?:[\u00c3\u00c2\u00d0\u00d1][\u0080-\u00bf\u0152-\u0178\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]){2,}"
    "|(?:[\u0420\u0421][^\\w\\s]){2,}|(?:[\u0420\u0421][\u00b0-\u00bf\u0401-\u040f\u0450-\u0491]){2,}"
)
"""UTF-8 taken for cp1252 or cp1251, and legacy Russian taken for cp1252."""
_MIXED = re.compile("[\u0430-\u044f][\u00e0-\u00ff\u2500-\u259f]|[\u2500-\u259f][\u0430-\u044f]")
_ENCODED = re.compile(r"(?:^[A-Za-z0-9+/]{60,76}\r?\n){3,}|(?:=[0-9A-F]{2}){4,}(?:=\r?\n)?", re.MULTILINE)
_TAGS = re.compile(
    r"</?(?:p|div|span|td|tr|table|br|font|html|body|w:\w+|text:\w+)\b[^<>]{0,200}>", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Loss:
    """What an extraction has lost. `size` compares two of them: less is better."""

    reason: Reason
    detail: str
    size: float


def words(markup: str) -> frozenset[str]:
    """Return the words between the tags of XML or HTML; a tag ends a word."""
    if declared := _DECLARATIONS.search(markup, 0, _HEAD_CHARACTERS):
        markup = markup[max(markup.find("]>", declared.end()), 0) :]
    text = html.unescape(_TAG.sub(" ", markup))
    return frozenset(_WORD.findall(_UNKNOWN_ENTITY.sub(" ", text).casefold()))


def loss_of(text: str, source: Iterable[str] = (), *, is_written: bool = False) -> Loss | None:
    """Return what is lost, None if nothing is seen.

    Args:
        text: what was taken out.
        source: the words that the file has.
        is_written: the text is the file itself, where tags and codes may be what its author wrote.
    """
    garbled = _garbled(text, is_written=is_written)
    return garbled or _missing(text, source)


def _garbled(text: str, *, is_written: bool) -> Loss | None:
    sample = _sample(text)
    count = sample.count("\ufffd")
    replaced = count / max(1, len(sample))
    if count >= _REPLACED_MIN and replaced > _REPLACED_SHARE:
        return Loss(Reason.GARBLED, f"{replaced:.1%} U+FFFD", 1 + replaced)
    letters = sum(map(len, _LETTERS.findall(sample)))
    wrong = _share(_WRONG, sample, letters) + _share(_MIXED, sample, letters)
    if wrong > _WRONG_SHARE:
        return Loss(Reason.GARBLED, "mixed alphabets", 1 + wrong)
    encoded = _share(_ENCODED, sample, len(sample))
    if encoded > _ENCODED_SHARE:
        return Loss(Reason.GARBLED, "base64 or quoted-printable", 1 + encoded)
    tags = 0.0 if is_written else _share(_TAGS, sample, len(sample))
    return Loss(Reason.GARBLED, "tags", 1 + tags) if tags > _TAG_SHARE else None


def _missing(text: str, source: Iterable[str]) -> Loss | None:
    wanted = frozenset(source)
    folded = text.casefold()
    unmet = sorted(wanted - frozenset(_WORD.findall(folded)))
    if len(unmet) < _MISSING_MIN:
        return None
    joined = "".join(_WORD.findall(folded))  # a word that formatting parts is one in the text
    asked = unmet[:: max(1, len(unmet) // _LOOKED_FOR_MAX)]
    missing = [word for word in asked if word not in joined]
    share = len(missing) / len(asked) * len(unmet) / max(1, len(wanted))
    if len(missing) < _MISSING_MIN or share < _MISSING_SHARE:
        return None
    return Loss(Reason.WORDS_MISSING, ", ".join(missing[:_SHOWN]), share)


def _sample(text: str) -> str:
    """Return a text's beginning, middle and end, or all of it."""
    if len(text) <= _SAMPLE_CHARACTERS:
        return text
    part = _SAMPLE_CHARACTERS // 3
    middle = (len(text) - part) // 2
    return "\n".join((text[:part], text[middle : middle + part], text[-part:]))


def _share(pattern: re.Pattern[str], text: str, whole: int) -> float:
    return sum(len(found[0]) for found in pattern.finditer(text)) / max(1, whole)
