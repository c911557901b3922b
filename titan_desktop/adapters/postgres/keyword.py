"""The keyword leg: the inverted index of `postings`, ranked by BM25.

PostgreSQL's parser and Snowball dictionaries make the stems (the text search configuration `titan`, no stop
words); its `ts_rank` family does not know how rare a word is, so the ranking is ours. `passages` calls this;
nobody else.

Okapi BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, with Lucene's idf:
`ln(1 + (N - df + 0.5) / (df + 0.5))`, which is never negative.
"""

from collections.abc import Sequence

import asyncpg

from titan_desktop.adapters.postgres.filtering import condition, few_allowed
from titan_desktop.adapters.postgres.phrases import with_phrases
from titan_desktop.adapters.postgres.terms import look_up
from titan_desktop.adapters.postgres.text import asking
from titan_desktop.contracts.search import EVERYTHING, Filters, Instead
from titan_desktop.ports.passages import Wording

K1 = 1.2
B = 0.75
POSTINGS_READ = 20_000
"""Postings that may be read to find candidates: the rarest terms' until this is spent, the rarest's always."""
CANDIDATES = 400
"""Passages whose score is completed with terms that were too common to be read."""
PER_FILE = 3
"""Passages of one file at most, so that a long file does not crowd out the others."""

# A posting's share of the score. `weight` is the idf; $3 and $4 are k1 * (1 - b) and k1 * b / mean length.
# All are float8: a bare 0.75 would be numeric, and four times as slow.
_SHARE = f"{K1 + 1}::float8 * w.weight * p.tf / (p.tf + $3::float8 + $4::float8 * p.length)"

# Passages have their own terms, so that a few of them are scored without a look at what others have.
_OWN = """
    SELECT CASE WHEN tfs = '' THEN 1 ELSE get_byte(tfs, at - 1) END AS tf, length
    FROM (SELECT array_position(terms, w.term_id) AS at OFFSET 0) AS p WHERE at IS NOT NULL
"""
_AMONG = f"""
    SELECT passages.id AS passage_id, sum({_SHARE}) AS score
    FROM passages, unnest($1::int[], $2::float8[]) AS w (term_id, weight), LATERAL ({_OWN}) AS p
    WHERE passages.id {{among}}
    GROUP BY passages.id
"""

# OFFSET 0 keeps the planner from joining in another way than term by term through the index: while the tables are
# young and have no statistics it would read all postings, in parallel workers.
_READ = f"""
    SELECT p.passage_id, sum({_SHARE}) AS score
    FROM unnest($1::int[], $2::float8[]) AS w (term_id, weight), LATERAL (
        SELECT passage_id, tf, length FROM older_postings WHERE term_id = w.term_id OFFSET 0
    ) AS p
    GROUP BY p.passage_id
    UNION ALL ({_AMONG.format(among="> (SELECT packed FROM statistics)")})
"""

# The best come first and are looked at one by one until there are enough.
_ALLOWED = """
    SELECT passage_id, score FROM ({read} ORDER BY score DESC, passage_id OFFSET 0) AS met
    WHERE EXISTS (
        SELECT FROM passages JOIN files ON files.id = passages.file_id
        WHERE passages.id = met.passage_id AND {condition} OFFSET 0
    )
"""

_BEST = f"""
    WITH candidate AS (
        {{read}} ORDER BY score DESC, passage_id LIMIT {CANDIDATES}
    ), complete AS (
        SELECT passage_id, file_id, candidate.score + coalesce((
            SELECT sum({_SHARE})
            FROM unnest($6::int[], $7::float8[]) AS w (term_id, weight), LATERAL ({_OWN}) AS p
        ), 0) AS score
        FROM candidate JOIN passages ON passages.id = candidate.passage_id
    ), ranked AS (
        SELECT passage_id, file_id, score,
            row_number() OVER (PARTITION BY file_id ORDER BY score DESC, passage_id) AS nth
        FROM complete
    ), best AS (
        SELECT * FROM ranked WHERE nth <= {PER_FILE} ORDER BY score DESC, passage_id LIMIT $5
    )
    SELECT passages.id, path, title, kind, mtime_ns, position, body, place, score
    FROM best JOIN passages ON passages.id = passage_id JOIN files ON files.id = best.file_id
    ORDER BY score DESC, passages.id
"""


async def find(
    pool: asyncpg.Pool, query: str, limit: int, filters: Filters = EVERYTHING
) -> Sequence[asyncpg.Record]:
    """Return the best passages, best first: id, path, title, kind, mtime_ns, position, body, place, score.

    A passage that shares only function words with the query is none of them.

    The scores are exact. The order is exact while the query's terms have at most `POSTINGS_READ` postings
    together, or the filters leave few passages; beyond that, a passage that holds only the commonest terms may be
    missed, as in MaxScore (Turtle and Flood, 1995).
    """
    asked = asking.read(query)
    async with pool.acquire() as connection:
        terms = await look_up(connection, asked)
        if terms is None:
            return []
        few = await with_phrases(connection, asked, filters)
        if few is None and filters:
            few = await few_allowed(connection, filters)
        if few is not None:
            read, statement = terms.telling, _AMONG.format(among="= ANY($8::int[])")
            arguments: Sequence[object] = [few]
        else:
            read, arguments = _how_many_to_read(terms.frequencies[: terms.telling]), ()
            statement = _READ
            if filters:
                allowed, arguments = condition(filters, 8)
                statement = _ALLOWED.format(read=statement, condition=allowed)
        return await connection.fetch(
            _BEST.format(read=statement),
            terms.ids[:read],
            terms.weights[:read],
            K1 * (1 - B),
            K1 * B / terms.mean_length,
            limit,
            terms.ids[read:],
            terms.weights[read:],
            *arguments,
        )


async def scores(pool: asyncpg.Pool, query: str, passages: Sequence[int]) -> Sequence[asyncpg.Record]:
    """Return rows (passage_id, score) of those among these passages that have a word of the query that tells."""
    asked = asking.read(query)
    async with pool.acquire() as connection:
        terms = await look_up(connection, asked)
        if terms is None:
            return []
        few = await with_phrases(connection, asked, EVERYTHING)
        if few is not None:
            passages = list(set(passages).intersection(few))
        return await connection.fetch(
            _AMONG.format(among="= ANY($5::int[])") + "HAVING bool_or(w.term_id = ANY($6::int[]))",
            terms.ids,
            terms.weights,
            K1 * (1 - B),
            K1 * B / terms.mean_length,
            passages,
            terms.ids[: terms.telling],
        )


async def read_words(pool: asyncpg.Pool, query: str) -> Wording:
    """Return how the words of a query are read."""
    asked = asking.read(query)
    async with pool.acquire() as connection:
        terms = await look_up(connection, asked)
        if terms is None:
            return Wording()
        instead = list(terms.instead)
        if asked.phrases and await with_phrases(connection, asked, EVERYTHING) is None:
            instead += [Instead(written=f"«{phrase}»", shown=phrase) for phrase, _ in asked.phrases]
    if not instead:
        return Wording(whole=terms.whole)
    return Wording(
        whole=terms.whole,
        instead=Instead(
            written=" ".join(one.written for one in instead), shown=" ".join(one.shown for one in instead)
        ),
    )


def _how_many_to_read(frequencies: Sequence[int]) -> int:
    """Return how many of the terms, rarest first, may contribute candidates."""
    spent = 0
    for place, frequency in enumerate(frequencies):
        spent += frequency
        if spent > POSTINGS_READ:
            return max(place, 1)
    return len(frequencies)
