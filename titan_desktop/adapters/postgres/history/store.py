"""`ports.history.History` in PostgreSQL.

A command that could race with another over the same question (ask, begin, stop) takes that question's advisory
lock for its transaction, so each sees all that the other did or nothing of it. What writes to a conversation and
to its messages takes the conversation's row first: what is taken in one order cannot deadlock, and questions are
stored in the order in which they came to that row.
"""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg

from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.adapters.postgres.history import reading, tree
from titan_desktop.adapters.postgres.history.reading import NEWER_STOP, NEWEST_ANSWER, UNFINISHED
from titan_desktop.adapters.postgres.history.rows import (
    Connection,
    storable,
    storable_sources,
    to_conversation,
)
from titan_desktop.contracts.chat import (
    AnswerExplained,
    Conversation,
    ConversationPage,
    HistoryPage,
    Message,
    SendPrompt,
)
from titan_desktop.ports.history import Asked, HistoryFullError, HistoryUnavailableError

_CURSOR_PARTS = " "
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


class PostgresHistory:
    """`History` over a pool. Run `database.migrate(MIGRATIONS)` first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(
        self, prompt: SendPrompt, *, title: str, answer_id: str, asked_at: str, event_id: str
    ) -> Asked | None:
        """See `History.ask`."""
        at = datetime.fromisoformat(asked_at)
        async with self._locked(prompt.message_id) as connection:
            await connection.execute(
                "INSERT INTO conversations (id, title, title_event_id, event_id, created_at, updated_at)"
                " VALUES ($1, $2, $3, $3, $4, $4) ON CONFLICT (id) DO NOTHING",
                prompt.conversation_id,
                storable(title),
                event_id,
                at,
            )
            if not await _hold_conversation(connection, prompt.conversation_id):
                return None
            await self._insert_question(connection, prompt, answer_id, at, event_id)
            return await reading.asked(connection, prompt.message_id, prompt.conversation_id)

    @staticmethod
    async def _insert_question(
        connection: Connection,
        prompt: SendPrompt,
        answer_id: str,
        at: datetime,
        event_id: str,
    ) -> None:
        if await connection.fetchval("SELECT true FROM messages WHERE id = $1", prompt.message_id):
            return
        parent_id, depth = await tree.place_of_question(connection, prompt)
        await connection.execute(
            "INSERT INTO messages"
            " (id, conversation_id, parent_id, depth, active, event_id, role, text, state, created_at)"
            " VALUES ($1, $2, $3, $4, true, $5, 'user', $6, 'complete', $7)",
            prompt.message_id,
            prompt.conversation_id,
            parent_id,
            depth,
            event_id,
            storable(prompt.text),
            at,
        )
        await connection.execute(
            "INSERT INTO messages"
            " (id, conversation_id, parent_id, depth, active, event_id, role, text, state, created_at)"
            " SELECT $1, $2, $3, $4, true, $5, 'assistant', '',"
            " CASE WHEN EXISTS (SELECT FROM stops WHERE question_id = $3) THEN 'stopped' ELSE 'waiting' END,"
            " now()",
            answer_id,
            prompt.conversation_id,
            prompt.message_id,
            depth + 1,
            event_id,
        )
        await connection.execute(
            "UPDATE conversations SET updated_at = greatest(updated_at, $2) WHERE id = $1",
            prompt.conversation_id,
            at,
        )
        await tree.end_at(connection, prompt.conversation_id, answer_id, event_id)

    async def asked(self, question_id: str) -> Asked | None:
        """See `History.asked`."""
        async with self._connection() as connection:
            return await reading.asked(connection, question_id)

    async def begin(
        self, question_id: str, *, event_id: str, model: str, beside: str = "", keep: bool = False
    ) -> Message | None:
        """See `History.begin`."""
        async with self._locked(question_id) as connection:
            if beside:
                await _hold_conversation_of(connection, question_id)
            row = await connection.fetchrow(
                "UPDATE messages SET attempt = attempt + 1, state = 'waiting',"
                + ("" if keep else " text = '', sources = '[]', thoughts = 0,")
                + " fault = NULL, fault_detail = '', kind = 'model', model = $3, event_id = $2"
                f" WHERE id = ({NEWEST_ANSWER})"
                f" AND (event_id < $2 OR (event_id = $2 AND state IN {UNFINISHED}))"
                f" AND NOT EXISTS ({NEWER_STOP})"
                f" AND ($4 OR state IN {UNFINISHED} OR (state <> 'complete' AND text = ''))"
                " RETURNING *",
                question_id,
                event_id,
                model,
                not beside,
            )
            if row is not None and not keep:
                await connection.execute("DELETE FROM thoughts WHERE message_id = $1", row["id"])
            if row is None and beside:
                row = await self._begin_beside(connection, question_id, event_id, model, beside)
            return await reading.message_of(connection, row)

    @staticmethod
    async def _begin_beside(
        connection: Connection,
        question_id: str,
        event_id: str,
        model: str,
        answer_id: str,
    ) -> asyncpg.Record | None:
        former = await connection.fetchrow(
            "SELECT conversation_id, depth, attempt FROM messages"
            f" WHERE id = ({NEWEST_ANSWER}) AND event_id < $2 AND NOT EXISTS ({NEWER_STOP})",
            question_id,
            event_id,
        )
        if former is None:
            return None
        await tree.activate(connection, former["conversation_id"], question_id)
        row = await connection.fetchrow(
            "INSERT INTO messages (id, conversation_id, parent_id, depth, active, event_id, role, text,"
            " state, created_at, attempt, model)"
            " VALUES ($1, $2, $3, $4, true, $5, 'assistant', '', 'waiting', now(), $6, $7) RETURNING *",
            answer_id,
            former["conversation_id"],
            question_id,
            former["depth"],
            event_id,
            former["attempt"] + 1,
            model,
        )
        await tree.end_at(connection, former["conversation_id"], answer_id, event_id)
        return row

    async def save(self, answer_id: str, attempt: int, text: str) -> bool:
        """See `History.save`."""
        async with self._connection() as connection:
            saved = await connection.fetchval(
                "UPDATE messages SET text = $3, state = 'streaming'"
                f" WHERE id = $1 AND attempt = $2 AND state IN {UNFINISHED} RETURNING true",
                answer_id,
                attempt,
                storable(text),
            )
        return bool(saved)

    async def finish(self, answer: Message, thoughts: str = "") -> bool:
        """See `History.finish`."""
        async with self._connection() as connection, connection.transaction():
            if not await _hold_conversation(connection, answer.conversation_id):
                return False
            stored = await connection.fetchval(
                "WITH ended AS (UPDATE messages SET text = $3, state = $4, kind = $5, model = $6,"
                " sources = $7::jsonb, fault = $8, fault_detail = $9, thoughts = $10"
                f" WHERE id = $1 AND attempt = $2 AND state IN {UNFINISHED} RETURNING conversation_id)"
                " UPDATE conversations SET updated_at = greatest(updated_at, now()) FROM ended"
                " WHERE conversations.id = ended.conversation_id RETURNING true",
                answer.id,
                answer.attempt,
                storable(answer.text),
                answer.state.value,
                answer.kind.value,
                answer.model,
                storable_sources(answer.sources),
                answer.fault.value if answer.fault else None,
                storable(answer.fault_detail),
                len(thoughts),
            )
            if stored and thoughts:
                await connection.execute(
                    "INSERT INTO thoughts (message_id, text) VALUES ($1, $2)"
                    " ON CONFLICT (message_id) DO UPDATE SET text = $2",
                    answer.id,
                    storable(thoughts),
                )
            return bool(stored) or await reading.is_stored(connection, answer)

    async def thoughts(self, answer_id: str) -> str | None:
        """See `History.thoughts`."""
        async with self._connection() as connection:
            text: str | None = await connection.fetchval(
                "SELECT coalesce(thoughts.text, '') FROM messages LEFT JOIN thoughts ON message_id = id"
                " WHERE id = $1",
                answer_id,
            )
        return text

    async def explain(self, answer_id: str = "") -> AnswerExplained | None:
        """See `History.explain`."""
        async with self._connection() as connection:
            return await reading.explained(connection, answer_id)

    async def stop(self, question_id: str, *, event_id: str) -> Message | None:
        """See `History.stop`."""
        async with self._locked(question_id) as connection:
            await connection.execute(
                "INSERT INTO stops (question_id, event_id) VALUES ($1, $2)"
                " ON CONFLICT (question_id) DO UPDATE SET event_id = greatest(stops.event_id, $2)",
                question_id,
                event_id,
            )
            row = await connection.fetchrow(
                "UPDATE messages SET state = 'stopped'"
                f" WHERE id = ({NEWEST_ANSWER}) AND state IN {UNFINISHED} AND event_id < $2 RETURNING *",
                question_id,
                event_id,
            ) or await connection.fetchrow(
                f"SELECT * FROM messages WHERE id = ({NEWEST_ANSWER}) AND state = 'stopped'", question_id
            )
            return await reading.message_of(connection, row)

    async def conversations(self, limit: int, *, cursor: str = "") -> ConversationPage | None:
        """See `History.conversations`."""
        used, _, last_id = cursor.partition(_CURSOR_PARTS)
        try:
            bound = datetime.fromisoformat(used) if cursor else _END_OF_TIME
        except ValueError:
            return None
        if bound.tzinfo is None or "\0" in last_id:
            return None
        async with self._connection() as connection:
            rows = await connection.fetch(
                "SELECT * FROM conversations WHERE deleted_at IS NULL AND (updated_at, id) < ($1, $2)"
                " ORDER BY updated_at DESC, id DESC LIMIT $3",
                bound,
                last_id,
                limit + 1,
            )
        found = rows[:limit]
        # The cursor has microseconds, which `updated_at` has not.
        next_ = f"{found[-1]['updated_at'].isoformat()}{_CURSOR_PARTS}{found[-1]['id']}" if found else ""
        return ConversationPage(
            conversations=tuple(to_conversation(row) for row in found), more=len(rows) > limit, cursor=next_
        )

    async def page(self, conversation_id: str, *, before: str = "", limit: int) -> HistoryPage | None:
        """See `History.page`."""
        async with self._connection() as connection, _snapshot(connection):
            rows = await tree.page(connection, conversation_id, before, limit + 1)
            if rows is None:
                return None
            newest = await reading.messages(connection, rows[:limit])
        return HistoryPage(conversation_id=conversation_id, messages=newest, more=len(rows) > limit)

    async def path(self, message_id: str, *, limit: int) -> tuple[Message, ...]:
        """See `History.path`."""
        async with self._connection() as connection, _snapshot(connection):
            return await reading.messages(connection, await tree.path(connection, message_id, limit))

    async def show(self, conversation_id: str, message_id: str, *, event_id: str) -> str | None:
        """See `History.show`."""
        async with self._connection() as connection, connection.transaction():
            if not await _hold_conversation(connection, conversation_id):
                return None
            wanted = await connection.fetchrow(
                "SELECT active OR path_event_id > $3 AS is_settled, leaf_id"
                " FROM messages JOIN conversations ON conversations.id = conversation_id"
                " WHERE messages.id = $2 AND conversation_id = $1",
                conversation_id,
                message_id,
                event_id,
            )
            if wanted is None:
                return None
            leaf: str = wanted["leaf_id"]
            if not wanted["is_settled"]:
                leaf = await tree.newest_leaf(connection, message_id)
                await tree.activate(connection, conversation_id, leaf)
                await tree.end_at(connection, conversation_id, leaf, event_id)
            return leaf

    async def message(self, message_id: str) -> Message | None:
        """See `History.message`."""
        async with self._connection() as connection, _snapshot(connection):
            row = await connection.fetchrow("SELECT * FROM messages WHERE id = $1", message_id)
            return await reading.message_of(connection, row)

    async def rename(self, conversation_id: str, title: str, *, event_id: str) -> Conversation | None:
        """See `History.rename`."""
        async with self._connection() as connection:
            row = await connection.fetchrow(
                "UPDATE conversations SET title = CASE WHEN title_event_id <= $3 THEN $2 ELSE title END,"
                " title_event_id = greatest(title_event_id, $3)"
                " WHERE id = $1 AND deleted_at IS NULL RETURNING *",
                conversation_id,
                storable(title),
                event_id,
            )
        return to_conversation(row) if row else None

    async def delete(self, conversation_id: str, *, event_id: str) -> Conversation:
        """See `History.delete`."""
        async with self._connection() as connection, connection.transaction():
            row = await connection.fetchrow(
                "INSERT INTO conversations"
                " (id, title, title_event_id, event_id, created_at, updated_at, deleted_at)"
                " VALUES ($1, '', $2, $2, now(), now(), now())"
                " ON CONFLICT (id) DO UPDATE"
                " SET title = '', leaf_id = NULL, deleted_at = coalesce(conversations.deleted_at, now())"
                " RETURNING *",
                conversation_id,
                event_id,
            )
            await connection.execute(
                "DELETE FROM stops USING messages"
                " WHERE messages.conversation_id = $1 AND stops.question_id = messages.id",
                conversation_id,
            )
            await connection.execute("DELETE FROM messages WHERE conversation_id = $1", conversation_id)
        assert row is not None  # noqa: S101 - an upsert returns its row
        return to_conversation(row)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with translated(HistoryUnavailableError, full=HistoryFullError):
            async with self._database.pool.acquire() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def _locked(self, question_id: str) -> AsyncIterator[Connection]:
        async with self._connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", question_id)
            yield connection


async def _hold_conversation(connection: Connection, conversation_id: str) -> bool:
    """Take the conversation's row until the transaction ends; say whether the conversation is there.

    Without KEY: a message that refers to the conversation may be inserted meanwhile.
    """
    is_there = await connection.fetchval(
        "SELECT deleted_at IS NULL FROM conversations WHERE id = $1 FOR NO KEY UPDATE", conversation_id
    )
    return bool(is_there)


async def _hold_conversation_of(connection: Connection, message_id: str) -> None:
    await connection.execute(
        "SELECT FROM conversations WHERE id = (SELECT conversation_id FROM messages WHERE id = $1)"
        " FOR NO KEY UPDATE",
        message_id,
    )


def _snapshot(connection: Connection) -> asyncpg.transaction.Transaction:
    """Let all that is read belong together: the path may be changed meanwhile."""
    return connection.transaction(isolation="repeatable_read", readonly=True)
