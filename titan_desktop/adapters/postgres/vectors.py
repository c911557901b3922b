"""The vector search: pgvector's halfvec under an HNSW index for each model.

A vector belongs to (model, SHA-256 of the text), not to a passage: cache and index are one table. A file that is
renamed, copied or changed in one place needs only new embeddings of changed text. A trigger records texts that
leave the index; their vectors are deleted later.

Passages have ascending numbers, also in the order in which they become visible, because there is one writer at a
time (`passages.WRITER_LOCK`). So an index that is walked by number is walked once: passages behind the position
have their vectors. `prune` takes the same lock, or it might delete a vector that a new passage was about to use.

HNSW takes a halfvec of at most 4,000 numbers (pgvector's README, "HNSW"); larger models are searched without it.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from titan_desktop.adapters.postgres.database import Database, Migration
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.adapters.postgres.filtering import condition, few_allowed
from titan_desktop.adapters.postgres.passages import WRITER_LOCK, digest, found
from titan_desktop.contracts.search import EVERYTHING, Filters
from titan_desktop.ports.passages import Found, Stretch, VectorSizeError

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

HNSW_LIMIT = 4_000
LEAST_BREADTH = 100
"""The minimum of hnsw.ef_search: the recall of a small result should not be worse than that of a large one."""
PRUNED = 500
"""Texts pruned in one transaction; bounds the wait of the writers of passages."""

MIGRATIONS = (
    Migration(
        "vectors-001",
        """
        CREATE EXTENSION IF NOT EXISTS vector;
        CREATE TABLE models (
            id   smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL UNIQUE,
            size int
        );
        -- A null embedding: the model refuses this text. It is not asked again.
        CREATE TABLE vectors (
            model_id  smallint NOT NULL REFERENCES models (id),
            digest    bytea NOT NULL,
            embedding halfvec,
            PRIMARY KEY (model_id, digest)
        );
        """,
    ),
    Migration(
        "vectors-002",
        """
        -- Texts that left the index, and when; some of them may have come back.
        CREATE TABLE gone_texts (
            digest bytea PRIMARY KEY,
            at     timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX gone_texts_by_time ON gone_texts (at);
        CREATE FUNCTION note_gone_texts() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO gone_texts (digest) SELECT DISTINCT digest FROM gone
            ON CONFLICT (digest) DO UPDATE SET at = excluded.at;
            RETURN NULL;
        END $$;
        CREATE TRIGGER passages_gone AFTER DELETE ON passages REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION note_gone_texts();
        INSERT INTO gone_texts (digest) SELECT DISTINCT digest FROM vectors
        WHERE NOT EXISTS (SELECT FROM passages WHERE passages.digest = vectors.digest OFFSET 0);
        """,
    ),
    Migration("vectors-heads", "CREATE INDEX passages_heads ON passages (id) WHERE position = 0"),
)

# OFFSET 0 keeps the planner from making one join of it, which it would read whole for every stretch.
_LACKS = """NOT EXISTS (
        SELECT FROM vectors WHERE model_id = $1 AND digest = passages.digest OFFSET 0
    )"""
_STRETCH = f"""
    SELECT id, CASE WHEN {_LACKS} THEN body END AS lacking
    FROM passages WHERE id > $2 ORDER BY id LIMIT $3
"""
_HEADS = f"""
    SELECT body AS lacking FROM passages JOIN files ON files.id = file_id
    WHERE position = 0 AND passages.id > $2 AND {_LACKS}
    ORDER BY mtime_ns DESC, passages.id LIMIT $3
"""
_TOTAL = "SELECT passages FROM statistics"
_LACKING = f"SELECT count(*) FROM passages WHERE id > $2 AND {_LACKS}"

_STORE = """
    INSERT INTO vectors (model_id, digest, embedding) SELECT $1::smallint, $2::bytea, $3::real[]::halfvec
    WHERE EXISTS (SELECT FROM passages WHERE digest = $2)
    ON CONFLICT (model_id, digest) DO UPDATE SET embedding = excluded.embedding
"""

_PRUNE = """
    WITH old AS (
        DELETE FROM gone_texts WHERE digest IN (
            SELECT digest FROM gone_texts WHERE at <= now() - make_interval(secs => $1) ORDER BY at LIMIT $2
        ) RETURNING digest
    ), pruned AS (
        DELETE FROM vectors USING old WHERE vectors.digest = old.digest
            AND model_id IN (SELECT id FROM models)
            AND NOT EXISTS (SELECT FROM passages WHERE passages.digest = old.digest OFFSET 0)
        RETURNING vectors.digest
    )
    SELECT (SELECT count(*) FROM old) AS looked_at, (SELECT count(*) FROM pruned) AS pruned
"""

_DISTANCE = "embedding::halfvec({size}) <=> $1::real[]::halfvec({size})"

# Nearest texts first, then the passages that have them. The model stands in the statement as a number,
# because only then does the planner know that the model's partial index serves; so does the size.
_NEAR = f"""
    WITH near AS MATERIALIZED (
        SELECT digest, {_DISTANCE} AS distance
        FROM vectors WHERE model_id = {{model}} AND embedding IS NOT NULL
        ORDER BY {_DISTANCE} LIMIT $2
    )
    SELECT passages.id, path, title, kind, mtime_ns, position, body, place, 1 - distance AS score
    FROM near JOIN passages USING (digest) JOIN files ON files.id = passages.file_id
    WHERE distance = distance
    ORDER BY distance, passages.id LIMIT $2
"""

# pgvector goes on along the index until enough texts have passed the condition.
_NEAR_ALLOWED = f"""
    WITH near AS MATERIALIZED (
        SELECT digest, {_DISTANCE} AS distance
        FROM vectors WHERE model_id = {{model}} AND embedding IS NOT NULL AND EXISTS (
            SELECT FROM passages JOIN files ON files.id = passages.file_id
            WHERE passages.digest = vectors.digest AND {{condition}} OFFSET 0
        )
        ORDER BY {_DISTANCE} LIMIT $2
    )
    SELECT passages.id, path, title, kind, mtime_ns, position, body, place, 1 - distance AS score
    FROM near JOIN passages USING (digest) JOIN files ON files.id = passages.file_id
    WHERE distance = distance AND {{condition}}
    ORDER BY distance, passages.id LIMIT $2
"""

_COSINES = f"""
    SELECT passages.id, 1 - distance AS cosine
    FROM passages, LATERAL (
        SELECT {_DISTANCE} AS distance FROM vectors
        WHERE model_id = {{model}} AND digest = passages.digest AND embedding IS NOT NULL OFFSET 0
    ) AS measured
    WHERE passages.id = ANY($2::int[]) AND distance = distance
"""
_NEAR_AMONG = f"""
    WITH measured AS ({_COSINES} ORDER BY distance, passages.id LIMIT $3)
    SELECT passages.id, path, title, kind, mtime_ns, position, body, place, cosine AS score
    FROM measured JOIN passages USING (id) JOIN files ON files.id = passages.file_id
    ORDER BY cosine DESC, passages.id
"""


@dataclass(frozen=True, slots=True)
class _Model:
    id: int
    size: int | None


_HALF_MAX = 65_504.0
"""The greatest number of 16 bits (IEEE 754), which pgvector's halfvec refuses to exceed."""


class PostgresVectors:
    """Vectors of passages.

    Args:
        database: opened, with the migrations of `passages` and of this module applied, in this order.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._models: dict[str, _Model] = {}

    async def stretch(self, model: str, after: int, limit: int) -> Stretch:
        """See `ports.passages`."""
        async with self._walking(model) as (connection, number):
            rows = await connection.fetch(_STRETCH, number, after, limit)
            total = await connection.fetchval(_TOTAL)
        return _stretch(rows, rows[-1]["id"] if rows else after, total)

    async def heads(self, model: str, after: int, limit: int) -> Stretch:
        """See `ports.passages`. Sorts those that are left: 100,000 take half a second."""
        async with self._walking(model) as (connection, number):
            rows = await connection.fetch(_HEADS, number, after, limit)
            end = await connection.fetchval("SELECT max(id) FROM passages")
            total = await connection.fetchval(_TOTAL)
        return _stretch(rows, max(end or 0, after), total)

    async def lacking(self, model: str, after: int) -> tuple[int, int]:
        """See `ports.passages`. Reads the rows behind the position, few except at the first time."""
        async with self._walking(model) as (connection, number):
            return await connection.fetchval(_LACKING, number, after), await connection.fetchval(_TOTAL)

    @contextlib.asynccontextmanager
    async def _walking(self, model: str) -> AsyncIterator[tuple["PoolConnectionProxy", int]]:
        """Give a connection that sees one state of the index, and the model's number."""
        with translated():
            number = (await self._model(model)).id
            async with (
                self._database.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                # While the tables are young and have no statistics the planner would read them whole, for each
                # passage, and keep to that plan when they have grown.
                await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
                yield connection, number

    async def store(self, model: str, vectors: Mapping[str, Sequence[float] | None]) -> None:
        """See `ports.passages`."""
        with translated():
            known = await self._model(model)
            sizes = {len(vector) for vector in vectors.values() if vector is not None}
            for size in sizes:
                if known.size is None:
                    known = await self._fix_size(model, known.id, size)
                if size != known.size:
                    raise VectorSizeError(model, known.size or 0, size)
            await self._database.pool.executemany(
                _STORE,
                [(known.id, digest(text), _in_range(vector)) for text, vector in vectors.items()],
            )

    async def find_near(
        self, model: str, vector: Sequence[float], limit: int, filters: Filters = EVERYTHING
    ) -> Sequence[Found]:
        """See `ports.passages`. Among few passages each is measured; else the index finds them."""
        with translated():
            known = await self._of_size(model, vector)
            if known is None:
                return []
            placed = {"size": known.size, "model": known.id}
            async with self._database.pool.acquire() as connection, connection.transaction(readonly=True):
                few = await few_allowed(connection, filters) if filters else None
                if few is not None:
                    rows = await connection.fetch(_NEAR_AMONG.format(**placed), _in_range(vector), few, limit)
                else:
                    # pgvector's README, "Iterative Index Scans".
                    await connection.execute(
                        f"SET LOCAL hnsw.ef_search = {min(max(LEAST_BREADTH, limit), 1000)};"
                        "SET LOCAL hnsw.iterative_scan = strict_order"
                    )
                    allowed, arguments = condition(filters, 3)
                    statement = (_NEAR_ALLOWED if filters else _NEAR).format(condition=allowed, **placed)
                    rows = await connection.fetch(
                        statement, _in_range(vector), limit, *(arguments if filters else ())
                    )
        return [found(row) for row in rows]

    async def cosines(
        self, model: str, vector: Sequence[float], passages: Sequence[int]
    ) -> Mapping[int, float]:
        """See `ports.passages`."""
        with translated():
            known = await self._of_size(model, vector)
            if known is None:
                return {}
            rows = await self._database.pool.fetch(
                _COSINES.format(size=known.size, model=known.id), _in_range(vector), passages
            )
        return {row["id"]: row["cosine"] for row in rows}

    async def keep_only(self, model: str) -> None:
        """See `ports.passages`."""
        await self._drop("name <> $1", model)

    async def forget(self, model: str) -> None:
        """See `ports.passages`."""
        await self._drop("name = $1", model)

    async def prune(self, kept_s: float) -> int:
        """See `ports.passages`. Its cost depends on the removed texts, not on the index."""
        pruned = 0
        while True:
            with translated():
                async with self._database.pool.acquire() as connection, connection.transaction():
                    await connection.execute("SELECT pg_advisory_xact_lock($1)", WRITER_LOCK)
                    row = await connection.fetchrow(_PRUNE, kept_s, PRUNED)
            assert row is not None  # noqa: S101 - a SELECT without FROM has one row
            pruned += int(row["pruned"])
            if row["looked_at"] < PRUNED:
                return pruned

    async def _drop(self, condition: str, model: str) -> None:
        with translated():
            async with self._database.pool.acquire() as connection, connection.transaction():
                rows = await connection.fetch(f"SELECT id FROM models WHERE {condition} FOR UPDATE", model)
                for row in rows:
                    await connection.execute(f"DROP INDEX IF EXISTS {_index(row['id'])}")
                numbers = [row["id"] for row in rows]
                await connection.execute("DELETE FROM vectors WHERE model_id = ANY($1::smallint[])", numbers)
                await connection.execute("DELETE FROM models WHERE id = ANY($1::smallint[])", numbers)
        self._models.clear()

    async def _of_size(self, name: str, vector: Sequence[float]) -> _Model | None:
        """Return the model of this vector, None while it has none."""
        known = await self._model(name)
        if known.size is None:
            return None
        if known.size != len(vector):
            raise VectorSizeError(name, known.size, len(vector))
        return known

    async def _model(self, name: str) -> _Model:
        if name not in self._models:
            rows = await self._database.pool.fetch(
                "INSERT INTO models (name) VALUES ($1)"
                " ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id, size",
                name,
            )
            self._models[name] = _Model(rows[0]["id"], rows[0]["size"])
        return self._models[name]

    async def _fix_size(self, name: str, number: int, size: int) -> _Model:
        """Store the size of a model's first vector, and create its index while that is quick."""
        async with self._database.pool.acquire() as connection, connection.transaction():
            fixed = await connection.fetchval(
                "UPDATE models SET size = coalesce(size, $2) WHERE id = $1 RETURNING size", number, size
            )
            if fixed <= HNSW_LIMIT:
                await connection.execute(
                    f"CREATE INDEX IF NOT EXISTS {_index(number)} ON vectors"
                    f" USING hnsw ((embedding::halfvec({fixed:d})) halfvec_cosine_ops) WHERE model_id = {number:d}"
                )
        self._models[name] = _Model(number, fixed)
        return self._models[name]


def _stretch(rows: Sequence["asyncpg.Record"], end: int, total: int) -> Stretch:
    texts = list(dict.fromkeys(row["lacking"] for row in rows if row["lacking"] is not None))
    return Stretch(texts=texts, passed=len(rows), end=end, total=total)


def _index(model: int) -> str:
    return f"vectors_of_model_{model:d}"


def _in_range(vector: Sequence[float] | None) -> Sequence[float] | None:
    """Return a vector of the same direction, which alone counts for the cosine, whose numbers can be stored."""
    if not vector:
        return vector
    greatest = abs(max(vector, key=abs))
    if greatest <= _HALF_MAX:
        return vector
    return [number / greatest for number in vector]
