"""Learns facts: what is known already, what a newer fact ends, what stands in another's place.

Within the caller's transaction, which holds the writers' lock.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from titan_desktop.adapters.postgres.facts import naming, rows, rules
from titan_desktop.adapters.postgres.facts.rows import Connection, storable
from titan_desktop.adapters.postgres.text.words import indexed
from titan_desktop.contracts.memory import (
    ME,
    CorrectFact,
    Fact,
    FactChanged,
    FactClosed,
    FactLearned,
    FactProposed,
    FactState,
    MemoryVoid,
    Void,
)
from titan_desktop.ports.facts import Events, Statement, plain

_INSERT = """
    INSERT INTO facts (
        id, subject_id, predicate, object_id, object, object_key, text, key, replaces, state, valid_from,
        created_at, learned_at, corrects, confidence, origin, origin_id, event_id, pinned, words
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now(), now(), $12, $13, $14::jsonb, $15, $16, $17,
        to_tsvector('titan', $18))
"""
# What says the same of the same: by its parts, or word for word.
_SAME = """
    SELECT facts.id, state FROM facts
    JOIN entities AS subject ON subject.id = subject_id JOIN entities AS target ON target.id = object_id
    WHERE subject.root_id = (SELECT root_id FROM entities WHERE id = $1)
        AND ((predicate = $2 AND $2 <> '' AND (object_key = $3 OR target.root_id = $4)) OR key = $5)
        AND (state IN ('proposed', 'refused') OR (state = 'holds' AND (valid_to IS NULL OR valid_to > $6)))
        AND facts.id <> $7
    ORDER BY state = 'holds' DESC, state = 'proposed' DESC, facts.id LIMIT 1
"""
_OTHERS = """
    SELECT facts.id, valid_from, valid_to FROM facts JOIN entities AS subject ON subject.id = subject_id
    WHERE subject.root_id = (SELECT root_id FROM entities WHERE id = $1) AND predicate = $2
        AND state = 'holds' AND facts.id <> $3
    ORDER BY valid_from, facts.id
"""
_CLOSE = """
    UPDATE facts SET valid_to = $2, closed_at = now(), closed_by = $3, revision = nextval('memory_revision')
    WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class _Ends:
    """The entities at both ends of a statement; either may have been merged into another."""

    subject_id: str
    object_id: str
    object_root: str


async def learn(connection: Connection, said: Statement, *, proposed: bool) -> Events:
    """See `Facts.learn`."""
    if (known := await rows.fact(connection, said.fact_id)) is not None:
        return await told(connection, known)
    if await rows.is_forgotten(connection, [said.fact_id]):
        return (MemoryVoid(subject_id=said.fact_id, reason=Void.NOT_FOUND),)
    ends = await _ends(connection, said)
    if (same := await _same(connection, said, ends)) is not None:
        fact_id, state = same
        if not proposed and state is not FactState.HOLDS:
            accepted = await accept(connection, fact_id, said.valid_from)
            return (*accepted, MemoryVoid(subject_id=said.fact_id, reason=Void.KNOWN, known_id=fact_id))
        return (MemoryVoid(subject_id=said.fact_id, reason=Void.KNOWN, known_id=fact_id),)
    holds = not proposed or await rules.decision(connection, said.predicate, said.origin)
    state = {True: FactState.HOLDS, None: FactState.PROPOSED, False: FactState.REFUSED}[holds]
    await _insert(connection, said, ends, state)
    if state is FactState.HOLDS and said.replaces:
        await _take_turns(connection, said.fact_id, ends.subject_id, said.predicate, said.valid_from)
    return await _told_of(connection, said.fact_id)


async def correct(connection: Connection, command: CorrectFact, said: Statement) -> Events:
    """See `Facts.correct`."""
    former_id = command.former_id
    former = await connection.fetchrow(f"{rows.FACT} WHERE facts.id = $1 FOR UPDATE OF facts", former_id)
    if (known := await rows.fact(connection, said.fact_id)) is not None:
        return (FactChanged(fact=known, former_id=former_id),)
    if former is None or former["state"] == FactState.CORRECTED:
        return (MemoryVoid(subject_id=former_id, reason=Void.NOT_FOUND),)
    said = _completed(said, rows.to_fact(former), former["replaces"], command)
    ends = await _ends(connection, said)
    subject_id = ends.subject_id if command.subject else former["subject_id"]
    ends = replace(ends, subject_id=subject_id)
    await connection.execute(
        "UPDATE facts SET state = 'corrected', corrected_at = now(), revision = nextval('memory_revision')"
        " WHERE id = $1",
        former_id,
    )
    await _insert(connection, said, ends, FactState.HOLDS, corrects=former_id, pinned=former["pinned"])
    if former["valid_to"] is not None and not command.valid_from:
        await _end(connection, said.fact_id, former["valid_to"], former["closed_by"])
    # What the wrong one ended holds again, unless this one ends it, too.
    await connection.execute(
        "UPDATE facts SET valid_to = NULL, closed_at = NULL, closed_by = NULL,"
        " revision = nextval('memory_revision') WHERE closed_by = $1",
        former_id,
    )
    if said.replaces:
        await _take_turns(connection, said.fact_id, subject_id, said.predicate, said.valid_from)
    learned, *closed = await _told_of(connection, said.fact_id)
    assert isinstance(learned, FactLearned)  # noqa: S101 - it was inserted as one that holds
    return (FactChanged(fact=learned.fact, former_id=former_id), *closed)


