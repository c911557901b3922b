"""A database that an older Titan has written is brought up to date, and loses nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.adapters.postgres.schema import MIGRATIONS
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.contracts.chat import Message, SendPrompt, State
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.sources import FilePassage, Lines
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, Passage

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

FILE = """
    INSERT INTO files (path, size, mtime_ns, kind, title, outcome, reason, detail, event_id) VALUES
        ('/d/rent.txt', 26, 7, 'txt', 'rent.txt', 'indexed', '', '', 'E1'),
        ('/d/x.bin', 9, 8, 'bin', 'x.bin', 'skipped', 'unsupported', '', 'E2');
    INSERT INTO terms (term, df) VALUES ('deposit', 1), ('900', 1), ('euro', 1), ('rent', 1);
    INSERT INTO passages (id, file_id, position, length, terms, digest, body)
        SELECT nextval('passages_id'), files.id, 0, 4, (SELECT array_agg(terms.id) FROM terms),
            sha256('The deposit is 900 euros.'), 'The deposit is 900 euros.'
        FROM files WHERE path = '/d/rent.txt';
    INSERT INTO postings (term_id, passage_id, tf, length)
        SELECT terms.id, passages.id, 1, 4 FROM terms, passages;
    UPDATE statistics SET passages = 1, length = 4;
    INSERT INTO models (name, size) VALUES ('nomic', 3);
    INSERT INTO vectors SELECT models.id, passages.digest, '[1,0,0]' FROM models, passages;
"""


CONVERSATIONS = """
    INSERT INTO conversations (id, title, title_event_id, event_id, created_at, updated_at, deleted_at) VALUES
        ('c', 'Deposit', 'E1', 'E1', '2026-01-01Z', '2026-01-03Z', NULL),
        ('d', 'Rent', 'E2', 'E2', '2026-01-01Z', '2026-01-02Z', NULL),
        ('gone', '', 'E3', 'E3', '2026-01-01Z', '2026-01-01Z', '2026-01-01Z');
    INSERT INTO messages
        (id, conversation_id, question_id, event_id, role, text, state, created_at, attempt, model, fault)
    VALUES
        ('c1', 'c', NULL, 'E1', 'user', 'one?', 'complete', '2026-01-01Z', 0, '', NULL),
        ('c1a', 'c', 'c1', 'E1', 'assistant', 'one.', 'complete', '2026-01-01Z', 1, 'm', NULL),
        ('d1', 'd', NULL, 'E2', 'user', 'other?', 'complete', '2026-01-01Z', 0, '', NULL),
        ('d1a', 'd', 'd1', 'E2', 'assistant', 'oth', 'streaming', '2026-01-01Z', 1, 'm', NULL),
        ('c2', 'c', NULL, 'E4', 'user', 'two?', 'complete', '2026-01-01Z', 0, '', NULL),
        ('c2a', 'c', 'c2', 'E4', 'assistant', '', 'failed', '2026-01-01Z', 2, 'm', 'wrong_key'),
        ('c3', 'c', NULL, 'E5', 'user', 'three?', 'complete', '2026-01-01Z', 0, '', NULL),
        ('c4', 'c', NULL, 'E6', 'user', 'four?', 'complete', '2026-01-01Z', 0, '', NULL),
        ('c3a', 'c', 'c3', 'E5', 'assistant', 'thr', 'stopped', '2026-01-01Z', 1, 'm', NULL),
        ('c4a', 'c', 'c4', 'E6', 'assistant', 'four.', 'complete', '2026-01-01Z', 1, 'm', NULL);
    INSERT INTO stops (question_id, event_id) VALUES ('c3', 'E7');
