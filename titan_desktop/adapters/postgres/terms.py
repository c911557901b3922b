"""A query's words among the terms of the index, each with its weight in the ranking. `keyword` calls this."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from titan_desktop.adapters.postgres.text.asking import Asked, Query

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

MOST_TERMS = 64
"""The most distinct terms of a query: those that tell before the others, the rarest first."""
LITTLE = 0.3
"""The idf of a function word, unless it is commoner."""

# OFFSET 0 keeps the planner from reading all terms while the table is young and has no statistics.
_KNOWN = """
    SELECT asked.word, known.id, known.df
    FROM unnest($1::text[]) AS asked (word),
        LATERAL unnest(tsvector_to_array(to_tsvector('titan', asked.word))) AS stem (term),
        LATERAL (SELECT id, df FROM terms WHERE terms.term = stem.term OFFSET 0) AS known
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
    """

    ids: Sequence[int]
    weights: Sequence[float]
    frequencies: Sequence[int]
    telling: int
    mean_length: float


async def look_up(connection: "PoolConnectionProxy", query: Query) -> Terms | None:
    """Return the query's terms, None when the index knows none that tells."""
    known = await known_words(connection, (word for asked in query.asked for word in asked.words))
    statistics = await connection.fetchrow("SELECT passages, length FROM statistics")
    return _weighed(query.asked, known, *(statistics or (0, 0)))


async def known_words(connection: "PoolConnectionProxy", words: Iterable[str]) -> Known:
    """Return those of the words whose stems are in the index."""
    known: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in await connection.fetch(_KNOWN, list(dict.fromkeys(words))):
        known[row["word"]].append((row["id"], row["df"]))
    return known


def _weighed(asked: Sequence[Asked], known: Known, passages: int, length: int) -> Terms | None:
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
        idf = math.log(1 + (passages - df + 0.5) / (df + 0.5))
        weights.append(share * (idf if tells else min(idf, LITTLE)))
    return Terms(
        ids=ids,
        weights=weights,
        frequencies=[frequencies[number] for number in ids],
        telling=telling,
        mean_length=max(length, 1) / max(passages, 1),
    )
