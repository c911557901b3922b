"""The inverted index of passages: terms, and in which passages they stand how often. `passages` writes it.

Each passage has its terms in its own row. Those of older passages are also packed by term, many to a row, which
takes a tenth of the room that a row each takes. The newest are not: a search looks through their rows.
`all_postings` shows everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from titan_desktop.adapters.postgres.database import Migration

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

NEWEST = 256
"""At most about so many passages are not packed yet: more make a search slow, fewer make packing dear."""
TAKEN_OUT = 64
"""Passages that are removed by one statement."""

MIGRATIONS = (
    Migration(
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
    ),
    Migration(
        "keyword-packed",
        """
        -- How often each of a passage's terms stands in it, a byte each; empty for what a former version stored.
        ALTER TABLE passages ADD COLUMN tfs bytea NOT NULL DEFAULT '';
        -- The postings of a term in 4,096 passages, ascending: 12 bits of the passage's number, 5 of its tf, 14 of
        -- its length. `postings` has those that a former version stored, until their files are read again.
        CREATE TABLE packed_postings (
            term_id int NOT NULL,
            segment int NOT NULL,
            entries int[] NOT NULL,
            PRIMARY KEY (term_id, segment)
        ) WITH (autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05);
        -- Up to which passage they are packed.
        ALTER TABLE statistics ADD COLUMN packed int NOT NULL DEFAULT 0;
        UPDATE statistics SET packed = coalesce((SELECT max(id) FROM passages), 0);
        CREATE VIEW older_postings AS
            SELECT term_id, passage_id, tf::int, length::int FROM postings
            UNION ALL
            SELECT term_id, (segment << 12) | (entry >> 19), (entry >> 14) & 31, entry & 16383
            FROM packed_postings, unnest(entries) AS entry;
        CREATE VIEW all_postings AS
            SELECT term_id, passage_id, tf, length FROM older_postings
            UNION ALL
            SELECT own.term_id, id, get_byte(tfs, own.at::int - 1), length
            FROM passages, unnest(terms) WITH ORDINALITY AS own (term_id, at)
            WHERE id > (SELECT packed FROM statistics);
        """,
    ),
)

PACK = """
    WITH packed AS (
        INSERT INTO packed_postings (term_id, segment, entries)
        SELECT own.term_id, id >> 12, array_agg(
            ((id & 4095) << 19) | (least(get_byte(tfs, own.at::int - 1), 31) << 14) | least(length, 16383)
            ORDER BY id
        )
        FROM passages, unnest(terms) WITH ORDINALITY AS own (term_id, at)
        WHERE id > (SELECT packed FROM statistics) AND id <= $1
        GROUP BY own.term_id, id >> 12
        ON CONFLICT (term_id, segment) DO UPDATE SET entries = packed_postings.entries || excluded.entries
    )
    UPDATE statistics SET packed = $1
"""
"""Packs what is not packed yet, up to a passage. Under the writer's lock."""

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
    ), listed AS (
        SELECT passage_id, array_agg(term.id ORDER BY term.id) AS terms,
            decode(string_agg(lpad(to_hex(least(tf, 255)), 2, '0'), '' ORDER BY term.id), 'hex') AS tfs
        FROM occurrence JOIN (SELECT * FROM met UNION ALL SELECT * FROM fresh) AS term USING (term)
        GROUP BY passage_id
    ), counted AS (
        UPDATE statistics SET passages = passages + (SELECT count(*) FROM incoming),
            length = length + (SELECT coalesce(sum(length), 0) FROM measured)
    )
    INSERT INTO passages (id, file_id, position, body, digest, place, length, terms, tfs)
    SELECT incoming.id, $1, position, body, digest, place,
        coalesce(measured.length, 0), coalesce(listed.terms, '{}'), coalesce(listed.tfs, '')
    FROM incoming
    LEFT JOIN measured ON measured.passage_id = incoming.id
    LEFT JOIN listed ON listed.passage_id = incoming.id
"""

_TAKE_OUT = """
    WITH gone AS (
        DELETE FROM passages WHERE id IN (
            SELECT id FROM passages WHERE file_id = ANY($1::bigint[]) LIMIT $2
        ) RETURNING id, length, terms
    ), occurrence AS MATERIALIZED (
        SELECT gone.id AS passage_id, term_id FROM gone, unnest(gone.terms) AS term_id
    ), unposted AS (
        DELETE FROM postings p USING occurrence o WHERE p.term_id = o.term_id AND p.passage_id = o.passage_id
    ), without AS MATERIALIZED (
        SELECT p.term_id, p.segment, ARRAY(
            SELECT entry FROM unnest(p.entries) AS entry WHERE entry >> 19 <> ALL (o.places)
        ) AS entries
        FROM (
            SELECT term_id, passage_id >> 12 AS segment, array_agg(passage_id & 4095) AS places
            FROM occurrence WHERE passage_id <= (SELECT packed FROM statistics)
            GROUP BY term_id, passage_id >> 12
        ) AS o, LATERAL (
            SELECT * FROM packed_postings WHERE term_id = o.term_id AND segment = o.segment OFFSET 0
        ) AS p
    ), repacked AS (
        UPDATE packed_postings p SET entries = w.entries FROM without w
        WHERE p.term_id = w.term_id AND p.segment = w.segment AND w.entries <> '{}'
    ), emptied AS (
        DELETE FROM packed_postings p USING without w
        WHERE p.term_id = w.term_id AND p.segment = w.segment AND w.entries = '{}'
    ), counted AS (
        UPDATE statistics SET passages = passages - (SELECT count(*) FROM gone),
            length = length - (SELECT coalesce(sum(length), 0) FROM gone)
    ), lessened AS (
        UPDATE terms SET df = terms.df - o.n
        FROM (SELECT term_id, count(*)::int AS n FROM occurrence GROUP BY term_id) AS o
        WHERE terms.id = o.term_id
        RETURNING terms.id, terms.df
    )
    SELECT (SELECT count(*) FROM gone) AS removed, ARRAY(SELECT id FROM lessened WHERE df = 0) AS unused
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
    if numbers[-1] - await connection.fetchval("SELECT packed FROM statistics") >= NEWEST:
        await connection.execute(PACK, numbers[-1])


async def take_out(connection: "PoolConnectionProxy", files: Sequence[int]) -> None:
    """Remove all passages of these files, within the caller's transaction and under the writer's lock."""
    removed = TAKEN_OUT
    while removed == TAKEN_OUT:
        row = await connection.fetchrow(_TAKE_OUT, files, TAKEN_OUT)
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        removed = row["removed"]
        if row["unused"]:
            await connection.execute("DELETE FROM terms WHERE id = ANY($1::int[])", row["unused"])
