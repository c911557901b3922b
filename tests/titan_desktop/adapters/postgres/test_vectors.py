"""The vector leg on a real PostgreSQL with pgvector."""

import pytest

from titan_desktop.adapters.postgres import vectors as postgres_vectors
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, Passage, VectorSizeError

MODEL = "nomic-embed-text"
TEXTS = {"кошка": [1.0, 0.1, 0.0], "котёнок": [0.9, 0.3, 0.0], "смета": [0.0, 0.1, 1.0]}


@pytest.fixture
async def passages(database: Database) -> PostgresPassages:
    passages = PostgresPassages(database)
    for text in TEXTS:
        await passages.store(FileEntry(path=f"/d/{text}.txt", stamp=Stamp(1, 1)), [Passage(text)])
    return passages


@pytest.fixture
async def vectors(database: Database, passages: PostgresPassages) -> PostgresVectors:
    return PostgresVectors(database)


@pytest.mark.by_url
async def test_finds_the_nearest_first(vectors: PostgresVectors) -> None:
    """Passages come back by cosine, the nearest first, with their files."""
    await vectors.store(MODEL, TEXTS)
    found = await vectors.find_near(MODEL, [1.0, 0.1, 0.0], 2)
    assert [hit.text for hit in found] == ["кошка", "котёнок"]
    assert found[0].score == pytest.approx(1.0, abs=1e-3)
    assert found[0].title == "кошка.txt"


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


async def test_equal_texts_share_a_vector(vectors: PostgresVectors, passages: PostgresPassages) -> None:
    """A copy or a renamed file needs no new embedding, and both copies are found."""
    await vectors.store(MODEL, TEXTS)
    await passages.store(FileEntry(path="/d/copy.txt", stamp=Stamp(1, 1)), [Passage("кошка")])
    assert await lacking(vectors) == []
    found = await vectors.find_near(MODEL, TEXTS["кошка"], 2)
    assert {hit.title for hit in found} == {"кошка.txt", "copy.txt"}


async def test_a_refused_text_is_not_asked_again(vectors: PostgresVectors) -> None:
    """None marks a text as dealt with; it is never found."""
    await vectors.store(MODEL, {**TEXTS, "кошка": None})
    assert await lacking(vectors) == []
    assert len(await vectors.find_near(MODEL, TEXTS["кошка"], 10)) == 2


async def test_models_do_not_mix(vectors: PostgresVectors, database: Database) -> None:
    """Two models of different sizes stand side by side until one is kept; any name will do for a model."""
    hostile = "x'); DROP TABLE vectors; --\""
    await vectors.store(MODEL, TEXTS)
    await vectors.store(hostile, {text: [*vector, 1.0] for text, vector in TEXTS.items()})
    assert len(await vectors.find_near(MODEL, [1, 0, 0], 10)) == 3
    assert len(await vectors.find_near(hostile, [1, 0, 0, 1], 10)) == 3
    await vectors.keep_only(hostile)
    assert await vectors.find_near(MODEL, [1, 0, 0], 10) == []
    assert len(await vectors.find_near(hostile, [1, 0, 0, 1], 10)) == 3
    assert await database.pool.fetchval("SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%hnsw%'") == 1


async def test_a_model_that_changed_its_size(vectors: PostgresVectors) -> None:
    """Vectors of another size under the same name are refused, until the old ones are forgotten."""
    await vectors.store(MODEL, TEXTS)
    with pytest.raises(VectorSizeError):
        await vectors.store(MODEL, {"кошка": [1.0, 2.0]})
    with pytest.raises(VectorSizeError):
        await vectors.find_near(MODEL, [1.0, 2.0], 1)
    await vectors.forget(MODEL)
    await vectors.store(MODEL, {"кошка": [1.0, 2.0]})
    assert await lacking(vectors) == ["котёнок", "смета"]


async def test_a_model_too_large_for_the_index(vectors: PostgresVectors) -> None:
    """Beyond 4,000 numbers there is no HNSW index, and the search still answers."""
    await vectors.store("large", {"кошка": [1.0] * 4_001, "смета": [1.0, *[0.0] * 4_000]})
    assert (await vectors.find_near("large", [1.0] * 4_001, 1))[0].text == "кошка"


async def test_vectors_of_texts_that_are_gone(vectors: PostgresVectors, passages: PostgresPassages) -> None:
    """They are never found, and pruning drops them, but no sooner than is said."""
    await vectors.store(MODEL, TEXTS)
    await passages.remove("/d/кошка.txt")
    assert [hit.text for hit in await vectors.find_near(MODEL, TEXTS["кошка"], 1)] != ["кошка"]
    assert await vectors.prune(3_600) == 0
    assert await vectors.prune(0) == 1
    assert await vectors.prune(0) == 0
    assert len(await vectors.find_near(MODEL, TEXTS["кошка"], 10)) == 2


async def test_a_text_that_was_changed_leaves_no_vector(
    vectors: PostgresVectors, passages: PostgresPassages
) -> None:
    """What a file no longer says goes; what it still says, or another file says, stays."""
    await passages.store(FileEntry(path="/d/two.txt", stamp=Stamp(1, 1)), passages_of("один", "два", "кошка"))
    await vectors.store(MODEL, {**TEXTS, "один": [1.0, 0.0, 0.0], "два": [0.0, 1.0, 0.0]})
    await passages.store(FileEntry(path="/d/two.txt", stamp=Stamp(2, 2)), passages_of("один"))
    assert await vectors.prune(0) == 1
    assert await lacking(vectors) == []


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


async def test_the_index_is_walked_once(vectors: PostgresVectors, passages: PostgresPassages) -> None:
    """Stretch by stretch every passage is seen once, also what is stored meanwhile."""
    await vectors.store(MODEL, {"котёнок": TEXTS["котёнок"]})
    first = await vectors.stretch(MODEL, 0, 2)
    assert (first.texts, first.passed, first.total) == (["кошка"], 2, 3)
    await passages.store(FileEntry(path="/d/new.txt", stamp=Stamp(1, 1)), passages_of("новое"))
    second = await vectors.stretch(MODEL, first.end, 10)
    assert (second.texts, second.passed, second.total) == (["смета", "новое"], 2, 4)
    assert [await vectors.before(place) for place in (0, first.end, second.end)] == [0, 2, 4]
    third = await vectors.stretch(MODEL, second.end, 10)
    assert (third.texts, third.passed, third.end) == ([], 0, second.end)


async def lacking(vectors: PostgresVectors) -> list[str]:
    """The texts that have no vector."""
    return list((await vectors.stretch(MODEL, 0, 100)).texts)


def passages_of(*texts: str) -> list[Passage]:
    return [Passage(text) for text in texts]
