"""Rows of the history and the structs that they stand for."""

import contextlib
from datetime import UTC, datetime

import asyncpg
import msgspec

from titan_desktop.contracts.chat import AnswerKind, Conversation, Message, Role, State
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.sources import Source

Connection = asyncpg.pool.PoolConnectionProxy

_sources = msgspec.json.Decoder(tuple[Source, ...])
_source = msgspec.json.Decoder[Source](Source)
_each = msgspec.json.Decoder(list[msgspec.Raw])


def storable(text: str) -> str:
    """PostgreSQL's text holds every character but NUL (manual, 8.3)."""
    return text.replace("\x00", "\ufffd")


def storable_sources(sources: tuple[Source, ...]) -> str:
    """As JSON without NUL, which jsonb refuses, too."""
    clean = [
        msgspec.structs.replace(source, title=storable(source.title), passage=storable(source.passage))
        for source in sources
    ]
    return msgspec.json.encode(clean).decode()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_conversation(row: asyncpg.Record) -> Conversation:
    """Read a row of `conversations`."""
    return Conversation(
        id=row["id"],
        title=row["title"],
        created_at=_time(row["created_at"]),
        updated_at=_time(row["updated_at"]),
    )


def _sources_of(text: str) -> tuple[Source, ...]:
    """Read the sources of an answer; one of a newer version's kind is left out, and the message can be read."""
    try:
        return _sources.decode(text)
    except msgspec.ValidationError:
        known = []
        for one in _each.decode(text):
            with contextlib.suppress(msgspec.ValidationError):
                known.append(_source.decode(one))
        return tuple(known)


def to_message(row: asyncpg.Record, siblings: tuple[str, ...]) -> Message:
    """Read a row of `messages`."""
    return Message(
        id=row["id"],
        conversation_id=row["conversation_id"],
        role=Role(row["role"]),
        text=row["text"],
        state=State(row["state"]),
        created_at=_time(row["created_at"]),
        parent_id=row["parent_id"] or "",
        question_id=(row["parent_id"] or "") if row["role"] == Role.ASSISTANT else "",
        siblings=siblings,
        attempt=row["attempt"],
        kind=AnswerKind(row["kind"]),
        model=row["model"],
        sources=_sources_of(row["sources"]),
        thoughts=row["thoughts"],
        fault=Fault(row["fault"]) if row["fault"] else None,
        fault_detail=row["fault_detail"],
    )
