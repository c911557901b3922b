"""The connection pool, and the schema's migrations.

Each adapter of this package owns its tables and lists its migrations; `Database.migrate` applies new ones, each in
its own transaction and under one advisory lock, so that two cores starting at once do not collide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

_FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""TimeoutError is an OSError. The internal error is raised for a query that the server's shutdown interrupts."""
MIGRATION_TIMEOUT_S = 3_600
"""An interrupted migration starts over at the next start; its duration depends on the number of rows."""
MIGRATION_LOCK = 0x746974616E  # "titan"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema. `name` is unique for ever ("history-001"); `sql` may contain several statements."""

    name: str
    sql: str


class DatabaseUnavailableError(Exception):
    """PostgreSQL cannot be reached or refuses the login. `reason` is the driver's message, without the URL."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"PostgreSQL cannot be used: {reason}")
        self.reason = reason


class Database:
    """A pool over one PostgreSQL database.

    Args:
        dsn: `postgresql://…`, with `?host=/folder` for a unix socket.
        size: the most connections.
        schema: where its tables are; "public" is looked in after it.
    """

    def __init__(self, dsn: str, *, size: int = 8, schema: str = "public") -> None:
        self._dsn = dsn
        self._size = size
        self._server_settings = {"jit": "off"}
        if schema != "public":
            self._server_settings["search_path"] = f"{schema}, public"
        self._pool: asyncpg.Pool | None = None
        self._lookout: asyncpg.Connection | None = None

    @property
    def pool(self) -> asyncpg.Pool:
        """The open pool."""
        if self._pool is None:
            raise DatabaseUnavailableError("it has not been opened yet")
        return self._pool

    async def open(self) -> None:
        """Connect.

        Raises:
            DatabaseUnavailableError: no server, wrong password, no such database, no pgvector.
        """
        try:
            # None is kept open for its own sake: asyncpg would try again on its own while the server is away, and
            # log each try with a traceback.
            pool = await asyncpg.create_pool(
                self._dsn,
                min_size=0,
                max_size=self._size,
                command_timeout=60,
                server_settings=self._server_settings,
            )
            async with pool.acquire():
                self._pool = pool
        except _FAILURES as error:
            raise DatabaseUnavailableError(str(error) or type(error).__name__) from error

    async def connection(self) -> asyncpg.Connection:
        """Return a connection outside of the pool, for what takes long: without a time limit; close it.

        Raises:
            DatabaseUnavailableError: there is none to be had.
        """
        try:
            return await asyncpg.connect(self._dsn, server_settings={"jit": "off"})
        except _FAILURES as error:
            raise DatabaseUnavailableError(str(error) or type(error).__name__) from error

    async def look(self) -> None:
        """Check the server over a separate connection, because the pool's may all be busy.

        Do not call it again before it has ended. It waits as long as the network does: bound it.

        Raises:
            DatabaseUnavailableError: it does not answer.
        """
        lookout, self._lookout = self._lookout, None
        try:
            if lookout is None or lookout.is_closed():
                lookout = await asyncpg.connect(self._dsn)
            await lookout.execute("SELECT 1")
        except _FAILURES as error:
            raise DatabaseUnavailableError(str(error) or type(error).__name__) from error
        else:
            if self._pool is not None:  # else it was closed meanwhile
                self._lookout, lookout = lookout, None
        finally:
            if lookout is not None:
                lookout.terminate()

    async def close(self) -> None:
        """Close all connections; those still busy after a moment are cut."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            pool.terminate()
        if self._lookout is not None:
            lookout, self._lookout = self._lookout, None
            lookout.terminate()

    async def migrate(self, migrations: Sequence[Migration]) -> None:
        """Apply new migrations, in order."""
        async with self.pool.acquire() as connection:
            await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
            try:
                await connection.execute(
                    "CREATE TABLE IF NOT EXISTS migrations"
                    " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
                )
                done = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
                for migration in migrations:
                    if migration.name in done:
                        continue
                    async with connection.transaction():
                        await connection.execute(migration.sql, timeout=MIGRATION_TIMEOUT_S)
                        await connection.execute("INSERT INTO migrations (name) VALUES ($1)", migration.name)
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", MIGRATION_LOCK)

    async def version(self) -> str:
        """Return the server's version and pgvector's: `18.4, pgvector 0.8.5`."""
        row = await self.pool.fetchrow(
            "SELECT split_part(current_setting('server_version'), ' ', 1) AS server,"
            " (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector"
        )
        assert row is not None  # noqa: S101 — a SELECT without FROM has one row
        return f"{row['server']}, pgvector {row['vector'] or '-'}"
