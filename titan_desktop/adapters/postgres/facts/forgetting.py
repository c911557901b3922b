"""Deletes facts and entities, and notes what is then to be erased elsewhere. Within the caller's transaction."""

from collections.abc import Sequence

import msgspec

from titan_desktop.adapters.postgres.facts import rows
from titan_desktop.adapters.postgres.facts.rows import Connection
from titan_desktop.contracts.memory import (
    ME,
    ByPerson,
    EntityKind,
    FromMessage,
    MemoryForgotten,
    MemoryVoid,
    Origin,
    Void,
)
from titan_desktop.ports.facts import Events

PLACES_SHOWN = 20

# What a fact corrected, and what corrected it, is the same fact told otherwise.
_VERSIONS = """
    WITH RECURSIVE version AS (
        SELECT id, corrects FROM facts WHERE id = ANY($1::text[])
        UNION
        SELECT facts.id, facts.corrects FROM facts JOIN version
            ON facts.id = version.corrects OR facts.corrects = version.id
    ) SELECT id FROM version
"""
_UNUSED = """
    DELETE FROM entities WHERE id = ANY($1::text[]) AND id <> 'me'
        AND NOT EXISTS (
            SELECT FROM facts WHERE entities.id IN (subject_id, object_id, origin_id)
        )
        AND NOT EXISTS (SELECT FROM entities AS merged WHERE merged.merged_into = entities.id)
    RETURNING id, merged_into
"""


async def forget_fact(connection: Connection, fact_id: str) -> Events:
    """See `Facts.forget_fact`."""
    return await forget_facts(connection, fact_id, [fact_id])


async def forget_facts(connection: Connection, subject_id: str, fact_ids: Sequence[str]) -> Events:
    """Forget several at once, under one id."""
    versions = [row["id"] for row in await connection.fetch(_VERSIONS, list(fact_ids))]
    return await _forget(connection, subject_id, versions, ())


async def forget_entity(connection: Connection, entity_id: str) -> Events:
    """See `Facts.forget_entity`."""
    same = [
        row["id"]
        for row in await connection.fetch(
            "SELECT id FROM entities WHERE root_id = (SELECT root_id FROM entities WHERE id = $1)", entity_id
        )
    ]
    naming = await connection.fetch(
        "SELECT id FROM facts WHERE subject_id = ANY($1::text[]) OR object_id = ANY($1::text[])"
        " OR origin_id = ANY($1::text[])",
        same,
    )
    versions = await connection.fetch(_VERSIONS, [row["id"] for row in naming])
    return await _forget(connection, entity_id, [row["id"] for row in versions], same)


async def forget_conversation(connection: Connection, conversation_id: str) -> Events:
    """See `Facts.forget_conversation`."""
    said = await connection.fetch(
        "SELECT facts.id FROM facts JOIN entities ON entities.id = origin_id"
        " WHERE kind = $2 AND name = $1 AND NOT pinned",
        conversation_id,
        EntityKind.CONVERSATION,
    )
    if not said:
        return ()
    return await _forget(connection, conversation_id, [row["id"] for row in said], ())


async def _forget(
    connection: Connection, subject_id: str, fact_ids: Sequence[str], entity_ids: Sequence[str]
) -> Events:
    before = await connection.fetchval("SELECT facts FROM memory_erasures WHERE subject_id = $1", subject_id)
    if not fact_ids and (not entity_ids or list(entity_ids) == [ME]):
        if before is None:
            return (MemoryVoid(subject_id=subject_id, reason=Void.NOT_FOUND),)
        return (MemoryForgotten(subject_id=subject_id, facts=before),)
    since = await connection.fetchval(
        "SELECT coalesce(min(created_at), now()) FROM facts WHERE id = ANY($1::text[])", fact_ids
    )
    deleted = await connection.fetch("DELETE FROM facts WHERE id = ANY($1::text[]) RETURNING *", fact_ids)
    await connection.execute("UPDATE facts SET closed_by = NULL WHERE closed_by = ANY($1::text[])", fact_ids)
    named = {row[column] for row in deleted for column in ("subject_id", "object_id", "origin_id")} - {None}
    entities = await _delete_unused(connection, [*named, *entity_ids])
    origins = {row["origin"]: None for row in deleted}
    kept_in = [one for one in map(rows.to_origin, origins) if not _is_gone(one, subject_id)]
    # The person is forgotten again whenever there is something new to forget.
    await connection.execute(
        "INSERT INTO memory_erasures (subject_id, ids, facts, rows, since, kept_in)"
        " VALUES ($1, $2, $3, $4, $5, $6::jsonb) ON CONFLICT (subject_id) DO UPDATE SET"
        " ids = memory_erasures.ids || excluded.ids, facts = excluded.facts, rows = excluded.rows,"
        " since = excluded.since, kept_in = excluded.kept_in, asked = memory_erasures.asked + 1,"
        " erased_at = NULL, revision = nextval('memory_revision')",
        subject_id,
        [*fact_ids, *entities],
        len(deleted),
        len(deleted) + len(entities),
        since,
        msgspec.json.encode(kept_in[:PLACES_SHOWN]).decode(),
    )
    return (MemoryForgotten(subject_id=subject_id, facts=len(deleted)),)


def _is_gone(origin: Origin, subject_id: str) -> bool:
    """Whether there is nothing left where it was said: no place at all, or a conversation that is deleted."""
    match origin:
        case ByPerson():
            return True
        case FromMessage(conversation_id=conversation_id):
            return conversation_id == subject_id
        case _:
            return False


async def _delete_unused(connection: Connection, entity_ids: Sequence[str]) -> list[str]:
    """Delete those that no fact names any more, and the entities that they were merged into likewise."""
    deleted = list[str]()
    candidates = list(dict.fromkeys(entity_ids))
    while candidates:
        gone = await connection.fetch(_UNUSED, candidates)
        deleted += [row["id"] for row in gone]
        candidates = [row["merged_into"] for row in gone if row["merged_into"]] + (
            [one for one in candidates if one not in deleted] if gone else []
        )
    return deleted