async def accept(connection: Connection, fact_id: str, valid_from: datetime | None = None) -> Events:
    """Let a proposal, or what was refused, hold from now on."""
    row = await connection.fetchrow(
        "UPDATE facts SET state = 'holds', learned_at = now(), valid_from = coalesce($2, valid_from),"
        " revision = nextval('memory_revision') WHERE id = $1 RETURNING *",
        fact_id,
        valid_from,
    )
    assert row is not None  # noqa: S101 - the caller has read it under the lock
    if row["replaces"]:
        await _take_turns(connection, fact_id, row["subject_id"], row["predicate"], row["valid_from"])
    return await _told_of(connection, fact_id)


async def close(connection: Connection, fact_id: str, valid_to: datetime) -> Events:
    """See `Facts.close`."""
    row = await connection.fetchrow("SELECT state, valid_from FROM facts WHERE id = $1", fact_id)
    if row is None or row["state"] != FactState.HOLDS:
        return (MemoryVoid(subject_id=fact_id, reason=Void.NOT_FOUND),)
    if valid_to < row["valid_from"]:
        return (MemoryVoid(subject_id=fact_id, reason=Void.BAD_TIME),)
    await _end(connection, fact_id, valid_to, None)
    closed = await rows.fact(connection, fact_id)
    assert closed is not None  # noqa: S101 - read above, under the lock
    return (FactClosed(fact=closed),)


async def told(connection: Connection, fact: Fact) -> Events:
    """Return the events that tell of a fact as it is, and of those that it has ended."""
    match fact.state:
        case FactState.HOLDS:
            ended = await connection.fetch(
                f"{rows.FACT} WHERE closed_by = $1 ORDER BY valid_from, facts.id", fact.id
            )
            closed = [FactClosed(fact=rows.to_fact(row), closed_by=fact.id) for row in ended]
            return (FactLearned(fact=fact), *closed)
        case FactState.PROPOSED:
            return (FactProposed(fact=fact),)
        case _:
            return (FactChanged(fact=fact),)


async def _told_of(connection: Connection, fact_id: str) -> Events:
    fact = await rows.fact(connection, fact_id)
    assert fact is not None  # noqa: S101 - written in this transaction
    return await told(connection, fact)


async def _ends(connection: Connection, said: Statement) -> _Ends:
    subject_id = await naming.entity_named(connection, said.subject, said.subject_kind, said.event_id)
    if plain(said.object):
        object_id = await naming.entity_named(connection, said.object, said.object_kind, said.event_id)
    else:
        object_id = await naming.day_of(connection, said.valid_from, said.event_id)
    root = await connection.fetchval("SELECT root_id FROM entities WHERE id = $1", object_id)
    return _Ends(subject_id, object_id, root)


async def _same(connection: Connection, said: Statement, ends: _Ends) -> tuple[str, FactState] | None:
    row = await connection.fetchrow(
        _SAME,
        ends.subject_id,
        said.predicate,
        plain(said.object),
        ends.object_root if plain(said.object) else "",
        plain(said.text),
        said.valid_from,
        said.fact_id,
    )
    return None if row is None else (row["id"], FactState(row["state"]))


async def _insert(
    connection: Connection,
    said: Statement,
    ends: _Ends,
    state: FactState,
    *,
    corrects: str | None = None,
    pinned: bool = False,
) -> None:
    await connection.execute(
        _INSERT,
        said.fact_id,
        ends.subject_id,
        said.predicate,
        ends.object_id,
        storable(said.object),
        plain(said.object),
        storable(said.text),
        plain(said.text),
        said.replaces,
        state.value,
        said.valid_from,
        corrects,
        said.confidence,
        rows.storable_origin(said.origin),
        await naming.source_of(connection, said.origin, said.event_id),
        said.event_id,
        pinned,
        indexed(f"{said.text} {said.object}"),
    )


async def _take_turns(
    connection: Connection, fact_id: str, subject_id: str, predicate: str, valid_from: datetime
) -> None:
    """Let each of the facts with one subject and predicate hold until the next one begins.

    What is learned later of an earlier time ends where the next one begins, and ends the one before it.
    """
    others = await connection.fetch(_OTHERS, subject_id, predicate, fact_id)
    for other in others:
        begins_before = other["valid_from"] <= valid_from
        if begins_before and (other["valid_to"] is None or other["valid_to"] > valid_from):
            await _end(connection, other["id"], valid_from, fact_id)
    later = next((other for other in others if other["valid_from"] > valid_from), None)
    if later is not None:
        await _end(connection, fact_id, later["valid_from"], later["id"])


async def _end(connection: Connection, fact_id: str, valid_to: datetime, closed_by: str | None) -> None:
    await connection.execute(_CLOSE, fact_id, valid_to, closed_by)


def _completed(said: Statement, former: Fact, replaces: bool, command: CorrectFact) -> Statement:  # noqa: FBT001
    """Take from the former fact what the correction does not say."""
    is_sentence = bool(command.text) and not (command.predicate or command.object)
    predicate = "" if is_sentence else said.predicate or former.predicate
    target = "" if is_sentence else said.object or former.object
    subject = said.subject or ("" if former.subject_id == ME else former.subject)
    text = said.text or " ".join(filter(None, (subject, command.predicate or former.predicate, target)))
    if not (command.text or command.predicate or command.object or command.subject):
        text = former.text
    return replace(
        said,
        text=text,
        subject=subject,
        predicate=predicate,
        object=target,
        replaces=said.replaces if command.predicate or command.replaces is not None else replaces,
        valid_from=said.valid_from if command.valid_from else datetime.fromisoformat(former.valid_from),
    )
