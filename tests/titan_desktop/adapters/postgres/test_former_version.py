"""A database that an older Titan has written is brought up to date, and loses nothing."""

from collections.abc import AsyncIterator

import pytest

from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.adapters.postgres.schema import MIGRATIONS
from titan_desktop.contracts.sources import FilePassage

FIRST = frozenset({"history-001", "passages-001", "keyword-001", "vectors-001"})
"""The migrations of the first version."""

CONVERSATION = """
    INSERT INTO conversations (id, title, title_event_id, event_id, created_at, updated_at)
        VALUES ('c', 'Deposit', 'E1', 'E1', now(), now());
    INSERT INTO messages (id, conversation_id, event_id, role, text, state, created_at)
        VALUES ('q', 'c', 'E1', 'user', 'What is the deposit?', 'complete', now());
    INSERT INTO messages (id, conversation_id, question_id, event_id, role, text, state, created_at, sources)
        VALUES ('a', 'c', 'q', 'E1', 'assistant', '900 euros [1].', 'complete', now(), '[
            {"path": "/d/rent.pdf", "title": "rent.pdf", "score": 2.5, "passage": "The deposit is 900 euros.",
             "kind": "pdf", "position": 4},
            {"path": "/d/b.txt", "title": "b.txt", "score": 1.0, "passage": "No deposit.", "kind": "txt"}
        ]');
"""


@pytest.fixture
async def former(empty_database_url: str) -> AsyncIterator[Database]:
    """A database as the first version made it, without a row."""
    database = Database(empty_database_url)
    await database.open()
    await database.migrate([migration for migration in MIGRATIONS if migration.name in FIRST])
    yield database
    await database.close()


async def test_sources_of_an_older_answer_are_passages_of_files_without_a_place(former: Database) -> None:
    """In their order; the question, which has none, is as it was."""
    await former.pool.execute(CONVERSATION)
    await former.migrate(MIGRATIONS)
    history = PostgresHistory(former)
    answer, question = await history.message("a"), await history.message("q")
    assert answer is not None
    assert question is not None
    assert answer.sources == (
        FilePassage(
            path="/d/rent.pdf",
            title="rent.pdf",
            score=2.5,
            passage="The deposit is 900 euros.",
            kind="pdf",
            position=4,
        ),
        FilePassage(path="/d/b.txt", title="b.txt", score=1.0, passage="No deposit.", kind="txt"),
    )
    assert (question.text, question.sources) == ("What is the deposit?", ())
