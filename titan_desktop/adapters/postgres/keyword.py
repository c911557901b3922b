"""The keyword leg: an inverted index in tables of our own, ranked by BM25.

PostgreSQL's parser and Snowball dictionaries make the stems (the text search configuration `titan`, no stop
words); its `ts_rank` family does not know how rare a word is, so the ranking is ours. `passages` calls this;
nobody else.

Okapi BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, with Lucene's idf:
`ln(1 + (N - df + 0.5) / (df + 0.5))`, which is never negative.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from titan_desktop.adapters.postgres.database import Migration
from titan_desktop.adapters.postgres.filtering import condition, few_allowed
from titan_desktop.adapters.postgres.phrases import with_phrases
from titan_desktop.adapters.postgres.terms import look_up
from titan_desktop.adapters.postgres.text import asking
from titan_desktop.contracts.search import EVERYTHING, Filters, Instead

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

K1 = 1.2
B = 0.75
POSTINGS_READ = 20_000
"""Postings that may be read to find candidates: the rarest terms' until this is spent, the rarest's always."""
CANDIDATES = 400
"""Passages whose score is completed with terms that were too common to be read."""
PER_FILE = 3
"""Passages of one file at most, so that a long file does not crowd out the others."""

MIGRATION = Migration(
    "keyword-001",
    """
    CREATE TEXT SEARCH DICTIONARY titan_russian (TEMPLATE = pg_catalog.snowball, LANGUAGE = russian);
    CREATE TEXT SEARCH DICTIONARY titan_english (TEMPLATE = pg_catalog.snowball, LANGUAGE = english);
    CREATE TEXT SEARCH CONFIGURATION titan (PARSER = pg_catalog."default");
    ALTER TEXT SEARCH CONFIGURATION titan ADD MAPPING FOR asciiword WITH titan_english;
    ALTER TEXT SEARCH CONFIGURATION titan ADD MAPPING FOR word WITH titan_russian;
    ALTER TEXT SEARCH CONFIGURATION titan ADD MAPPING FOR numword, uint, int, float, sfloat WITH simple;

    CREATE TABLE terms (
        id   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        term text COLLATE "C" NOT NULL UNIQUE,
        df   int NOT NULL
    ) WITH (fillfactor = 80);
    -- `length` repeats the passage's, so that a score needs this index and nothing else.
    CREATE TABLE postings (
        term_id    int NOT NULL,
        passage_id int NOT NULL,
        tf         smallint NOT NULL,
        length     smallint NOT NULL,
        PRIMARY KEY (term_id, passage_id) INCLUDE (tf, length)
    ) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
    CREATE TABLE statistics (
        passages bigint NOT NULL,
        length   bigint NOT NULL
    );
    INSERT INTO statistics VALUES (0, 0);
    """,
)

# A posting's share of the score. `weight` is the idf; $3 and $4 are k1 * (1 - b) and k1 * b / mean length.
# All are float8: a bare 0.75 would be numeric, and four times as slow.
_SHARE = f"{K1 + 1}::float8 * w.weight * p.tf / (p.tf + $3::float8 + $4::float8 * p.length)"

# OFFSET 0 keeps the planner from joining in another way than term by term through the index: while the tables are
# young and have no statistics it would read all postings, in parallel workers.
_READ = f"""
    SELECT p.passage_id, sum({_SHARE}) AS score
    FROM unnest($1::int[], $2::float8[]) AS w (term_id, weight), LATERAL (
        SELECT passage_id, tf, length FROM postings WHERE term_id = w.term_id {{among}} OFFSET 0
    ) AS p
    GROUP BY p.passage_id
"""
_AMONG = "AND passage_id = ANY(${place}::int[])"

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
        SELECT passage_id, score + coalesce((
            SELECT sum({_SHARE})
            FROM unnest($6::int[], $7::float8[]) AS w (term_id, weight), LATERAL (
                SELECT tf, length FROM postings
                WHERE term_id = w.term_id AND passage_id = candidate.passage_id OFFSET 0
            ) AS p
        ), 0) AS score
        FROM candidate
    ), ranked AS (
        SELECT passages.id, file_id, position, body, place, complete.score,
            row_number() OVER (PARTITION BY file_id ORDER BY complete.score DESC, passages.id) AS nth
        FROM complete JOIN passages ON passages.id = complete.passage_id
    )
    SELECT ranked.id, path, title, kind, mtime_ns, position, body, place, score
    FROM ranked JOIN files ON files.id = ranked.file_id
    WHERE nth <= {PER_FILE}
    ORDER BY score DESC, ranked.id LIMIT $5
"""

