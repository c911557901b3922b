"""Conversations and messages in PostgreSQL: `ports.history.History`.

A command that could race with another over the same question (ask, begin, stop) takes that question's advisory
lock for its transaction, so each sees all that the other did or nothing of it. What writes to a conversation and
to its messages takes the conversation's row first: what is taken in one order cannot deadlock, and questions are
stored in the order in which they came to that row.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec

from titan_desktop.adapters.postgres import conversation_tree as tree
from titan_desktop.adapters.postgres.database import Database, Migration
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.contracts.chat import (
    AnswerKind,
    Conversation,
    ConversationPage,
    HistoryPage,
    Message,
    Role,
    SendPrompt,
    State,
)
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.sources import Source
from titan_desktop.ports.history import Asked, HistoryFullError, HistoryUnavailableError

MIGRATIONS = (
    Migration(
        "history-001",
        """
        CREATE TABLE conversations (
            id text PRIMARY KEY,
            title text NOT NULL,
            title_event_id text NOT NULL,
            event_id text NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            deleted_at timestamptz
        );
        CREATE INDEX ON conversations (updated_at DESC) WHERE deleted_at IS NULL;
        CREATE TABLE messages (
            id text PRIMARY KEY,
            position bigint GENERATED ALWAYS AS IDENTITY,
            conversation_id text NOT NULL REFERENCES conversations,
            question_id text UNIQUE REFERENCES messages,
            event_id text NOT NULL,
            role text NOT NULL,
            text text NOT NULL,
            state text NOT NULL,
            created_at timestamptz NOT NULL,
            attempt integer NOT NULL DEFAULT 0,
            kind text NOT NULL DEFAULT 'model',
            model text NOT NULL DEFAULT '',
            sources jsonb NOT NULL DEFAULT '[]',
            fault text,
            fault_detail text NOT NULL DEFAULT '',
            CHECK ((role = 'assistant') = (question_id IS NOT NULL))
        );
        CREATE INDEX ON messages (conversation_id, position);
        CREATE TABLE stops (
            question_id text PRIMARY KEY,
            event_id text NOT NULL
        );
        """,
    ),
    Migration(
        "history-sources",
        # What a source is was not said while all of them were passages of files.
        """
        UPDATE messages SET sources = (
            SELECT jsonb_agg('{"type": "file_passage"}' || source ORDER BY number)
            FROM jsonb_array_elements(sources) WITH ORDINALITY AS stored (source, number)
        ) WHERE sources <> '[]';
        """,
    ),
    tree.MIGRATION,
)
"""`stops` remembers a stop that came before its question, or while nobody was answering it."""

_CURSOR_PARTS = " "
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)

UNFINISHED = "('waiting', 'streaming')"
_NEWEST_ANSWER = (
    "SELECT id FROM messages WHERE parent_id = $1 AND role = 'assistant' ORDER BY position DESC LIMIT 1"
)
_NEWER_STOP = "SELECT FROM stops WHERE question_id = $1 AND event_id > $2"

_sources = msgspec.json.Decoder(tuple[Source, ...])


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
                _storable(title),
                event_id,
                at,
            )
            if not await _hold_conversation(connection, prompt.conversation_id):
                return None
            await self._insert_question(connection, prompt, answer_id, at, event_id)
            return await _asked(connection, prompt.message_id, prompt.conversation_id)

    @staticmethod
    async def _insert_question(
        connection: asyncpg.pool.PoolConnectionProxy,
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
            _storable(prompt.text),
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
            return await _asked(connection, question_id)

    async def begin(self, question_id: str, *, event_id: str, model: str, beside: str = "") -> Message | None:
        """See `History.begin`."""
        async with self._locked(question_id) as connection:
            if beside:
                await _hold_conversation_of(connection, question_id)
            row = await connection.fetchrow(
                "UPDATE messages SET attempt = attempt + 1, state = 'waiting', text = '', sources = '[]',"
                " fault = NULL, fault_detail = '', kind = 'model', model = $3, event_id = $2"
                f" WHERE id = ({_NEWEST_ANSWER})"
                f" AND (event_id < $2 OR (event_id = $2 AND state IN {UNFINISHED}))"
                f" AND NOT EXISTS ({_NEWER_STOP})"
                f" AND ($4 OR state IN {UNFINISHED} OR (state <> 'complete' AND text = ''))"
                " RETURNING *",
                question_id,
                event_id,
                model,
                not beside,
            )
            if row is None and beside:
                row = await self._begin_beside(connection, question_id, event_id, model, beside)
            return await _message_of(connection, row)

    @staticmethod
    async def _begin_beside(
        connection: asyncpg.pool.PoolConnectionProxy,
        question_id: str,
        event_id: str,
        model: str,
        answer_id: str,
    ) -> asyncpg.Record | None:
        former = await connection.fetchrow(
            "SELECT conversation_id, depth, attempt FROM messages"
            f" WHERE id = ({_NEWEST_ANSWER}) AND event_id < $2 AND NOT EXISTS ({_NEWER_STOP})",
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
                _storable(text),
            )
        return bool(saved)

    async def finish(self, answer: Message) -> bool:
        """See `History.finish`."""
        async with self._connection() as connection, connection.transaction():
            if not await _hold_conversation(connection, answer.conversation_id):
                return False
            stored = await connection.fetchval(
                "WITH ended AS (UPDATE messages SET text = $3, state = $4, kind = $5, model = $6,"
                " sources = $7::jsonb, fault = $8, fault_detail = $9"
                f" WHERE id = $1 AND attempt = $2 AND state IN {UNFINISHED} RETURNING conversation_id)"
                " UPDATE conversations SET updated_at = greatest(updated_at, now()) FROM ended"
                " WHERE conversations.id = ended.conversation_id RETURNING true",
                answer.id,
                answer.attempt,
                _storable(answer.text),
                answer.state.value,
                answer.kind.value,
                answer.model,
                _storable_sources(answer.sources),
                answer.fault.value if answer.fault else None,
                _storable(answer.fault_detail),
            )
            return bool(stored) or await _is_stored(connection, answer)

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
                f" WHERE id = ({_NEWEST_ANSWER}) AND state IN {UNFINISHED} AND event_id < $2 RETURNING *",
                question_id,
                event_id,
            ) or await connection.fetchrow(
                f"SELECT * FROM messages WHERE id = ({_NEWEST_ANSWER}) AND state = 'stopped'", question_id
            )
            return await _message_of(connection, row)

    async def conversations(self, limit: int, *, cursor: str = "") -> ConversationPage | None:
        """See `History.conversations`."""
        used, _, last_id = cursor.partition(_CURSOR_PARTS)
        try:
            bound = datetime.fromisoformat(used) if cursor else _END_OF_TIME
        except ValueError:
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
            conversations=tuple(_conversation(row) for row in found), more=len(rows) > limit, cursor=next_
        )

    async def page(self, conversation_id: str, *, before: str = "", limit: int) -> HistoryPage | None:
        """See `History.page`."""
        async with self._connection() as connection, _snapshot(connection):
            rows = await tree.page(connection, conversation_id, before, limit + 1)
            if rows is None:
                return None
            newest = await _messages(connection, rows[:limit])
        return HistoryPage(conversation_id=conversation_id, messages=newest, more=len(rows) > limit)

    async def path(self, message_id: str, *, limit: int) -> tuple[Message, ...]:
        """See `History.path`."""
        async with self._connection() as connection, _snapshot(connection):
            return await _messages(connection, await tree.path(connection, message_id, limit))

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
            return await _message_of(connection, row)

    async def rename(self, conversation_id: str, title: str, *, event_id: str) -> Conversation | None:
        """See `History.rename`."""
        async with self._connection() as connection:
            row = await connection.fetchrow(
                "UPDATE conversations SET title = CASE WHEN title_event_id <= $3 THEN $2 ELSE title END,"
                " title_event_id = greatest(title_event_id, $3)"
                " WHERE id = $1 AND deleted_at IS NULL RETURNING *",
                conversation_id,
                _storable(title),
                event_id,
            )
        return _conversation(row) if row else None

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
        return _conversation(row)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
        with translated(HistoryUnavailableError, full=HistoryFullError):
            async with self._database.pool.acquire() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def _locked(self, question_id: str) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
        async with self._connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", question_id)
            yield connection


async def _hold_conversation(connection: asyncpg.pool.PoolConnectionProxy, conversation_id: str) -> bool:
    """Take the conversation's row until the transaction ends; say whether the conversation is there.

    Without KEY: a message that refers to the conversation may be inserted meanwhile.
    """
    is_there = await connection.fetchval(
        "SELECT deleted_at IS NULL FROM conversations WHERE id = $1 FOR NO KEY UPDATE", conversation_id
    )
    return bool(is_there)


async def _hold_conversation_of(connection: asyncpg.pool.PoolConnectionProxy, message_id: str) -> None:
    await connection.execute(
        "SELECT FROM conversations WHERE id = (SELECT conversation_id FROM messages WHERE id = $1)"
        " FOR NO KEY UPDATE",
        message_id,
    )


def _snapshot(connection: asyncpg.pool.PoolConnectionProxy) -> asyncpg.transaction.Transaction:
    """Let all that is read belong together: the path may be changed meanwhile."""
    return connection.transaction(isolation="repeatable_read", readonly=True)


async def _is_stored(connection: asyncpg.pool.PoolConnectionProxy, answer: Message) -> bool:
    """Say whether exactly this end is stored: by a call whose reply was lost."""
    found = await connection.fetchval(
        "SELECT true FROM messages WHERE id = $1 AND attempt = $2 AND state = $3 AND text = $4",
        answer.id,
        answer.attempt,
        answer.state.value,
        _storable(answer.text),
    )
    return bool(found)


async def _asked(
    connection: asyncpg.pool.PoolConnectionProxy, question_id: str, conversation_id: str | None = None
) -> Asked | None:
    question = await connection.fetchrow("SELECT * FROM messages WHERE id = $1", question_id)
    if question is None or (conversation_id or question["conversation_id"]) != question["conversation_id"]:
        return None
    answer = await connection.fetchrow(
        f"SELECT * FROM messages WHERE id = ({_NEWEST_ANSWER})",
        question_id,
    )
    conversation = await connection.fetchrow(
        "SELECT * FROM conversations WHERE id = $1", question["conversation_id"]
    )
    if answer is None or conversation is None:  # the id of an answer was given
        return None
    question_, answer_ = await _messages(connection, [answer, question])
    return Asked(_conversation(conversation), question_, answer_)


def _storable(text: str) -> str:
    """PostgreSQL's text holds every character but NUL (manual, 8.3)."""
    return text.replace("\x00", "\ufffd")


