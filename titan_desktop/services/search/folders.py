"""Folders that a question names: «в папке Налоги», "in the Tax 2024 folder", «на рабочем столе».

Pure. Where a name ends nobody can tell by grammar, so each longer and shorter one is offered; the index knows
which of them there are.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

WORDS_MAX = 4

_DOWNLOADS = ("Downloads", "Загрузки")
_DESKTOP = ("Desktop", "Рабочий стол")
_ALSO_CALLED = {name.casefold(): names for names in (_DOWNLOADS, _DESKTOP) for name in names}
"""The disk has one of the names, in the language that the system was set up in."""


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})(?!\w)", re.IGNORECASE)


_KNOWN = (
    (_compiled(r"(?:в|из)\s+загруз(?:ках|ок)|(?:in|from)\s+(?:my\s+|the\s+)?downloads"), _DOWNLOADS),
    (_compiled(r"(?:на\s+(?:мо[её]м\s+)?рабочем\s+столе|с\s+(?:моего\s+)?рабочего\s+стола)"), _DESKTOP),
    (_compiled(r"(?:on|from)\s+my\s+desktop"), _DESKTOP),
)

_QUOTED = r"[«\"“„](?P<quoted>[^«»\"“”„]{1,100})[»\"”“]"
_NAME = r"(?P<name>\w[^?!,;:]*)"
_FOLDER_THEN_NAME = tuple(
    _compiled(rf"{of}\s+(?:{_QUOTED}|{_NAME})")
    for of in (
        r"(?:(?:в|из|на)\s+)?папк(?:е|и|у|ой)",
        r"(?:in|from|inside|under)\s+(?:the\s+|my\s+)?folder(?:\s+named|\s+called)?",
    )
)
_NAME_THEN_FOLDER = _compiled(
    r"(?:in|from|inside|under)\s+(?:the\s+|my\s+)?"
    rf"(?:{_QUOTED}|(?P<name>(?:(?!(?:in|from|inside|under|the|my)\b)[^\s?!,;:]+\s+){{1,{WORDS_MAX}}}))\s*folder"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """Words of a text that may name a folder. `names`: what it may be called, as the disk has it."""

    names: tuple[str, ...]
    start: int
    end: int


def mentions(text: str) -> Iterator[Mention]:
    """Yield what may be a folder's name, the longest of each place first."""
    for pattern, names in _KNOWN:
        for match in pattern.finditer(text):
            yield Mention(names, *match.span())
    for match in _NAME_THEN_FOLDER.finditer(text):
        yield Mention(_names(match["quoted"] or match["name"]), *match.span())
    for pattern in _FOLDER_THEN_NAME:
        for match in pattern.finditer(text):
            if match["quoted"]:
                yield Mention(_names(match["quoted"]), *match.span())
                continue
            ends = [word.end() for word in re.finditer(r"\S+", match["name"])][:WORDS_MAX]
            for end in reversed(ends):
                yield Mention(_names(match["name"][:end]), match.start(), match.start("name") + end)


def _names(name: str) -> tuple[str, ...]:
    name = name.strip(" .")
    return _ALSO_CALLED.get(name.casefold(), (name,))
