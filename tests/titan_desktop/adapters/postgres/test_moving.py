"""Files in the index that get another path: found by it, and by nothing of the old one, without being read."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.contracts.indexing import Outcome, Reason
from titan_desktop.contracts.sources import Pages
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, Passage

STAMP = Stamp(size=1, mtime_ns=2, inode=3)
TEXT = [
    Passage("Залог — два месяца.", Pages(first=1, last=1)),
    Passage("Плата пятого числа.", Pages(first=2, last=2)),
]
MODEL = "nomic-embed-text"


@pytest.fixture
async def passages(database: Database) -> PostgresPassages:
    return PostgresPassages(database)


async def put(
    passages: PostgresPassages, *paths: str, text: list[Passage] = TEXT, stamp: Stamp = STAMP
) -> None:
    for path in paths:
        await passages.store(FileEntry(path=path, stamp=stamp), text)


async def found(passages: PostgresPassages, query: str) -> list[str]:
    return sorted({hit.path for hit in await passages.find_words(query, 50)})


async def statistics(database: Database) -> Mapping[str, object]:
    """Everything that a ranking counts with."""
    terms = await database.pool.fetch("SELECT term, df FROM terms ORDER BY term")
    lengths = await database.pool.fetch(
        "SELECT term, tf, length FROM postings JOIN terms ON id = term_id ORDER BY 1, 2, 3"
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
    assert await vectors.missing(MODEL, 5) == []
    moved = await statistics(database)
    await passages.remove("/d/Договор аренды.pdf")
    await put(passages, "/d/Договор аренды.pdf")
    assert await statistics(database) == moved


async def test_what_stood_at_the_new_path_is_replaced(passages: PostgresPassages) -> None:
    """A file that is moved upon another leaves one."""
    await put(passages, "/d/a.txt")
    await put(passages, "/d/b.txt", text=[Passage("старый текст")])
    assert await passages.move("/d/a.txt", "/d/b.txt", STAMP)
    assert await found(passages, "залог") == ["/d/b.txt"]
    assert await found(passages, "старый") == []


@pytest.mark.parametrize(
    ("old", "new", "stamp"),
    [
        ("/d/none.txt", "/d/new.txt", STAMP),
        ("/d/a.txt", "/d/new.txt", Stamp(size=9, mtime_ns=2)),
        ("/d/a.txt", "/d/new.json", STAMP),
        ("/d/broken.txt", "/d/new.txt", STAMP),
    ],
)
async def test_what_has_to_be_read_is_not_moved(
    passages: PostgresPassages, old: str, new: str, stamp: Stamp
) -> None:
    """A file that is not known, has changed, is of another kind now, or gave no text; nothing has changed then."""
    await put(passages, "/d/a.txt")
    broken = FileEntry(path="/d/broken.txt", stamp=STAMP, outcome=Outcome.FAILED, reason=Reason.BROKEN)
    await passages.store(broken, ())
    before = await passages.known(Path("/"))
    assert not await passages.move(old, new, stamp)
    assert await passages.known(Path("/")) == before


async def test_moving_twice_is_the_same_as_once(passages: PostgresPassages) -> None:
    """The news of it may come again."""
    await put(passages, "/d/a.txt", "/d/x/b.txt")
    for _ in range(2):
        assert await passages.move("/d/a.txt", "/d/c.txt", STAMP)
        await passages.move_folder("/d/x", "/d/y")
    assert sorted(await passages.known(Path("/"))) == ["/d/c.txt", "/d/y/b.txt"]


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
