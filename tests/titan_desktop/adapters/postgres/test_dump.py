"""Claims about a database as a backup has it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import pytest

from titan_desktop.adapters.postgres import dump
from titan_desktop.adapters.postgres.database import Database, Migration
from titan_desktop.adapters.postgres.schema import MIGRATIONS

FORMER = (
    Migration("a-001", "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text,"
              " after bigint REFERENCES notes, size int GENERATED ALWAYS AS (length(text)) STORED)"),
)  # fmt: skip
NEWER = (*FORMER, Migration("a-002", "ALTER TABLE notes ADD COLUMN read boolean NOT NULL DEFAULT true"))
TEXTS = ["a\tb\nc\\N", "", None, "договор", "x" * 5_000]


@dataclass
class Dump:
    """What `save` hands on, in memory."""

    contents: list[dump.Contents] = field(default_factory=list)
    pieces: list[tuple[str, bytes]] = field(default_factory=list)

    async def begin(self, contents: dump.Contents) -> None:
        self.contents.append(contents)

    async def take(self, table: str, piece: bytes) -> None:
        self.pieces.append((table, piece))

    async def replay(self) -> AsyncIterator[tuple[str, bytes]]:
        for piece in self.pieces:
            yield piece


@pytest.fixture
async def saved(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Dump:
    """A dump of some notes, made by a former version; each row is a piece of its own."""
    monkeypatch.setattr(dump, "PIECE_BYTES", 1)
    database = Database(empty_database_url)
    await database.open()
    await database.migrate(FORMER)
    for text in TEXTS:
        await database.pool.execute("INSERT INTO notes (text) VALUES ($1)", text)
    await database.pool.execute("UPDATE notes SET after = 5 WHERE id = 1")  # of a row that comes later
    made = Dump()
    await dump.save(database, made.begin, made.take)
    await database.close()
    return made


async def test_what_was_saved_is_loaded(saved: Dump, database_url: str, empty_database_url: str) -> None:
    """Rows, keys and numbers, into a newer version; what was there before is gone at once, and not sooner."""
    assert saved.contents[0].rows == {"notes": 5}
    beside = await dump.load(empty_database_url, NEWER, saved.contents[0], saved.replay())
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("DELETE FROM notes")
    await connection.close()
    await beside.take_place()
    connection = await asyncpg.connect(empty_database_url)
    try:
        rows = await connection.fetch("SELECT * FROM notes ORDER BY id")
        assert [row["text"] for row in rows] == TEXTS
        assert [row["after"] for row in rows] == [5, None, None, None, None]
        assert [row["size"] for row in rows][3:] == [7, 5_000]
        assert all(row["read"] for row in rows)
        assert await connection.fetchval("INSERT INTO notes (text) VALUES ('new') RETURNING id") == 6
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await connection.execute("UPDATE notes SET after = 99")
    finally:
        await connection.close()


async def test_what_cannot_be_loaded_changes_nothing(saved: Dump, empty_database_url: str) -> None:
    """A dump of a newer version, one whose rows are damaged, and a database that is not Titan's alone."""
    contents = saved.contents[0]
    with pytest.raises(dump.NewerContentsError):
        await dump.load(empty_database_url, (), contents, saved.replay())
    damaged = Dump(pieces=[*saved.pieces, ("notes", b"1\tno number\n")])
    with pytest.raises(asyncpg.PostgresError):
        await dump.load(empty_database_url, FORMER, contents, damaged.replay())
    connection = await asyncpg.connect(empty_database_url)
    try:
        await connection.execute("CREATE TABLE recipes ()")
        await connection.execute("ALTER TABLE recipes ADD COLUMN name text")
        with pytest.raises(dump.SharedDatabaseError, match="recipes"):
            await dump.load(empty_database_url, FORMER, contents, saved.replay())
        assert await connection.fetchval("SELECT count(*) FROM notes") == 5
        assert await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname LIKE 'titan_%'") == 0
    finally:
        await connection.close()


async def test_the_whole_schema_is_saved_and_loaded(database: Database, database_url: str) -> None:
    """Every table of the application, whatever it is made of."""
    made = Dump()
    await dump.save(database, made.begin, made.take)
    await database.close()
    beside = await dump.load(database_url, MIGRATIONS, made.contents[0], made.replay())
    await beside.take_place()
    again = Dump()
    restored = Database(database_url)
    await restored.open()
    await dump.save(restored, again.begin, again.take)
    await restored.close()
    assert again.contents[0].tables == made.contents[0].tables
    assert sorted(again.contents[0].migrations) == sorted(made.contents[0].migrations)
    await database.open()