"""
"""The rows of the last two questions lie as two transactions at once left them."""


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


@pytest.fixture
async def history(former: Database) -> PostgresHistory:
    """Some conversations of the first version, brought up to date."""
    await former.pool.execute(CONVERSATIONS)
    await former.migrate(MIGRATIONS)
    return PostgresHistory(former)


async def shown(history: PostgresHistory, conversation: str, before: str = "") -> tuple[Message, ...]:
    page = await history.page(conversation, before=before, limit=100)
    assert page is not None
    return page.messages


async def test_all_messages_are_there_in_their_order_each_answer_after_its_question(
    history: PostgresHistory,
) -> None:
    messages = await shown(history, "c")
    assert [message.id for message in messages] == ["c1", "c1a", "c2", "c2a", "c3", "c3a", "c4", "c4a"]
    assert [message.question_id for message in messages[1::2]] == ["c1", "c2", "c3", "c4"]
    assert [message.text for message in messages] == [
        "one?",
        "one.",
        "two?",
        "",
        "three?",
        "thr",
        "four?",
        "four.",
    ]
    failed, stopped = messages[3], messages[5]
    assert (failed.state, failed.fault, failed.attempt) == (State.FAILED, Fault.WRONG_KEY, 2)
    assert (stopped.state, stopped.model, stopped.created_at) == (
        State.STOPPED,
        "m",
        "2026-01-01T00:00:00.000Z",
    )
    assert await history.page("gone", limit=10) is None


async def test_answers_of_a_version_that_kept_no_thoughts_have_none(history: PostgresHistory) -> None:
    """And the next attempt may have some."""
    assert {message.thoughts for message in await shown(history, "c")} == {0}
    assert await history.thoughts("c1a") == ""
    begun = await history.begin("c1", event_id="E9", model="m")
    assert begun is not None
    assert await history.finish(replace(begun, thoughts=3, state=State.COMPLETE), "Hm.")
    assert (await shown(history, "c"))[1].thoughts == 3
    assert await history.thoughts("c1a") == "Hm."


async def test_they_are_one_path_without_siblings(history: PostgresHistory) -> None:
    messages = await shown(history, "c")
    assert [message.parent_id for message in messages] == ["", "c1", "c1a", "c2", "c2a", "c3", "c3a", "c4"]
    assert {message.siblings for message in messages} == {()}
    assert [message.id for message in await shown(history, "c", before="c2")] == ["c1", "c1a"]


async def test_they_go_on(history: PostgresHistory) -> None:
    """The next question follows the last answer; what was in work is taken up; a stop holds."""
    prompt = SendPrompt(conversation_id="c", message_id="c5", text="five?")
    await history.ask(prompt, title="", answer_id="c5a", asked_at="2026-01-04T00:00:00Z", event_id="E8")
    assert [message.id for message in (await shown(history, "c"))[-3:]] == ["c4a", "c5", "c5a"]
    begun = await history.begin("d1", event_id="E2", model="m")
    assert begun is not None
    assert (begun.id, begun.attempt) == ("d1a", 2)
    assert await history.begin("c3", event_id="E5", model="m") is None


async def test_files_of_an_older_index_are_found_without_a_place_until_they_are_read_again(
    former: Database,
) -> None:
    """They are named as outdated, so that the next scan has them read; then they have their places."""
    async with former.pool.acquire() as connection, connection.transaction():
        await connection.execute(FILE)
    await former.migrate(MIGRATIONS)
    index = PostgresPassages(former)
    (found,) = await index.find_words("deposit", 5)
    assert (found.path, found.text, found.place) == ("/d/rent.txt", "The deposit is 900 euros.", None)
    assert await index.known(Path("/d")) == {"/d/rent.txt": Stamp(26, 7), "/d/x.bin": Stamp(9, 8)}
    assert await index.outdated(Path("/d")) == {"/d/rent.txt", "/d/x.bin"}
    place = Lines(first=1, last=1)
    await index.store(
        FileEntry(path="/d/rent.txt", stamp=Stamp(26, 7)), [Passage("The deposit is 900 euros.", place)]
    )
    assert [again.place for again in await index.find_words("deposit", 5)] == [place]
    assert await index.outdated(Path("/d")) == {"/d/x.bin"}
    vectors = PostgresVectors(former)
    assert (await vectors.stretch("nomic", 0, 5)).texts == []
