"""Files in the index that get another path: found by it, and by nothing of the old one, without being read."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.contract.moving import STAMP, TEXT, found, put
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.contracts.sources import Pages
from titan_desktop.ports.passages import Passage

MODEL = "nomic-embed-text"


@pytest.fixture
async def passages(database: Database) -> PostgresPassages:
    return PostgresPassages(database)


async def statistics(database: Database) -> Mapping[str, object]:
    """Everything that a ranking counts with."""
    terms = await database.pool.fetch("SELECT term, df FROM terms ORDER BY term")
    lengths = await database.pool.fetch(
        "SELECT term, tf, length FROM all_postings JOIN terms ON id = term_id ORDER BY 1, 2, 3"
    )
    sums = await database.pool.fetchrow("SELECT passages, length FROM statistics")
    return {"terms": terms, "postings": lengths, "sums": sums}


async def test_a_file_that_only_moved_keeps_its_passages(
    passages: PostgresPassages, database: Database
) -> None:
    """The very rows, with their places."""
    await put(passages, "/d/Договор.pdf")
    before = await database.pool.fetch("SELECT * FROM passages ORDER BY id")
    assert await passages.move("/d/Договор.pdf", "/d/2026/Договор.pdf", STAMP)
    assert await database.pool.fetch("SELECT * FROM passages ORDER BY id") == before
    (hit,) = await passages.find_words("плата пятого", 5)
    assert (hit.path, hit.place) == ("/d/2026/Договор.pdf", Pages(first=2, last=2))
    assert await passages.known(Path("/d")) == {"/d/2026/Договор.pdf": STAMP}


async def test_a_file_is_found_by_its_new_name_and_not_by_the_old(
    passages: PostgresPassages, database: Database
) -> None:
    """As if it had been read under that name: same words, same counts, no vector to be made again."""
    vectors = PostgresVectors(database)
    await put(passages, "/d/scan0017.pdf")
    await vectors.store(MODEL, {passage.text: [1.0, 0.0] for passage in TEXT})
    assert await passages.move("/d/scan0017.pdf", "/d/Договор аренды.pdf", STAMP)
    assert await found(passages, "аренды") == ["/d/Договор аренды.pdf"]
    assert await found(passages, "scan0017") == []
    hits = await passages.find_words("залог плата", 5)
    assert {(hit.title, hit.position, hit.place) for hit in hits} == {
        ("Договор аренды.pdf", number, passage.place) for number, passage in enumerate(TEXT)
    }
    assert (await vectors.stretch(MODEL, 0, 5)).texts == []
    moved = await statistics(database)
    await passages.remove("/d/Договор аренды.pdf")
    await put(passages, "/d/Договор аренды.pdf")
    assert await statistics(database) == moved


async def test_a_folder_moves_with_everything_beneath_it_and_nothing_beside_it(
    passages: PostgresPassages, database: Database
) -> None:
    """Wildcards in its name mean themselves; what lies where its files come to lie is replaced."""
    await put(passages, "/d/a_b/1.txt", "/d/a_b/deep/er/2.txt", "/d/aXb/1.txt", "/d/a_bc/1.txt", "/d/a_b.txt")
    await put(passages, "/d/new%/1.txt", "/d/new%/other.txt", text=[Passage("старый текст")])
    before = await database.pool.fetch("SELECT id FROM passages WHERE body = $1 ORDER BY id", TEXT[0].text)
    assert await passages.move_folder("/d/a_b", "/d/new%") == 2
    assert await found(passages, "залог") == [
        "/d/aXb/1.txt",
        "/d/a_b.txt",
        "/d/a_bc/1.txt",
        "/d/new%/1.txt",
        "/d/new%/deep/er/2.txt",
    ]
    assert await found(passages, "старый") == ["/d/new%/other.txt"]
    assert (
        await database.pool.fetch("SELECT id FROM passages WHERE body = $1 ORDER BY id", TEXT[0].text)
        == before
    )
