"""`ports.erasures.Erasures` in PostgreSQL.

A deleted conversation has a row of its own, written in one transaction with the deletion of its messages. So its
erasure is due without another write, also when an earlier version deleted it.
"""

import contextlib
from collections.abc import AsyncIterator, Iterable

import asyncpg

from titan_desktop.adapters.postgres import rewriting, turns
from titan_desktop.adapters.postgres.database import Database, Migration
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.adapters.postgres.history.rows import Connection
from titan_desktop.ports.erasures import ErasuresUnavailableError, Unerased

MIGRATIONS = (
    Migration(
        "erasures-001",
        """
        CREATE TABLE erasures (
            conversation_id text PRIMARY KEY,
            asked integer NOT NULL DEFAULT 1,
            event_ids text[] NOT NULL DEFAULT '{}',
            erased_at timestamptz,
            events integer NOT NULL DEFAULT 0,
            complete boolean
        );
        """,
    ),
)
"""`event_ids` is emptied once they are erased; `events` then counts them."""
TABLES = ("thoughts", "messages", "conversations")
"""What had words of a conversation in it."""
INDEX_TABLES = tuple(
    f"{turns.SCHEMA}.{name}" for name in ("files", "passages", "terms", "packed_postings", "vectors")
)
"""The index of messages, which the recall service keeps; without it there are no such tables."""

_STILL_INDEXED = f"""
    SELECT EXISTS (
        SELECT FROM {turns.SCHEMA}.files f WHERE EXISTS (
            SELECT FROM conversations c WHERE c.id = f.title AND c.deleted_at IS NOT NULL
        )
    )
"""


class PostgresErasures:
    """`Erasures` over a pool. Run `database.migrate(MIGRATIONS)` first, and the history's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unerased(self) -> tuple[Unerased, ...]:
        """See `Erasures.unerased`."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO erasures (conversation_id)"
                " SELECT id FROM conversations WHERE deleted_at IS NOT NULL"
                " AND NOT EXISTS (SELECT FROM erasures WHERE conversation_id = conversations.id)"
                " ON CONFLICT DO NOTHING"
            )
            rows = await connection.fetch(
                "SELECT conversation_id, created_at, event_ids, asked FROM erasures"
                " JOIN conversations ON conversations.id = conversation_id"
                " WHERE erased_at IS NULL ORDER BY conversation_id"
            )
        return tuple(
            Unerased(
                conversation_id=row["conversation_id"],
                since=row["created_at"].isoformat(),
                event_ids=frozenset(row["event_ids"]),
                asked=row["asked"],
            )
            for row in rows
        )

    async def note(self, conversation_id: str, event_ids: Iterable[str]) -> None:
        """See `Erasures.note`."""
        async with self._connection() as connection:
            await connection.execute(
                "UPDATE erasures SET event_ids = ARRAY(SELECT DISTINCT unnest(event_ids || $2::text[]))"
                " WHERE conversation_id = $1",
                conversation_id,
                list(event_ids),
            )

    async def rewrite(self) -> str:
        """See `Erasures.rewrite`."""
        async with self._connection() as connection:
            tables: tuple[str, ...] = TABLES
            if await connection.fetchval("SELECT to_regclass($1)", INDEX_TABLES[0]) is not None:
                if await connection.fetchval(_STILL_INDEXED):
                    raise ErasuresUnavailableError("messages are still being taken out of their index")
                tables += INDEX_TABLES
            try:
                return await rewriting.rewrite(connection, tables)
            except asyncpg.LockNotAvailableError as error:
                raise ErasuresUnavailableError(str(error)) from error

    async def done(self, erased: Unerased, *, complete: bool) -> int | None:
        """See `Erasures.done`."""
        async with self._connection() as connection:
            events: int | None = await connection.fetchval(
                "UPDATE erasures SET erased_at = now(), events = events + cardinality(event_ids),"
                " event_ids = '{}', complete = $3 WHERE conversation_id = $1 AND asked = $2 RETURNING events",
                erased.conversation_id,
                erased.asked,
                complete,
            )
        return events

    async def again(self, conversation_id: str) -> None:
        """See `Erasures.again`."""
        async with self._connection() as connection:
            await connection.execute(
                "UPDATE erasures SET asked = asked + 1, erased_at = NULL WHERE conversation_id = $1",
                conversation_id,
            )

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with translated(ErasuresUnavailableError):
            async with self._database.pool.acquire() as connection:
                yield connection