# One statement a batch: stems, new terms, document frequencies, postings and the passages themselves. The
# caller holds the writer's lock, so "update what is there, insert what is not" needs no ON CONFLICT, which
# would use up a term id for every word of every file.
_ADD = """
    WITH incoming AS (
        SELECT * FROM unnest($2::int[], $3::int[], $4::text[], $5::bytea[], $6::text[], $7::jsonb[])
            AS i (id, position, body, digest, words, place)
    ), occurrence AS MATERIALIZED (
        SELECT incoming.id AS passage_id, stem.lexeme AS term, cardinality(stem.positions) AS tf
        FROM incoming, unnest(to_tsvector('titan', incoming.words)) AS stem
    ), frequency AS MATERIALIZED (
        SELECT term, count(*)::int AS df FROM occurrence GROUP BY term
    ), met AS (
        UPDATE terms SET df = terms.df + frequency.df FROM frequency WHERE terms.term = frequency.term
        RETURNING terms.id, terms.term
    ), fresh AS (
        INSERT INTO terms (term, df)
        SELECT term, df FROM frequency WHERE NOT EXISTS (SELECT FROM terms WHERE terms.term = frequency.term)
        RETURNING id, term
    ), measured AS MATERIALIZED (
        SELECT passage_id, sum(tf)::int AS length FROM occurrence GROUP BY passage_id
    ), posted AS (
        INSERT INTO postings (term_id, passage_id, tf, length)
        SELECT term.id, passage_id, occurrence.tf, measured.length
        FROM occurrence
        JOIN (SELECT * FROM met UNION ALL SELECT * FROM fresh) AS term USING (term)
        JOIN measured USING (passage_id)
        ORDER BY term.id, passage_id
        RETURNING term_id, passage_id
    ), listed AS (
        SELECT passage_id, array_agg(term_id) AS terms FROM posted GROUP BY passage_id
    ), counted AS (
        UPDATE statistics SET passages = passages + (SELECT count(*) FROM incoming),
            length = length + (SELECT coalesce(sum(length), 0) FROM measured)
    )
    INSERT INTO passages (id, file_id, position, body, digest, place, length, terms)
    SELECT incoming.id, $1, position, body, digest, place,
        coalesce(measured.length, 0), coalesce(listed.terms, '{}')
    FROM incoming
    LEFT JOIN measured ON measured.passage_id = incoming.id
    LEFT JOIN listed ON listed.passage_id = incoming.id
"""

_TAKE_OUT = """
    WITH gone AS (
        DELETE FROM passages WHERE file_id = ANY($1::bigint[]) RETURNING id, length, terms
    ), occurrence AS MATERIALIZED (
        SELECT gone.id AS passage_id, term_id FROM gone, unnest(gone.terms) AS term_id
    ), unposted AS (
        DELETE FROM postings p USING occurrence o WHERE p.term_id = o.term_id AND p.passage_id = o.passage_id
    ), counted AS (
        UPDATE statistics SET passages = passages - (SELECT count(*) FROM gone),
            length = length - (SELECT coalesce(sum(length), 0) FROM gone)
    )
    UPDATE terms SET df = terms.df - o.n
    FROM (SELECT term_id, count(*)::int AS n FROM occurrence GROUP BY term_id) AS o
    WHERE terms.id = o.term_id
    RETURNING CASE WHEN terms.df = 0 THEN terms.id END AS unused
"""


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage to be indexed.

    Attributes:
        words: the indexed words: its own and those of the file's name.
        place: a `Place` in JSON.
    """

    position: int
    body: str
    digest: bytes
    words: str
    place: str | None


async def add(connection: "PoolConnectionProxy", file_id: int, batch: Sequence[NewPassage]) -> None:
    """Index passages of one file, within the caller's transaction and under the writer's lock."""
    numbers = await connection.fetchval(
        "SELECT array_agg(nextval('passages_id')) FROM generate_series(1, $1)", len(batch)
    )
    await connection.execute(
        _ADD,
        file_id,
        numbers,
        [passage.position for passage in batch],
        [passage.body for passage in batch],
        [passage.digest for passage in batch],
        [passage.words for passage in batch],
        [passage.place for passage in batch],
    )


async def take_out(connection: "PoolConnectionProxy", files: Sequence[int]) -> None:
    """Remove all passages of these files, within the caller's transaction and under the writer's lock."""
    touched = await connection.fetch(_TAKE_OUT, files)
    unused = [row["unused"] for row in touched if row["unused"] is not None]
    if unused:
        await connection.execute("DELETE FROM terms WHERE id = ANY($1::int[])", unused)


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
            read, statement = terms.telling, _READ.format(among=_AMONG.format(place=8))
            arguments: Sequence[object] = [few]
        else:
            read, arguments = _how_many_to_read(terms.frequencies[: terms.telling]), ()
            statement = _READ.format(among="")
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
            _READ.format(among=_AMONG.format(place=5)) + "HAVING bool_or(w.term_id = ANY($6::int[]))",
            terms.ids,
            terms.weights,
            K1 * (1 - B),
            K1 * B / terms.mean_length,
            passages,
            terms.ids[: terms.telling],
        )


async def read_instead(pool: asyncpg.Pool, query: str) -> Instead | None:
    """Return what is looked for in place of what the index does not have."""
    asked = asking.read(query)
    async with pool.acquire() as connection:
        terms = await look_up(connection, asked)
        instead = list(terms.instead) if terms else []
        if terms and asked.phrases and await with_phrases(connection, asked, EVERYTHING) is None:
            instead += [Instead(written=f"«{phrase}»", shown=phrase) for phrase, _ in asked.phrases]
    if not instead:
        return None
    return Instead(
        written=" ".join(one.written for one in instead), shown=" ".join(one.shown for one in instead)
    )


def _how_many_to_read(frequencies: Sequence[int]) -> int:
    """Return how many of the terms, rarest first, may contribute candidates."""
    spent = 0
    for place, frequency in enumerate(frequencies):
        spent += frequency
        if spent > POSTINGS_READ:
            return max(place, 1)
    return len(frequencies)
