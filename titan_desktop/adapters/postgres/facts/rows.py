"""Rows of facts and entities, and the structs that they stand for."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec

from titan_desktop.contracts.memory import ByPerson, Entity, EntityKind, Fact, FactState, Origin

Connection = asyncpg.pool.PoolConnectionProxy

WRITING = 0x6D656D6F7279  # "memory"
"""The advisory lock that every writer holds until it commits."""
FACT = """
    SELECT facts.*, subject.root_id AS subject_root, root.name AS subject_name, target.root_id AS object_root
    FROM facts
    JOIN entities AS subject ON subject.id = facts.subject_id
    JOIN entities AS root ON root.id = subject.root_id
    JOIN entities AS target ON target.id = facts.object_id
"""
ENTITY = """
    SELECT entities.id, kind, entities.name,
        ARRAY(
            SELECT DISTINCT names.name FROM entity_names AS names JOIN entities AS one ON one.id = names.entity_id
            WHERE one.root_id = entities.id AND names.name <> entities.name ORDER BY 1
        ) AS aliases,
        (
            SELECT count(*) FROM facts
            WHERE state = 'holds' AND (valid_to IS NULL OR valid_to > now()) AND (
                subject_id IN (SELECT id FROM entities AS one WHERE one.root_id = entities.id)
                OR object_id IN (SELECT id FROM entities AS one WHERE one.root_id = entities.id)
            )
        ) AS facts
    FROM entities
"""

_origin = msgspec.json.Decoder[Origin](Origin)


def storable(text: str) -> str:
    """PostgreSQL's text holds every character but NUL (manual, 8.3)."""
    return text.replace("\x00", "\ufffd")


def storable_origin(origin: Origin) -> str:
    """As JSON without NUL, which jsonb refuses, too."""
    return msgspec.json.encode(origin).decode().replace("\\u0000", "\ufffd")


def time_of(at: datetime | None) -> str:
    """Write a time as the contracts have it, "" for none."""
    if at is None:
        return ""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_origin(text: str) -> Origin:
    """Read an origin; one of a newer version's kind is read as nothing more than the person's word."""
    with contextlib.suppress(msgspec.ValidationError):
        return _origin.decode(text)
    return ByPerson()


def to_fact(row: asyncpg.Record, known_at: datetime | None = None) -> Fact:
    """Read a row of `FACT`, as it was known at a time."""
    is_closed = row["closed_at"] is not None and (known_at is None or row["closed_at"] <= known_at)
    was_correct = known_at is not None and row["corrected_at"] is not None and row["corrected_at"] > known_at
    return Fact(
        id=row["id"],
        text=row["text"],
        subject=row["subject_name"],
        subject_id=row["subject_root"],
        predicate=row["predicate"],
        object=row["object"],
        object_id=row["object_root"],
        state=FactState.HOLDS if was_correct else FactState(row["state"]),
        valid_from=time_of(row["valid_from"]),
        valid_to=time_of(row["valid_to"]) if is_closed else "",
        learned_at=time_of(row["learned_at"]),
        closed_at=time_of(row["closed_at"]) if is_closed else "",
        confidence=round(row["confidence"], 6),
        pinned=row["pinned"],
        origin=to_origin(row["origin"]),
    )


def to_entity(row: asyncpg.Record) -> Entity:
    """Read a row of `ENTITY`."""
    return Entity(
        id=row["id"],
        kind=EntityKind(row["kind"]),
        name=row["name"],
        aliases=tuple(row["aliases"]),
        facts=row["facts"],
    )


async def fact(connection: Connection, fact_id: str) -> Fact | None:
    """Return one fact as it is."""
    row = await connection.fetchrow(f"{FACT} WHERE facts.id = $1", fact_id)
    return None if row is None else to_fact(row)


async def entity(connection: Connection, entity_id: str) -> Entity | None:
    """Return one entity as it is."""
    row = await connection.fetchrow(f"{ENTITY} WHERE id = $1", entity_id)
    return None if row is None else to_entity(row)


async def is_forgotten(connection: Connection, ids: Sequence[str]) -> bool:
    """Whether one of these was forgotten: a command that comes late does not bring it back."""
    found = await connection.fetchval(
        "SELECT true FROM memory_erasures WHERE ids && $1::text[] LIMIT 1", list(ids)
    )
    return bool(found)
