"""Two entities that are one: merged, taken apart again, and proposed by their names.

Facts and names stay with the entity that they were said of; `entities.root_id` says who that is now. So a merge is
undone by deleting the pointer, and what was learned after it goes back as well. Within the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import combinations

from titan_desktop.adapters.postgres.facts import rows
from titan_desktop.adapters.postgres.facts.rows import Connection, storable
from titan_desktop.adapters.postgres.text.letters import transliterated
from titan_desktop.contracts.memory import ME, EntitiesMerged, MemoryVoid, Merge, MergeProposal, Void
from titan_desktop.ports.facts import Events

LIKE = 0.84
"""How like two names of one kind are that may be one's: an ending, or a letter that was mistyped."""
NAMES_COMPARED = 4_000
LETTERS_SHARED = 3
"""Names are compared when two of their words begin with the same letters."""

_ROOTS = """
    WITH RECURSIVE ways AS (
        SELECT id, id AS root FROM entities WHERE merged_into IS NULL
        UNION ALL
        SELECT entities.id, ways.root FROM entities JOIN ways ON entities.merged_into = ways.id
    )
    UPDATE entities SET root_id = root, revision = nextval('memory_revision') FROM ways
    WHERE ways.id = entities.id AND root_id <> root RETURNING entities.id
"""
_TOUCHED = """
    UPDATE facts SET revision = nextval('memory_revision')
    WHERE subject_id = ANY($1::text[]) OR object_id = ANY($1::text[])
"""


async def merge(connection: Connection, merge_id: str, kept_id: str, merged_id: str, event_id: str) -> Events:
    """See `Facts.merge`. The person is always the one that is kept."""
    done = await connection.fetchrow("SELECT kept_id, merged_id FROM merges WHERE id = $1", merge_id)
    if done is None:
        roots = [
            await connection.fetchval("SELECT root_id FROM entities WHERE id = $1", one)
            for one in (kept_id, merged_id)
        ]
        kept, merged = roots if roots[1] != ME else roots[::-1]
        if kept is None or merged is None:
            return (MemoryVoid(subject_id=merge_id, reason=Void.NOT_FOUND),)
        if kept == merged:
            return (MemoryVoid(subject_id=merge_id, reason=Void.CONFLICT),)
        await connection.execute(
            "INSERT INTO merges (id, kept_id, merged_id, event_id) VALUES ($1, $2, $3, $4)",
            storable(merge_id), kept, merged, event_id,
        )  # fmt: skip
        await connection.execute("UPDATE entities SET merged_into = $2 WHERE id = $1", merged, kept)
        await _find_roots(connection)
    return await _told(connection, merge_id)


async def undo(connection: Connection, merge_id: str) -> Events:
    """See `Facts.undo_merge`."""
    merged_id = await connection.fetchval(
        "UPDATE merges SET undone = true WHERE id = $1 RETURNING merged_id", merge_id
    )
    if merged_id is None:
        return (MemoryVoid(subject_id=merge_id, reason=Void.NOT_FOUND),)
    await connection.execute(
        "UPDATE entities SET merged_into = NULL WHERE id = $1 AND merged_into ="
        " (SELECT kept_id FROM merges WHERE id = $2)",
        merged_id,
        merge_id,
    )
    await _find_roots(connection)
    return await _told(connection, merge_id)


async def made(connection: Connection, limit: int) -> tuple[Merge, ...]:
    """Return the merges that can be undone, the newest first."""
    found = await connection.fetch(
        "SELECT merges.id, merges.kept_id, entities.name FROM merges"
        " JOIN entities ON entities.id = merged_id WHERE NOT undone ORDER BY merges.id DESC LIMIT $1",
        limit,
    )
    kept = {row["kept_id"]: await rows.entity(connection, row["kept_id"]) for row in found}
    return tuple(
        Merge(merge_id=row["id"], kept=one, merged_name=row["name"])
        for row in found
        if (one := kept[row["kept_id"]]) is not None
    )


async def proposed(connection: Connection, limit: int) -> tuple[MergeProposal, ...]:
    """Return pairs that may be one, the likest first; not those that the person has taken apart."""
    names = await connection.fetch(
        "SELECT root_id AS id, kind, key FROM entity_names JOIN entities ON entities.id = entity_id"
        " WHERE kind NOT IN ('file', 'conversation', 'day') ORDER BY entity_id DESC LIMIT $1",
        NAMES_COMPARED,
    )
    apart = {
        frozenset((row["kept_id"], row["merged_id"]))
        for row in await connection.fetch("SELECT kept_id, merged_id FROM merges WHERE undone")
    }
    found = []
    likest = likest_pairs([(row["id"], row["kind"], row["key"]) for row in names])
    for (one, other), likeness in likest:
        if frozenset((one, other)) in apart:
            continue
        pair = [await rows.entity(connection, entity_id) for entity_id in (one, other)]
        kept, merged = sorted((one for one in pair if one is not None), key=lambda one: (-one.facts, one.id))
        found.append(MergeProposal(kept=kept, merged=merged, likeness=likeness))
        if len(found) == limit:
            break
    return tuple(found)


def likest_pairs(names: Sequence[tuple[str, str, str]]) -> list[tuple[tuple[str, str], float]]:
    """Return pairs of ids of one kind whose names are like each other, the likest first.

    Args:
        names: id, kind and plain name; an id may have several names.
    """
    begins = defaultdict[tuple[str, str], set[int]](set)
    spelt = [(entity_id, kind, _latin(key)) for entity_id, kind, key in names]
    for number, (_, kind, key) in enumerate(spelt):
        for word in key.split():
            begins[kind, word[:LETTERS_SHARED]].add(number)
    best = dict[tuple[str, str], float]()
    for numbers in begins.values():
        if len(numbers) > NAMES_COMPARED // 40:  # "the …": a beginning that says nothing
            continue
        for first, second in combinations(sorted(numbers), 2):
            one, other = spelt[first], spelt[second]
            likeness = _likeness(one[2], other[2]) if one[0] != other[0] else 0.0
            pair = (min(one[0], other[0]), max(one[0], other[0]))
            if likeness >= LIKE and likeness > best.get(pair, 0.0):
                best[pair] = likeness
    return sorted(best.items(), key=lambda item: (-item[1], item[0]))


def _likeness(one: str, other: str) -> float:
    words, others = set(one.split()), set(other.split())
    if words < others or others < words:  # "anna", "anna ivanova"
        return 0.9
    return round(SequenceMatcher(None, one, other, autojunk=False).ratio(), 3)


def _latin(key: str) -> str:
    """Return a name as it is written in Latin letters."""
    return " ".join(
        next(iter(transliterated(word)), word) if not word.isascii() else word for word in key.split()
    )


async def _find_roots(connection: Connection) -> None:
    moved = [row["id"] for row in await connection.fetch(_ROOTS)]
    await connection.execute(_TOUCHED, moved)


async def _told(connection: Connection, merge_id: str) -> Events:
    row = await connection.fetchrow("SELECT * FROM merges WHERE id = $1", merge_id)
    assert row is not None  # noqa: S101 - written in this transaction, or read by the caller
    kept = await rows.entity(connection, row["kept_id"])
    assert kept is not None  # noqa: S101 - a foreign key
    return (EntitiesMerged(merge_id=merge_id, kept=kept, merged_id=row["merged_id"], undone=row["undone"]),)
