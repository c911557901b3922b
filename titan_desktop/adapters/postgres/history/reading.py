"""Queries that read: a question with its answer, messages with their siblings; within the caller's transaction."""

from collections.abc import Sequence

import asyncpg

from titan_desktop.adapters.postgres.history import tree
from titan_desktop.adapters.postgres.history.rows import Connection, storable, to_conversation, to_message
from titan_desktop.contracts.chat import AnswerExplained, Message
from titan_desktop.ports.history import Asked

UNFINISHED = "('waiting', 'streaming')"
NEWEST_ANSWER = (
    "SELECT id FROM messages WHERE parent_id = $1 AND role = 'assistant' ORDER BY position DESC LIMIT 1"
)
_EXPLAINED = (
    "SELECT answer.*, coalesce(question.text, '') AS question FROM messages answer"
    " LEFT JOIN messages question ON question.id = answer.parent_id"
    " WHERE answer.role = 'assistant' AND ($1 = '' OR answer.id = $1)"
    " ORDER BY answer.created_at DESC, answer.position DESC LIMIT 1"
)
NEWER_STOP = "SELECT FROM stops WHERE question_id = $1 AND event_id > $2"


async def is_stored(connection: Connection, answer: Message) -> bool:
    """Say whether exactly this end is stored: by a call whose reply was lost."""
    found = await connection.fetchval(
        "SELECT true FROM messages WHERE id = $1 AND attempt = $2 AND state = $3 AND text = $4",
        answer.id,
        answer.attempt,
        answer.state.value,
        storable(answer.text),
    )
    return bool(found)


async def asked(connection: Connection, question_id: str, conversation_id: str | None = None) -> Asked | None:
    """Return a question as stored; None if there is none, or it belongs to another conversation than that."""
    question = await connection.fetchrow("SELECT * FROM messages WHERE id = $1", question_id)
    if question is None or (conversation_id or question["conversation_id"]) != question["conversation_id"]:
        return None
    answer = await connection.fetchrow(
        f"SELECT * FROM messages WHERE id = ({NEWEST_ANSWER})",
        question_id,
    )
    conversation = await connection.fetchrow(
        "SELECT * FROM conversations WHERE id = $1", question["conversation_id"]
    )
    if answer is None or conversation is None:  # the id of an answer was given
        return None
    asked_, answered = await messages(connection, [answer, question])
    return Asked(to_conversation(conversation), asked_, answered)


async def messages(connection: Connection, rows: Sequence[asyncpg.Record]) -> tuple[Message, ...]:
    """Read rows that come newest first; return them oldest first, each with its siblings."""
    siblings = await tree.siblings(connection, rows)
    return tuple(to_message(row, siblings.get(row["parent_id"], ())) for row in reversed(rows))


async def message_of(connection: Connection, row: asyncpg.Record | None) -> Message | None:
    """Read one row, if there is one."""
    return None if row is None else (await messages(connection, [row]))[0]


async def explained(connection: Connection, answer_id: str) -> AnswerExplained | None:
    """Return what an answer rests on, "" for the newest. What was imported is as old as it says it is."""
    row = await connection.fetchrow(_EXPLAINED, answer_id)
    if row is None:
        return None
    answer = to_message(row, ())
    return AnswerExplained(
        answer_id=answer.id,
        conversation_id=answer.conversation_id,
        question_id=answer.question_id,
        question=row["question"],
        event_id=row["event_id"],
        model=answer.model,
        sources=answer.sources,
    )
