"""Letters that stand for others: of the other alphabet by their look, by their sound, or by their key."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

VARIANTS = 24
"""The most spellings of one word in the other alphabet."""

# Alike in both cases; the others only as capitals.
_ALIKE = {"а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x"}
_ALIKE_CAPITALS = {"в": "b", "к": "k", "м": "m", "н": "h", "т": "t"}
_TO_LATIN = str.maketrans(
    _ALIKE
    | {cyrillic.upper(): latin.upper() for cyrillic, latin in (_ALIKE | _ALIKE_CAPITALS).items()}
    | {"і": "i", "І": "I", "ѕ": "s", "Ѕ": "S", "ј": "j", "Ј": "J"}
)
_TO_CYRILLIC = str.maketrans(
    {latin: cyrillic for cyrillic, latin in _TO_LATIN.items() if chr(cyrillic) not in "іІѕЅјЈ"}
)
_TO_LATIN_IN_CODES = str.maketrans(_ALIKE | _ALIKE_CAPITALS)

_BORDER = re.compile(r"[a-zA-Z][\u0400-\u04ff]|[\u0400-\u04ff][a-zA-Z]")
_LETTERS = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[a-zA-Z]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")

_SOUNDS = {
    "а": ("a",), "б": ("b",), "в": ("v",), "г": ("g",), "д": ("d",), "е": ("e",), "ж": ("zh",), "з": ("z",),
    "и": ("i",), "й": ("y", "i", "j"), "к": ("k",), "л": ("l",), "м": ("m",), "н": ("n",), "о": ("o",),
    "п": ("p",), "р": ("r",), "с": ("s",), "т": ("t",), "у": ("u",), "ф": ("f",), "х": ("kh", "h"),
    "ц": ("ts", "c"), "ч": ("ch",), "ш": ("sh",), "щ": ("shch", "sch"), "ъ": ("",), "ы": ("y",), "ь": ("",),
    "э": ("e",), "ю": ("yu", "iu", "ju"), "я": ("ya", "ia", "ja"), "кс": ("ks", "x"),
    "ий": ("iy", "y", "ii"),
}  # fmt: skip
_SPELLINGS = {
    "a": ("а",), "b": ("б",), "c": ("ц", "к", "с"), "d": ("д",), "e": ("е", "э"), "f": ("ф",), "g": ("г",),
    "h": ("х",), "i": ("и", "й"), "j": ("й",), "k": ("к",), "l": ("л", "ль"), "m": ("м",), "n": ("н",),
    "o": ("о",), "p": ("п",), "q": ("к",), "r": ("р",), "s": ("с",), "t": ("т",), "u": ("у",), "v": ("в",),
    "w": ("в",), "x": ("кс",), "y": ("ы", "й", "ий"), "z": ("з",), "ch": ("ч",), "ck": ("к",),
    "ia": ("я", "иа"), "iu": ("ю",), "iy": ("ий",), "ja": ("я",), "ju": ("ю",), "kh": ("х",),
    "sch": ("щ", "ш"), "sh": ("ш",), "shch": ("щ",), "ts": ("ц", "тс"), "ya": ("я",), "ye": ("е",),
    "yo": ("е",), "yu": ("ю",), "zh": ("ж",),
}  # fmt: skip
_BY_SOUND = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)))
_BY_SPELLING = re.compile("|".join(sorted(_SPELLINGS, key=len, reverse=True)))

_ENDING = re.compile(r"(?<=\w{4})(?:ого|ому|ой|ым|ом|ем|ей|а|у|е|ю|я|ы|и)$")

_QWERTY = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_JCUKEN = "йцукенгшщзхъфывапролджэячсмитьбюё"
_OTHER_LAYOUT = str.maketrans(
    _QWERTY + _QWERTY.upper().translate(str.maketrans("[];',.`", '{}:"<>~')) + _JCUKEN + _JCUKEN.upper(),
    _JCUKEN + _JCUKEN.upper() + _QWERTY + _QWERTY.upper(),
)


def in_one_alphabet(text: str) -> str:
    """Spell each word that mixes alphabets in one, if all its letters of the other only look alike: "aкта"."""
    return _LETTERS.sub(lambda found: _unmixed(found[0]), text) if _BORDER.search(text) else text


def in_latin_if_alike(code: str) -> str:
    """Return a code in lower case with Latin letters, if all its Cyrillic ones are like them: "12а2024"."""
    latin = code.translate(_TO_LATIN_IN_CODES)
    return code if _CYRILLIC.search(latin) else latin


def lookalike(word: str) -> str:
    """Return a word that looks the same in the other alphabet, "" if none does: "cop", «сор»."""
    other = word.translate(_TO_CYRILLIC if word.isascii() else _TO_LATIN)
    return "" if (_LATIN if word.isascii() else _CYRILLIC).search(other) else other


def transliterated(word: str) -> Iterator[str]:
    """Yield spellings of a lower-case word in the other alphabet: "kuznetsov", «кузнецов».

    At most `VARIANTS`; those of a Russian word without its ending, too, for English has none: «Петрову», "petrov".
    """
    if word.isascii():
        yield from _spelled(word, _BY_SPELLING, _SPELLINGS)
        return
    yield from _spelled(word, _BY_SOUND, _SOUNDS)
    bare = _ENDING.sub("", word)
    if bare != word:
        yield from _spelled(bare, _BY_SOUND, _SOUNDS)


def in_other_layout(text: str) -> str:
    """Return what the same keys type in the other of the layouts QWERTY and ЙЦУКЕН: "ljujdjh", «договор»."""
    return text.translate(_OTHER_LAYOUT)


def _spelled(word: str, parts: re.Pattern[str], table: Mapping[str, Sequence[str]]) -> Iterator[str]:
    found = parts.findall(word)
    if len("".join(found)) == len(word):
        for spelling in itertools.islice(itertools.product(*(table[part] for part in found)), VARIANTS):
            yield "".join(spelling)


def _unmixed(word: str) -> str:
    if not _BORDER.search(word):
        return word
    cyrillic = word.translate(_TO_CYRILLIC)
    if not _LATIN.search(cyrillic):
        return cyrillic
    latin = word.translate(_TO_LATIN)
    return word if _CYRILLIC.search(latin) else latin
