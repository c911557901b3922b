"""The history in PostgreSQL: once by id, one answer a question, newer commands win over older ones."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import msgspec
import pytest
from ulid import ULID

from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.contracts.chat import AnswerKind, Conversation, Fault, SendPrompt, State
from titan_desktop.contracts.sources import FilePassage
from titan_desktop.ports.history import Asked, HistoryUnavailableError

AT = "2026-11-23T10:00:00Z"
HIT = FilePassage(path="/d/a.txt", title="a.txt", score=1.5, passage="Kaution: 500 €", kind="txt", position=3)


@pytest.fixture
def history(database: Database) -> PostgresHistory:
    return PostgresHistory(database)


async def listed(history: PostgresHistory, limit: int) -> tuple[Conversation, ...]:
    page = await history.conversations(limit)
    assert page is not None
    return page.conversations


async def ask(
    history: PostgresHistory,
    text: str = "Сколько?",
    conversation: str = "c",
    event_id: str = "E1",
    question: str = "",
) -> Asked:
    prompt = SendPrompt(conversation_id=conversation, message_id=question or str(ULID()), text=text)
    asked = await history.ask(prompt, title="Сколько", answer_id=str(ULID()), asked_at=AT, event_id=event_id)
    assert asked is not None
    return asked


@pytest.mark.by_url
async def test_a_question_is_stored_once_with_one_waiting_answer(history: PostgresHistory) -> None:
    first = await ask(history, question="q")
    again = await ask(history, question="q", text="another text")
    assert again == first
    assert first.question.text == "Сколько?"
    assert first.question.created_at == "2026-11-23T10:00:00.000Z"
    assert (first.answer.state, first.answer.attempt, first.answer.question_id) == (State.WAITING, 0, "q")


async def test_the_same_question_asked_from_many_sides_at_once_is_one_row(history: PostgresHistory) -> None:
    asked = await asyncio.gather(*(ask(history, question="q") for _ in range(8)))
    assert len({item.answer.id for item in asked}) == 1


async def test_an_id_that_belongs_to_another_conversation_is_refused(history: PostgresHistory) -> None:
    await ask(history, question="q", conversation="one")
    prompt = SendPrompt(conversation_id="two", message_id="q", text="?")
    assert await history.ask(prompt, title="t", answer_id="a2", asked_at=AT, event_id="E2") is None


async def test_every_row_names_the_event_that_made_it(history: PostgresHistory, database: Database) -> None:
    await ask(history, question="q", event_id="E7")
    rows = await database.pool.fetch(
        "SELECT event_id FROM messages UNION ALL SELECT event_id FROM conversations"
    )
    assert [row["event_id"] for row in rows] == ["E7"] * 3


async def test_an_answer_is_stored_whole(history: PostgresHistory) -> None:
    asked = await ask(history)
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    ended = msgspec.structs.replace(
        answer,
        text="500 € 😀",
        state=State.FAILED,
        sources=(HIT,),
        kind=AnswerKind.MODEL,
        fault=Fault.UNREACHABLE,
        fault_detail="gone",
    )
    assert await history.finish(ended)
    assert await history.message(answer.id) == ended


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


async def test_an_attempt_that_was_begun_again_can_no_longer_save_nor_finish(
    history: PostgresHistory,
) -> None:
    asked = await ask(history)
    first = await history.begin(asked.question.id, event_id="E1", model="m")
    second = await history.begin(asked.question.id, event_id="E1", model="m")
    assert first is not None
    assert second is not None
    assert (first.attempt, second.attempt) == (1, 2)
    assert not await history.save(first.id, 1, "old")
    assert not await history.finish(msgspec.structs.replace(first, state=State.COMPLETE, text="old"))
    assert await history.save(second.id, 2, "new")
    stored = await history.message(second.id)
    assert stored is not None
    assert (stored.text, stored.state) == ("new", State.STREAMING)


async def test_an_ended_answer_is_begun_again_only_by_a_newer_command(history: PostgresHistory) -> None:
    asked = await ask(history, event_id="E1")
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    await history.finish(
        msgspec.structs.replace(answer, state=State.FAILED, fault=Fault.TIMED_OUT, text="half")
    )
    assert await history.begin(asked.question.id, event_id="E1", model="m") is None
    retried = await history.begin(asked.question.id, event_id="E2", model="n")
    assert retried is not None
    assert (retried.attempt, retried.text, retried.fault, retried.state) == (2, "", None, State.WAITING)
    assert await history.begin(asked.question.id, event_id="E1", model="m") is None


async def test_a_stop_before_the_question_keeps_it_unanswered(history: PostgresHistory) -> None:
    assert await history.stop("q", event_id="E2") is None
    asked = await ask(history, question="q", event_id="E1")
    assert asked.answer.state is State.STOPPED
    assert await history.begin("q", event_id="E1", model="m") is None


async def test_a_stop_keeps_the_text_that_was_saved(history: PostgresHistory) -> None:
    asked = await ask(history, event_id="E1")
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    await history.save(answer.id, 1, "half an ans")
    stopped = await history.stop(asked.question.id, event_id="E2")
    assert stopped is not None
    assert (stopped.state, stopped.text) == (State.STOPPED, "half an ans")
    assert not await history.save(answer.id, 1, "half an answer")


async def test_what_was_done_and_not_heard_of_is_told_by_the_same_call(history: PostgresHistory) -> None:
    """A connection may break between the two; whoever calls again has to hear that it is done."""
    asked = await ask(history, event_id="E1")
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    assert await history.stop(asked.question.id, event_id="E2") == await history.stop(
        asked.question.id, event_id="E2"
    )
    again = await history.begin(asked.question.id, event_id="E3", model="m")
    assert again is not None
    ended = msgspec.structs.replace(again, state=State.COMPLETE, text="done")
    assert await history.finish(ended)
    assert await history.finish(ended)
    assert not await history.finish(msgspec.structs.replace(ended, text="done otherwise"))


async def test_a_stop_that_is_older_than_the_retry_is_void(history: PostgresHistory) -> None:
    asked = await ask(history, event_id="E1")
    assert await history.begin(asked.question.id, event_id="E3", model="m") is not None
    assert await history.stop(asked.question.id, event_id="E2") is None
    assert await history.begin(asked.question.id, event_id="E3", model="m") is not None


async def test_a_stop_that_is_newer_than_the_retry_voids_it(history: PostgresHistory) -> None:
    asked = await ask(history, event_id="E1")
    await history.stop(asked.question.id, event_id="E3")
    assert await history.begin(asked.question.id, event_id="E2", model="m") is None
    assert await history.begin(asked.question.id, event_id="E4", model="m") is not None


@pytest.mark.by_url
async def test_pages_go_back_without_gap_or_overlap(history: PostgresHistory) -> None:
    for number in range(5):
        await ask(history, text=str(number), event_id=f"E{number}")
    whole = await history.page("c", limit=100)
    assert whole is not None
    assert not whole.more
    found: list[str] = []
    before = ""
    while True:
        page = await history.page("c", before=before, limit=3)
        assert page is not None
        found = [message.id for message in page.messages] + found
        before = found[0]
        if not page.more:
            break
    assert found == [message.id for message in whole.messages]
    assert [message.text for message in whole.messages if not message.question_id] == [
        "0",
        "1",
        "2",
        "3",
        "4",
    ]


async def test_unknown_ids_are_no_pages(history: PostgresHistory) -> None:
    await ask(history, question="q")
    assert await history.page("nowhere", limit=10) is None
    assert await history.page("c", before="nothing", limit=10) is None
    page = await history.page("c", before="q", limit=10)
    assert page is not None
    assert page.messages == ()


async def test_conversations_come_with_the_last_used_first(history: PostgresHistory) -> None:
    await ask(history, conversation="one")
    prompt = SendPrompt(conversation_id="two", message_id="q2", text="?")
    later = await history.ask(
        prompt, title="t", answer_id="a2", asked_at="2026-11-23T12:00:00+01:00", event_id="E2"
    )
    assert later is not None
    assert [item.id for item in await listed(history, 10)] == ["two", "one"]
    assert [item.id for item in await listed(history, 1)] == ["two"]


@pytest.mark.parametrize("limit", [1, 3, 6, 7])
async def test_pages_of_conversations_join_without_a_gap(history: PostgresHistory, limit: int) -> None:
    """Also where many were used within one millisecond, which is all that their times show."""
    for number in range(7):
        prompt = SendPrompt(conversation_id=f"c{number}", message_id=f"q{number}", text="?")
        asked_at = f"2026-11-23T12:00:00.00000{number % 3}Z"
        await history.ask(prompt, title="t", answer_id=f"a{number}", asked_at=asked_at, event_id=f"E{number}")
    found: list[str] = []
    page = await history.conversations(limit)
    while page is not None and page.more:
        assert len(page.conversations) == limit
        found += [item.id for item in page.conversations]
        page = await history.conversations(limit, cursor=page.cursor)
    assert page is not None
    found += [item.id for item in page.conversations]
    assert found == ["c5", "c2", "c4", "c1", "c6", "c3", "c0"]


async def test_a_cursor_that_is_none_is_no_page(history: PostgresHistory) -> None:
    assert await history.conversations(1, cursor="yesterday c1") is None


async def test_an_older_rename_that_comes_late_changes_nothing(history: PostgresHistory) -> None:
    await ask(history, event_id="E1")
    newer = await history.rename("c", "newer", event_id="E3")
    older = await history.rename("c", "older", event_id="E2")
    assert newer is not None
    assert older is not None
    assert (newer.title, older.title) == ("newer", "newer")
    assert await history.rename("nowhere", "x", event_id="E4") is None


async def test_a_deleted_conversation_is_gone_and_stays_gone(
    history: PostgresHistory, database: Database
) -> None:
    asked = await ask(history, question="q")
    await history.stop("q", event_id="E2")
    await history.delete("c", event_id="E3")
    assert await listed(history, 10) == ()
    assert await history.page("c", limit=10) is None
    assert await history.message(asked.answer.id) is None
    prompt = SendPrompt(conversation_id="c", message_id="q", text="?")
    assert await history.ask(prompt, title="t", answer_id="a", asked_at=AT, event_id="E1") is None
    await history.delete("c", event_id="E3")
    left = await database.pool.fetchrow(
        "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM stops)"
    )
    assert tuple(left) == (0, 0)
    assert await database.pool.fetchval("SELECT title FROM conversations") == ""


async def test_a_conversation_deleted_before_its_first_question_stays_empty(history: PostgresHistory) -> None:
    await history.delete("c", event_id="E2")
    prompt = SendPrompt(conversation_id="c", message_id="q", text="?")
    assert await history.ask(prompt, title="t", answer_id="a", asked_at=AT, event_id="E1") is None


async def test_an_answers_id_is_no_question(history: PostgresHistory) -> None:
    asked = await ask(history)
    assert await history.asked(asked.answer.id) is None
    assert await history.asked("nothing") is None
    assert await history.asked(asked.question.id) == asked


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
        for number in (1, 2, 3):
            asking.append(asyncio.create_task(ask(history, question=f"q{number}", event_id=f"E{number}")))
            await waited_for_by(number)
    await asyncio.gather(*asking)
    page = await history.page("c", limit=10)
    assert page is not None
    assert [message.question_id or message.id for message in page.messages] == [
        f"q{number}" for number in (0, 0, 1, 1, 2, 2, 3, 3)
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
