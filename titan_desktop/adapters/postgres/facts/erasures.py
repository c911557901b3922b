"""`ports.erasures.MemoryErasures` in PostgreSQL. `forgetting` notes what is due, in its own transaction."""

import contextlib
from collections.abc import AsyncIterator, Iterable

import asyncpg
import msgspec

from titan_desktop.adapters.postgres import rewriting
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.facts.rows import Connection
from titan_desktop.adapters.postgres.facts.schema import TABLES
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.contracts.memory import Origin
from titan_desktop.ports.erasures import ErasuresUnavailableError, UnerasedMemory


class PostgresMemoryErasures:
    """`MemoryErasures` over a pool. Run `database.migrate` with the facts' migrations first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unerased(self) -> tuple[UnerasedMemory, ...]:
        """See `MemoryErasures.unerased`."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                "SELECT * FROM memory_erasures WHERE erased_at IS NULL ORDER BY subject_id"
            )
        return tuple(
            UnerasedMemory(
                subject_id=row["subject_id"],
                ids=frozenset(row["ids"]),
                since=row["since"].isoformat(),
                event_ids=frozenset(row["event_ids"]),
                rows=row["rows"],
                kept_in=msgspec.json.decode(row["kept_in"], type=tuple[Origin, ...]),
                asked=row["asked"],
            )
            for row in rows
        )

    async def note(self, subject_id: str, event_ids: Iterable[str]) -> None:
        """See `MemoryErasures.note`."""
        async with self._connection() as connection:
            await connection.execute(
                "UPDATE memory_erasures SET event_ids = ARRAY(SELECT DISTINCT unnest(event_ids || $2::text[]))"
                " WHERE subject_id = $1",
                subject_id,
                list(event_ids),
            )

    async def rewrite(self) -> str:
        """See `MemoryErasures.rewrite`."""
        async with self._connection() as connection:
            try:
                return await rewriting.rewrite(connection, TABLES)
            except asyncpg.LockNotAvailableError as error:
                raise ErasuresUnavailableError(str(error)) from error

    async def done(self, erased: UnerasedMemory, *, complete: bool) -> None:
        """See `MemoryErasures.done`."""
        async with self._connection() as connection:
            await connection.execute(
                "UPDATE memory_erasures SET erased_at = now(), event_ids = '{}', complete = $3"
                " WHERE subject_id = $1 AND asked = $2",
                erased.subject_id,
                erased.asked,
                complete,
            )

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with translated(ErasuresUnavailableError):
            async with self._database.pool.acquire() as connection:
                yield connection
