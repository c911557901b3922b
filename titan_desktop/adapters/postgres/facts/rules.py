"""The person's rules for proposals: which fit, and what they decide."""

from pathlib import PurePosixPath, PureWindowsPath

from titan_desktop.adapters.postgres.facts.rows import Connection, storable
from titan_desktop.contracts.memory import FromFile, FromMessage, Origin, Rule, RuleMade


async def read(connection: Connection) -> tuple[RuleMade, ...]:
    """Return all rules."""
    found = await connection.fetch("SELECT * FROM proposal_rules ORDER BY predicate, source")
    return tuple(
        RuleMade(rule=Rule(predicate=row["predicate"], source=row["source"]), accepts=row["accepts"])
        for row in found
    )


async def make(connection: Connection, rule: Rule, *, accepts: bool) -> None:
    """Keep a rule, in the place of one that fits the same."""
    await connection.execute(
        "INSERT INTO proposal_rules (predicate, source, accepts) VALUES ($1, $2, $3)"
        " ON CONFLICT (predicate, source) DO UPDATE SET accepts = excluded.accepts",
        storable(rule.predicate),
        storable(rule.source),
        accepts,
    )


async def drop(connection: Connection, rule: Rule) -> bool:
    """Delete a rule; return whether there was one."""
    found = await connection.fetchval(
        "DELETE FROM proposal_rules WHERE predicate = $1 AND source = $2 RETURNING true",
        storable(rule.predicate),
        storable(rule.source),
    )
    return bool(found)


async def decision(connection: Connection, predicate: str, origin: Origin) -> bool | None:
    """Return what the rules say of a proposal, None where none fits. A refusal goes before an acceptance."""
    fitting = [made.accepts for made in await read(connection) if fits(made.rule, predicate, origin)]
    return all(fitting) if fitting else None


def fits(rule: Rule, predicate: str, origin: Origin) -> bool:
    """Say whether a rule means what has this predicate and is from there. An empty rule means nothing."""
    if not (rule.predicate or rule.source) or rule.predicate not in {"", predicate}:
        return False
    match rule.source, origin:
        case ("", _) | ("message", FromMessage()) | ("file", FromFile()):
            return True
        case folder, FromFile(path=path):
            kind = PurePosixPath if folder.startswith("/") else PureWindowsPath
            return kind(path).is_relative_to(kind(folder))
    return False
