"""What a query asks for: its terms with their weights, the phrases in quotes, and other readings of its words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from titan_desktop.adapters.postgres.text.figures import figures
from titan_desktop.adapters.postgres.text.function_words import FUNCTION_WORDS
from titan_desktop.adapters.postgres.text.letters import in_other_layout, lookalike, transliterated
from titan_desktop.adapters.postgres.text.words import WORD, forms, plain

LONGEST_QUERY = 4_000
"""The most characters of a query: a pasted page finds its file, a pasted book does not block the store."""
OTHER_ALPHABET = 0.9
"""The share of a word's weight that its spelling in the other alphabet has."""
LEAST_TRANSLITERATED = 4
LONGEST_REREAD = 24
"""The most letters of a word that is read in another way."""
FEW_WORDS = 20
"""The most words of a query that are looked up in the other alphabet, too; a pasted page is not."""
LEAST_TYPED = 3
"""The least letters of a word that is taken for typed in the wrong layout."""
LEAST_MISTYPED = 5
"""The least letters of a word that is taken for mistyped: shorter ones are too near to each other."""

_QUOTED = re.compile(r'"([^"]+)"|«([^»]+)»|[“„]([^”“]+)[”“]')
_MARKS = ".,;:?!"
_ALPHABETS = ("abcdefghijklmnopqrstuvwxyz", "абвгдежзийклмнопрстуфхцчшщъыьэюя")


@dataclass(frozen=True, slots=True)
class Asked:
    """A word of a query.

    Attributes:
        word: in its plain form.
        words: what is looked up for it, by its share of the weight.
        tells: a passage that has it is a hit; false for function words and for the parts of figures.
    """

    word: str
    words: Mapping[str, float]
    tells: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A query.

    Attributes:
        asked: its words.
        written: what stands between its spaces, each with the words that tell.
        phrases: what stands in quotes, each with its words.
    """

    asked: tuple[Asked, ...]
    written: tuple[tuple[str, tuple[Asked, ...]], ...]
    phrases: tuple[tuple[str, tuple[str, ...]], ...]


def read(query: str) -> Query:
    """Read a query; any text is one. A query of function words alone means them."""
    query = query[:LONGEST_QUERY].replace("\0", " ")
    asked = tuple(_words_of(plain(query)))
    if not any(word.tells for word in asked):
        asked = tuple(replace(word, tells=True) for word in asked)
    quoted = ("".join(groups) for groups in _QUOTED.findall(query))
    pieces = query.split()
    return Query(
        asked,
        written=tuple((piece, telling(piece)) for piece in pieces) if len(pieces) <= FEW_WORDS else (),
        phrases=tuple((phrase, words) for phrase in quoted if (words := in_words(phrase))),
    )


def telling(text: str) -> tuple[Asked, ...]:
    """Return the words of a text that tell."""
    return tuple(word for word in _words_of(plain(text)) if word.tells)


def in_words(text: str) -> tuple[str, ...]:
    """Return the words of a text in their plain form."""
    return tuple(WORD.findall(plain(text)))


def in_other_layouts(written: str) -> Iterator[str]:
    """Yield what the same keys type in the other layout; a mark at the end may be a letter or a mark."""
    for keys in dict.fromkeys((written.rstrip(_MARKS), written)):
        typed = in_other_layout(keys)
        if typed != keys and sum(map(str.isalpha, typed)) >= LEAST_TYPED:
            yield typed


def one_mistake_away(word: str) -> Iterator[str]:
    """Yield what differs by one letter, or by two that are swapped (Damerau, 1964); nothing for a short word."""
    alphabet = next((letters for letters in _ALPHABETS if set(word) <= set(letters)), "")
    if not LEAST_MISTYPED <= len(word) <= LONGEST_REREAD or not alphabet:
        return
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in alphabet)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        yield from (before + letter + after for letter in alphabet)


def _words_of(even: str) -> Iterator[Asked]:
    known = list(figures(even))
    few = len(even.split()) <= FEW_WORDS
    for figure in known:
        yield Asked(figure.words[0], dict.fromkeys(figure.words[:1], 1.0), tells=True)
    for found in WORD.finditer(even):
        part = any(figure.exact and figure.start <= found.start() < figure.end for figure in known)
        tells = not part and found[0] not in FUNCTION_WORDS
        yield Asked(found[0], _spellings(found[0], others=tells and few), tells=tells)


def _spellings(word: str, *, others: bool) -> Mapping[str, float]:
    spellings = dict.fromkeys(forms(word), 1.0)
    if others and word.isalpha():
        sounding = transliterated(word) if LEAST_TRANSLITERATED <= len(word) <= LONGEST_REREAD else ()
        for other in (lookalike(word), *sounding):
            if len(other) > 1:
                spellings.setdefault(other, OTHER_ALPHABET)
    return spellings
