"""The words of a text as the index distinguishes them: lower case, ё as е, one alphabet a word.

Done here and not in the database because there the meaning of "letter" and "lower case" depends on the locale that
it was created with, and under C no Cyrillic letter has either.
"""

import re
from pathlib import PurePath

from titan_desktop.adapters.postgres.text.figures import figures
from titan_desktop.adapters.postgres.text.letters import in_latin_if_alike, in_one_alphabet
from titan_desktop.system.unicode import normalized

VERSION = 2
"""Of what this package makes of a text; files that were indexed by a lower one are read again by the next scan."""
LONGEST_WORD = 64
"""The most characters of a word; longer ones are data (base64, hashes), not words."""

WORD = re.compile(r"[^\W_]+")
# Stress marks, soft hyphens and zero-width characters stand inside of words and belong to none.
_INVISIBLE = re.compile("[\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff]")
_HYPHENS = re.compile(r"[-\u2010\u2011]")
_CAMEL = re.compile(r"(?<=[a-zа-яё0-9])(?=[A-ZА-ЯЁ])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
# Chinese characters, hiragana and katakana, which are written without spaces.
_UNSPACED = re.compile("[\u3005\u3006\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_MEASURE = re.compile(r"(\d+)([^\W\d_]+)|([^\W\d_]+)(\d+)")


def plain(text: str) -> str:
    """Return the text with all that is the same to the index made equal; its words are in their places."""
    visible = _INVISIBLE.sub("", normalized("NFKC", text.replace("№", " ")))
    return _UNSPACED.sub(_pairs, in_one_alphabet(visible).lower().replace("ё", "е"))


def indexed(text: str) -> str:
    """Return the words of a text and of its figures between single spaces.

    "e-mail" counts as its parts and as one word, for it is written in both ways; "100мл" as a word and its parts.
    """
    even = plain(text)
    found = [form for word in WORD.findall(even) for form in forms(word)]
    found.extend(word[:LONGEST_WORD] for figure in figures(even) for word in figure.words)
    return " ".join(found)


def name_words(name: str) -> str:
    """Return the words of a file's name, each once: whole, and parted at camelCase and at digits."""
    path = PurePath(name)
    whole = f"{indexed(path.stem)} {indexed(path.suffix)}".split()
    parts = WORD.findall(plain(_HYPHENS.sub(" ", _CAMEL.sub(" ", name))))
    return " ".join(dict.fromkeys(whole + parts))


def forms(word: str) -> tuple[str, ...]:
    """Return a word of a plain text as it is indexed: itself, and its parts if it is a number with a unit."""
    word = word[:LONGEST_WORD]
    if word.isalpha() or word.isdecimal():
        return (word,)
    parts = _MEASURE.fullmatch(word)
    return (in_latin_if_alike(word), *filter(None, parts.groups())) if parts else (in_latin_if_alike(word),)


def _pairs(run: re.Match[str]) -> str:
    characters = run[0]
    pairs = [characters[place : place + 2] for place in range(max(1, len(characters) - 1))]
    return f" {' '.join(pairs)} "
