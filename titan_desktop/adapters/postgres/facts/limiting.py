"""Keeps the number of facts within a limit: what is least used and not pinned goes.

Within the caller's transaction.
"""

from collections.abc import Sequence

from ulid import ULID

from titan_desktop.adapters.postgres.facts import forgetting
from titan_desktop.adapters.postgres.facts.rows import Connection
from titan_desktop.ports.facts import Events

SLACK = 100
"""One in so many goes beyond the surplus, so that not every new fact costs an erasure."""

# What was refused or corrected counts nothing: it keeps a model from saying it again, or explains another fact.
_COUNT = "SELECT count(*) FROM facts WHERE state IN ('holds', 'proposed')"
_LEAST_USED = """
    SELECT id FROM facts WHERE state IN ('holds', 'proposed') AND NOT pinned
    ORDER BY uses, coalesce(used_at, learned_at), id LIMIT $1
"""


async def keep(connection: Connection, most: int) -> Events:
    """See `Facts.keep`."""
    count: int = await connection.fetchval(_COUNT)
    if count <= most:
        return ()
    surplus = await connection.fetch(_LEAST_USED, count - most + most // SLACK)
    if not surplus:
        return ()
    return await forgetting.forget_facts(connection, str(ULID()), [row["id"] for row in surplus])


async def note_used(connection: Connection, fact_ids: Sequence[str]) -> None:
    """See `Facts.note_used`."""
    await connection.execute(
        "UPDATE facts SET uses = uses + 1, used_at = now() WHERE id = ANY($1::text[])", list(fact_ids)
    )
