"""What has changed since a revision, for the graph. Within the caller's snapshot."""

from datetime import UTC, datetime

import asyncpg

from titan_desktop.adapters.postgres.facts.rows import Connection
from titan_desktop.ports.facts import OPEN, Changes, Link

# The revisions of all three tables are of one sequence; the oldest come first.
_NEWER = """
    SELECT revision, what, id FROM (
        (SELECT revision, 'entity' AS what, id FROM entities WHERE revision > $1 ORDER BY revision LIMIT $2)
        UNION ALL
        (SELECT revision, 'fact', id FROM facts WHERE revision > $1 ORDER BY revision LIMIT $2)
        UNION ALL
        (SELECT revision, 'gone', subject_id FROM memory_erasures WHERE revision > $1 ORDER BY revision LIMIT $2)
    ) AS newer ORDER BY revision LIMIT $2
"""
_LINKS = """
    SELECT facts.*, subject.root_id AS subject_root, target.root_id AS object_root, origin.root_id AS origin_root
    FROM facts JOIN entities AS subject ON subject.id = subject_id JOIN entities AS target ON target.id = object_id
    LEFT JOIN entities AS origin ON origin.id = origin_id
    WHERE facts.id = ANY($1::text[])
"""
# An entity that was merged is no node, and neither is a fact that does not hold an edge.
_NODES = """
    SELECT id, kind FROM entities WHERE id = root_id AND (
        id = ANY($1::text[])
        OR id IN (
            SELECT root_id FROM entities JOIN facts ON entities.id IN (subject_id, object_id, origin_id)
            WHERE facts.id = ANY($2::text[])
        )
    )
"""
_NEWEST = """
    SELECT greatest(
        (SELECT max(revision) FROM entities), (SELECT max(revision) FROM facts),
        (SELECT max(revision) FROM memory_erasures)
    )
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def changes(connection: Connection, after: int, limit: int, codes: frozenset[str]) -> Changes:
    """See `Facts.changes`.

    Args:
        connection: within a snapshot.
        after: the revision.
        limit: the most changes.
        codes: the predicates that are codes; others are words of the person's and stay here.
    """
    newer = await connection.fetch(_NEWER, after, limit + 1)
    taken = newer[:limit]
    ids = {what: [row["id"] for row in taken if row["what"] == what] for what in ("entity", "fact", "gone")}
    links = await connection.fetch(_LINKS, ids["fact"])
    holding = [row for row in links if row["state"] == "holds"]
    nodes = await connection.fetch(_NODES, ids["entity"], [row["id"] for row in holding])
    merged = await connection.fetch(
        "SELECT id FROM entities WHERE id = ANY($1::text[]) AND id <> root_id", ids["entity"]
    )
    erased = await connection.fetch(
        "SELECT unnest(ids) AS id FROM memory_erasures WHERE subject_id = ANY($1::text[])", ids["gone"]
    )
    return Changes(
        entities=[(row["id"], row["kind"]) for row in nodes],
        links=[_link(row, codes) for row in holding],
        gone=[row["id"] for row in (*erased, *merged, *(row for row in links if row["state"] != "holds"))],
        revision=taken[-1]["revision"] if taken else after,
        more=len(newer) > limit,
        newest=await connection.fetchval(_NEWEST),
    )


def _link(row: asyncpg.Record, codes: frozenset[str]) -> Link:
    return Link(
        fact_id=row["id"],
        subject_id=row["subject_root"],
        object_id=row["object_root"],
        predicate=row["predicate"] if row["predicate"] in codes else "",
        valid_from=_milliseconds(row["valid_from"]),
        valid_to=OPEN if row["valid_to"] is None else _milliseconds(row["valid_to"]),
        learned_at=_milliseconds(row["learned_at"]),
        confidence=row["confidence"],
        origin_id=row["origin_root"] or "",
    )


def _milliseconds(at: datetime) -> int:
    return int((at - _EPOCH).total_seconds() * 1000)
