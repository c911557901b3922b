"""A query's words among the terms of the index, each with its weight in the ranking. `keyword` calls this.

A word that the index does not have may be typed in the wrong keyboard layout, or mistyped if at least half of the
words are unknown: a question of which most is found has a word that nobody used. What is looked up in its place is
said.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from titan_desktop.adapters.postgres.text.asking import (
    Asked,
    Query,
    in_other_layouts,
    in_words,
    one_mistake_away,
    telling,
)
from titan_desktop.adapters.postgres.text.function_words import FUNCTION_WORDS
from titan_desktop.contracts.search import Instead

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

MOST_TERMS = 64
"""The most distinct terms of a query: those that tell before the others, the rarest first."""
MOST_REREAD = 4
"""The most words of a query that are read in another way."""
LITTLE = 0.3
"""The idf of a function word, unless it is commoner."""

# OFFSET 0 keeps the planner from reading all terms while the table is young and has no statistics.
_KNOWN = """
    SELECT asked.word, known.id, known.df
    FROM unnest($1::text[]) AS asked (word),
        LATERAL unnest(tsvector_to_array(to_tsvector('titan', asked.word))) AS stem (term),
        LATERAL (SELECT id, df FROM terms WHERE terms.term = stem.term OFFSET 0) AS known
"""

_WITH = """
    SELECT title || ' ' || body FROM all_postings JOIN passages ON passages.id = passage_id
    JOIN files ON files.id = file_id WHERE term_id = $1 LIMIT 1
"""

Known = Mapping[str, Sequence[tuple[int, int]]]
"""The terms of each word that is in the index: number and document frequency."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the index knows of a query's terms: those that tell first, the rarest of them before the others.

    Attributes:
        weights: idf of each.
        telling: how many tell; a passage with none of them is no hit.
        mean_length: of a passage, in words.
        whole: the idf of all words that tell, also of those that the index does not have.
        instead: the words that were read in another way.
    """

    ids: Sequence[int]
    weights: Sequence[float]
    frequencies: Sequence[int]
    telling: int
    mean_length: float
    whole: float
    instead: Sequence[Instead] = ()


async def look_up(connection: "PoolConnectionProxy", query: Query) -> Terms | None:
    """Return the query's terms, None when the index knows none that tells."""
    known = await known_words(connection, (word for asked in query.asked for word in asked.words))
    asked, instead = list(query.asked), []
    pieces = [(written, words) for written, words in query.written if words]
    lacking = [(written, words) for written, words in pieces if not _any_known(words, known)]
    for written, words in lacking[:MOST_REREAD]:
        meant = await _other_layout(connection, written)
        if meant is None and 2 * len(lacking) >= len(pieces):
            meant = await _mistyped(connection, words)
        if meant:
            instead.append(Instead(written=written, shown=meant.shown))
            asked += meant.asked
            known |= meant.known
    passages, length = await connection.fetchrow("SELECT passages, length FROM statistics") or (0, 0)
    return _weighed(asked, known, passages, length, instead)


async def known_words(
    connection: "PoolConnectionProxy", words: Iterable[str]
) -> dict[str, list[tuple[int, int]]]:
    """Return those of the words whose stems are in the index."""
    known: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in await connection.fetch(_KNOWN, list(dict.fromkeys(words))):
        known[row["word"]].append((row["id"], row["df"]))
    return known


@dataclass(frozen=True, slots=True)
class _Meant:
    """Another reading of a word, of which all is in the index."""

    shown: str
    asked: Sequence[Asked]
    known: dict[str, list[tuple[int, int]]]


async def _other_layout(connection: "PoolConnectionProxy", written: str) -> _Meant | None:
    for typed in in_other_layouts(written):
        words = telling(typed)
        known = await known_words(connection, (form for word in words for form in word.words))
        if words and all(_any_known([word], known) for word in words):
            return _Meant(typed, words, known)
    return None


async def _mistyped(connection: "PoolConnectionProxy", words: Sequence[Asked]) -> _Meant | None:
    """Return the commonest word that differs from the only one by one mistake."""
    if len(words) != 1:
        return None
    known = await known_words(connection, set(one_mistake_away(words[0].word)) - FUNCTION_WORDS)
    if not known:
        return None
    best = max(known, key=lambda word: (max(df for _, df in known[word]), word))
    return _Meant(
        await _in_a_text(connection, known[best][0][0]) or best,
        [Asked(best, {best: 1.0}, tells=True)],
        {best: known[best]},
    )


async def _in_a_text(connection: "PoolConnectionProxy", term: int) -> str:
    """Return a word of this term as a passage has it; what a mistake was read as may be no word at all."""
    text = await connection.fetchval(_WITH, term)
    words = list(dict.fromkeys(in_words(text or "")))
    known = await known_words(connection, words)
    return next((word for word in words if any(number == term for number, _ in known.get(word, ()))), "")


def _any_known(words: Iterable[Asked], known: Known) -> bool:
    return any(form in known for word in words for form in word.words)


def _weighed(
    asked: Sequence[Asked], known: Known, passages: int, length: int, instead: Sequence[Instead]
) -> Terms | None:
    shares: dict[int, tuple[bool, float]] = {}
    frequencies: dict[int, int] = {}
    for word in asked:
        for form, share in word.words.items():
            for number, df in known.get(form, ()):
                frequencies[number] = df
                shares[number] = max(shares.get(number, (False, 0.0)), (word.tells, share))
    ids = sorted(shares, key=lambda number: (not shares[number][0], frequencies[number], number))[:MOST_TERMS]
    telling = sum(shares[number][0] for number in ids)
    if not telling:
        return None
    weights = []
    for number in ids:
        tells, share = shares[number]
        df = frequencies[number]
        idf = _idf(passages, df)
        weights.append(share * (idf if tells else min(idf, LITTLE)))
    return Terms(
        ids=ids,
        weights=weights,
        frequencies=[frequencies[number] for number in ids],
        telling=telling,
        mean_length=max(length, 1) / max(passages, 1),
        whole=sum(_weight(word, known, passages) for word in asked if word.tells),
        instead=instead,
    )


def _weight(word: Asked, known: Known, passages: int) -> float:
    """Return the idf of a word, by the best of what is looked up for it; of an unknown one the greatest."""
    weights = [
        share * _idf(passages, df) for form, share in word.words.items() for _, df in known.get(form, ())
    ]
    return max(weights, default=_idf(passages, 0))


def _idf(passages: int, frequency: int) -> float:
    return math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5))
