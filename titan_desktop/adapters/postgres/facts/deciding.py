"""The person's decisions: proposals accepted and refused, facts pinned. Within the caller's transaction."""

from collections.abc import Sequence

from titan_desktop.adapters.postgres.facts import learning, rows, rules
from titan_desktop.adapters.postgres.facts.rows import Connection
from titan_desktop.contracts.memory import FactChanged, MemoryVoid, Rule, RulesChanged, Void
from titan_desktop.contracts.message import BusMessage
from titan_desktop.ports.facts import Events


async def decide(
    connection: Connection, fact_ids: Sequence[str], rule: Rule | None, *, accepts: bool
) -> Events:
    """See `Facts.decide`."""
    events = list[BusMessage]()
    wanted = list(dict.fromkeys(fact_ids))
    if rule is not None and (rule.predicate or rule.source):
        await rules.make(connection, rule, accepts=accepts)
        events.append(RulesChanged())
        waiting = await connection.fetch(
            "SELECT id, predicate, origin FROM facts WHERE state = 'proposed' ORDER BY id"
        )
        wanted += [
            row["id"] for row in waiting if rules.fits(rule, row["predicate"], rows.to_origin(row["origin"]))
        ]
    for fact_id in dict.fromkeys(wanted):
        events += await _decide(connection, fact_id, accepts=accepts)
    return tuple(events)


async def _decide(connection: Connection, fact_id: str, *, accepts: bool) -> Events:
    state = await connection.fetchval("SELECT state FROM facts WHERE id = $1", fact_id)
    fact = await rows.fact(connection, fact_id)
    if fact is None or state == "corrected" or (state == "holds" and not accepts):
        return (MemoryVoid(subject_id=fact_id, reason=Void.NOT_FOUND),)
    if accepts:
        return (
            await learning.told(connection, fact)
            if state == "holds"
            else await learning.accept(connection, fact_id)
        )
    await connection.execute(
        "UPDATE facts SET state = 'refused', revision = nextval('memory_revision') WHERE id = $1", fact_id
    )
    return await _changed(connection, fact_id)


async def pin(connection: Connection, fact_id: str, *, pinned: bool) -> Events:
    """See `Facts.pin`."""
    await connection.execute("UPDATE facts SET pinned = $2 WHERE id = $1", fact_id, pinned)
    return await _changed(connection, fact_id)


async def _changed(connection: Connection, fact_id: str) -> Events:
    fact = await rows.fact(connection, fact_id)
    return (
        (MemoryVoid(subject_id=fact_id, reason=Void.NOT_FOUND),)
        if fact is None
        else (FactChanged(fact=fact),)
    )