def _storable_sources(sources: tuple[Source, ...]) -> str:
    """As JSON without NUL, which jsonb refuses, too."""
    clean = [
        msgspec.structs.replace(source, title=_storable(source.title), passage=_storable(source.passage))
        for source in sources
    ]
    return msgspec.json.encode(clean).decode()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _conversation(row: asyncpg.Record) -> Conversation:
    return Conversation(
        id=row["id"],
        title=row["title"],
        created_at=_time(row["created_at"]),
        updated_at=_time(row["updated_at"]),
    )


async def _messages(
    connection: asyncpg.pool.PoolConnectionProxy, rows: Sequence[asyncpg.Record]
) -> tuple[Message, ...]:
    """Read rows that come newest first; return them oldest first, each with its siblings."""
    siblings = await tree.siblings(connection, rows)
    return tuple(_message(row, siblings.get(row["parent_id"], ())) for row in reversed(rows))


async def _message_of(
    connection: asyncpg.pool.PoolConnectionProxy, row: asyncpg.Record | None
) -> Message | None:
    return None if row is None else (await _messages(connection, [row]))[0]


def _message(row: asyncpg.Record, siblings: tuple[str, ...]) -> Message:
    return Message(
        id=row["id"],
        conversation_id=row["conversation_id"],
        role=Role(row["role"]),
        text=row["text"],
        state=State(row["state"]),
        created_at=_time(row["created_at"]),
        parent_id=row["parent_id"] or "",
        question_id=row["parent_id"] if row["role"] == Role.ASSISTANT else "",
        siblings=siblings,
        attempt=row["attempt"],
        kind=AnswerKind(row["kind"]),
        model=row["model"],
        sources=_sources.decode(row["sources"]),
        fault=Fault(row["fault"]) if row["fault"] else None,
        fault_detail=row["fault_detail"],
    )
