"""The history in PostgreSQL: what its rows say, who waits for whom, and what a lost connection is called."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import msgspec
import pytest

from tests.contract.histories import HIT, ask, listed
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.contracts.chat import State
from titan_desktop.ports.history import HistoryUnavailableError


@pytest.fixture
def history(database: Database) -> PostgresHistory:
    return PostgresHistory(database)


async def test_every_row_names_the_event_that_made_it(history: PostgresHistory, database: Database) -> None:
    await ask(history, question="q", event_id="E7")
    rows = await database.pool.fetch(
        "SELECT event_id FROM messages UNION ALL SELECT event_id FROM conversations"
    )
    assert [row["event_id"] for row in rows] == ["E7"] * 3


async def test_text_with_nul_is_stored_without_it(history: PostgresHistory) -> None:
    asked = await ask(history, text="a\x00b")
    assert asked.question.text == "a\ufffdb"
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    hit = msgspec.structs.replace(HIT, passage="x\x00y \\u0000 z")
    ended = msgspec.structs.replace(answer, text="\x00", state=State.COMPLETE, sources=(hit,))
    assert await history.finish(ended)
    stored = await history.message(answer.id)
    assert stored is not None
    assert stored.text == "\ufffd"
    assert stored.sources[0].passage == "x\ufffdy \\u0000 z"


@pytest.mark.by_url
async def test_a_lost_connection_is_told_by_the_ports_own_error_and_replaced(
    history: PostgresHistory, database: Database, postgres_url: str
) -> None:
    await ask(history)
    pid = await database.pool.fetchval("SELECT pg_backend_pid()")
    other = await asyncpg.connect(postgres_url)
    async with history._connection() as connection:
        assert connection.get_server_pid() == pid
        await other.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(HistoryUnavailableError), translated(HistoryUnavailableError):
            await connection.fetchval("SELECT pg_sleep(10)")
    await other.close()
    assert len(await listed(history, 1)) == 1
    await database.close()
    with pytest.raises(HistoryUnavailableError, match="not been opened"):
        await history.conversations(1)


@contextlib.asynccontextmanager
async def held_conversation(
    postgres: str, conversation: str = "c"
) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Hold a conversation's row within the block; yields a function that waits until so many wait for it."""
    other = await asyncpg.connect(postgres)

    async def waited_for_by(count: int) -> None:
        async with asyncio.timeout(30):
            locked_out = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while await other.fetchval(locked_out) < count:  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0)

    try:
        async with other.transaction():
            await other.execute("SELECT FROM conversations WHERE id = $1 FOR UPDATE", conversation)
            yield waited_for_by
    finally:
        await other.close()


async def test_questions_that_meet_at_their_conversation_are_stored_in_the_order_of_their_coming(
    history: PostgresHistory, database_url: str
) -> None:
    """Each once had the conversation for itself only after the other had let go of it."""
    await ask(history, question="q0", event_id="E0")
    asking = []
    async with held_conversation(database_url) as waited_for_by:
        for number in (1, 2):  # of more waiters PostgreSQL may wake a later one first
            asking.append(asyncio.create_task(ask(history, question=f"q{number}", event_id=f"E{number}")))
            await waited_for_by(number)
    await asyncio.gather(*asking)
    page = await history.page("c", limit=10)
    assert page is not None
    assert [message.question_id or message.id for message in page.messages] == [
        f"q{number}" for number in (0, 0, 1, 1, 2, 2)
    ]


async def test_an_answer_that_ends_while_its_conversation_is_deleted_is_deleted_with_it(
    history: PostgresHistory, database_url: str
) -> None:
    """Both write to the conversation and to its messages, once in opposite order."""
    asked = await ask(history, event_id="E1")
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    ended = msgspec.structs.replace(answer, text="a", state=State.COMPLETE)
    async with held_conversation(database_url) as waited_for_by:
        deleting = asyncio.create_task(history.delete("c", event_id="E2"))
        await waited_for_by(1)
        finishing = asyncio.create_task(history.finish(ended))
        await waited_for_by(2)
    await deleting
    assert not await finishing
    assert await listed(history, 10) == ()


async def test_of_a_deleted_conversation_a_mark_is_left_and_nothing_else(
    history: PostgresHistory, database: Database
) -> None:
    await ask(history, question="q")
    await history.stop("q", event_id="E2")
    await history.delete("c", event_id="E3")
    left = await database.pool.fetchrow(
        "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM stops)"
    )
    assert tuple(left) == (0, 0)
    assert await database.pool.fetchval("SELECT title FROM conversations") == ""
