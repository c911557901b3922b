"""The vector leg on a real PostgreSQL with pgvector."""

import pytest

from tests.contract.nearness import MODEL, TEXTS, passages_of
from titan_desktop.adapters.postgres import vectors as postgres_vectors
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, Passage


@pytest.fixture
async def passages(database: Database) -> PostgresPassages:
    passages = PostgresPassages(database)
    for text in TEXTS:
        await passages.store(FileEntry(path=f"/d/{text}.txt", stamp=Stamp(1, 1)), [Passage(text)])
    return passages


@pytest.fixture
async def vectors(database: Database, passages: PostgresPassages) -> PostgresVectors:
    return PostgresVectors(database)


async def test_the_index_of_the_model_serves(vectors: PostgresVectors, database: Database) -> None:
    """The search runs over the model's HNSW index, not over the table."""
    await vectors.store(MODEL, TEXTS)
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        await connection.execute("SET LOCAL enable_sort = off")
        number = await connection.fetchval("SELECT id FROM models")
        statement = postgres_vectors._NEAR.format(size=3, model=number)
        plan = await connection.fetch(f"EXPLAIN {statement}", [1.0, 0.0, 0.0], 2)
    assert f"vectors_of_model_{number}" in "\n".join(row[0] for row in plan)


async def test_a_model_too_large_for_the_index(vectors: PostgresVectors) -> None:
    """Beyond 4,000 numbers there is no HNSW index, and the search still answers."""
    await vectors.store("large", {"кошка": [1.0] * 4_001, "смета": [1.0, *[0.0] * 4_000]})
    assert (await vectors.find_near("large", [1.0] * 4_001, 1))[0].text == "кошка"


async def test_a_text_that_is_gone_gets_no_vector(vectors: PostgresVectors, database: Database) -> None:
    """Its file was removed while its vector was being made."""
    await vectors.store(MODEL, {"a text of no file": [1.0, 0.0, 0.0]})
    assert await database.pool.fetchval("SELECT count(*) FROM vectors") == 0


async def test_many_texts_that_are_gone_go_in_steps(
    vectors: PostgresVectors, passages: PostgresPassages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_vectors, "PRUNED", 2)
    texts = [f"text {number}" for number in range(5)]
    await passages.store(FileEntry(path="/d/many.txt", stamp=Stamp(1, 1)), passages_of(*texts))
    await vectors.store(MODEL, {text: [1.0, 0.0, 0.0] for text in texts})
    await passages.remove("/d/many.txt")
    assert await vectors.prune(0) == 5


async def test_what_was_left_behind_before_is_pruned_too(
    vectors: PostgresVectors, passages: PostgresPassages, database: Database
) -> None:
    """A database of the former version has vectors of texts whose going nobody noted."""
    await vectors.store(MODEL, TEXTS)
    await database.pool.execute("ALTER TABLE passages DISABLE TRIGGER passages_gone")
    await passages.remove("/d/кошка.txt")
    await database.pool.execute(
        "DROP TABLE gone_texts; DROP TRIGGER passages_gone ON passages; DROP FUNCTION note_gone_texts;"
        "DELETE FROM migrations WHERE name = 'vectors-002'"
    )
    await database.migrate(postgres_vectors.MIGRATIONS)
    assert await vectors.prune(0) == 1


async def test_a_model_that_is_dropped_takes_its_index_along(
    vectors: PostgresVectors, database: Database
) -> None:
    await vectors.store(MODEL, TEXTS)
    await vectors.store("another", {text: [*vector, 1.0] for text, vector in TEXTS.items()})
    await vectors.keep_only("another")
    assert await database.pool.fetchval("SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%hnsw%'") == 1
