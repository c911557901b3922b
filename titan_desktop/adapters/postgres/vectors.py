"""The vector leg: pgvector's halfvec under an HNSW index for each model.

A vector belongs to (model, SHA-256 of the text), not to a passage: that is the cache of embeddings and the
index in one table. A file that is renamed, copied or changed in one place costs no embedding that was made
before.

HNSW takes a halfvec of at most 4,000 numbers (pgvector's README, "HNSW"); larger models are searched without
it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from titan_desktop.adapters.postgres.database import Database, Migration
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.adapters.postgres.passages import digest, found
from titan_desktop.ports.passages import Found, VectorSizeError

HNSW_LIMIT = 4_000
LEAST_BREADTH = 100
"""hnsw.ef_search at least: the recall of a small answer should not be worse than that of a large one."""

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
)

_MISSING = """
    SELECT body FROM passages
    WHERE NOT EXISTS (SELECT FROM vectors WHERE model_id = $1 AND vectors.digest = passages.digest) LIMIT $2
"""

# Nearest texts first, then the passages that have them. The model stands in the statement as a number,
# because only then does the planner know that the model's partial index serves; so does the size.
_NEAR = """
    WITH near AS MATERIALIZED (
        SELECT digest, embedding::halfvec({size}) <=> $1::real[]::halfvec({size}) AS distance
        FROM vectors WHERE model_id = {model} AND embedding IS NOT NULL
        ORDER BY embedding::halfvec({size}) <=> $1::real[]::halfvec({size}) LIMIT $2
    )
    SELECT passages.id, path, title, kind, position, body, place, 1 - distance AS score
    FROM near JOIN passages USING (digest) JOIN files ON files.id = passages.file_id
    WHERE distance = distance
    ORDER BY distance, passages.id LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class _Model:
    id: int
    size: int | None


class PostgresVectors:
    """Vectors of passages.

    Args:
        database: opened, with the migrations of `passages` and of this module applied, in this order.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._models: dict[str, _Model] = {}

    async def missing(self, model: str, limit: int) -> Sequence[str]:
        """See `ports.passages`."""
        with translated():
            number = (await self._model(model)).id
            rows = await self._database.pool.fetch(_MISSING, number, limit)
        return list(dict.fromkeys(row["body"] for row in rows))

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
                "INSERT INTO vectors (model_id, digest, embedding) VALUES ($1, $2, $3::real[]::halfvec)"
                " ON CONFLICT (model_id, digest) DO UPDATE SET embedding = excluded.embedding",
                [(known.id, digest(text), vector) for text, vector in vectors.items()],
            )

    async def progress(self, model: str) -> tuple[int, int]:
        """See `ports.passages`."""
        with translated():
            number = (await self._model(model)).id
            rows = await self._database.pool.fetch(
                "SELECT count(vectors.digest) AS done, count(*) AS total FROM passages"
                " LEFT JOIN vectors ON vectors.digest = passages.digest AND model_id = $1",
                number,
            )
        return rows[0]["done"], rows[0]["total"]

    async def find_near(self, model: str, vector: Sequence[float], limit: int) -> Sequence[Found]:
        """See `ports.passages`."""
        with translated():
            known = await self._model(model)
            if known.size is None:
                return []
            if known.size != len(vector):
                raise VectorSizeError(model, known.size, len(vector))
            async with self._database.pool.acquire() as connection, connection.transaction(readonly=True):
                # pgvector's README, "Iterative Index Scans": go on until enough rows have passed the filter.
                await connection.execute(
                    f"SET LOCAL hnsw.ef_search = {min(max(LEAST_BREADTH, limit), 1000)};"
                    "SET LOCAL hnsw.iterative_scan = strict_order"
                )
                rows = await connection.fetch(_NEAR.format(size=known.size, model=known.id), vector, limit)
        return [found(row) for row in rows]

    async def keep_only(self, model: str) -> None:
        """See `ports.passages`."""
        await self._drop("name <> $1", model)

    async def forget(self, model: str) -> None:
        """See `ports.passages`."""
        await self._drop("name = $1", model)

    async def prune(self) -> int:
        """See `ports.passages`."""
        with translated():
            status = await self._database.pool.execute(
                "DELETE FROM vectors WHERE NOT EXISTS"
                " (SELECT FROM passages WHERE passages.digest = vectors.digest)"
            )
        return int(status.rpartition(" ")[2])

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
        """Keep the size of a model's first vector, and make its index while that is quick."""
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


def _index(model: int) -> str:
    return f"vectors_of_model_{model:d}"
