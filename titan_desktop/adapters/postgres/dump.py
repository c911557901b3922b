"""All tables of a database as text, and a database made of that.

PostgreSQL's own COPY text: any server reads it, whichever wrote it, so a backup made with the embedded server is
restored into one in a container. A dump is one snapshot: what is committed while it runs is in it whole or not at
all. It names its migrations; a newer Titan applies its own to what was loaded.
"""

import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

from titan_desktop.adapters.postgres.database import MIGRATION_TIMEOUT_S, Database, Migration

DatabaseError = (asyncpg.PostgresError, asyncpg.InterfaceError)
"""What the driver raises when the server refuses something or goes away."""
PIECE_BYTES = 4 * 1024 * 1024
"""Rows are handed on when so many bytes of them are there; a single row may be longer."""
_BESIDE = "titan_restored"
_FORMER = "titan_before_restore"

_TABLES = """
    SELECT c.relname AS name, array_agg(a.attname ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname <> 'migrations'
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    GROUP BY c.relname ORDER BY c.relname"""
_SEQUENCES = "SELECT sequencename AS name, last_value FROM pg_sequences WHERE schemaname = current_schema()"
_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text AS owner, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
    FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"""


class Table(msgspec.Struct, frozen=True):
    """A table and its columns, without those that the server computes."""

    name: str
    columns: tuple[str, ...]


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a dump holds.

    Attributes:
        migrations: the names of those that made its tables, in order.
        sequences: the last number that each has given; None when it has given none.
        rows: how many each table has.
    """

    migrations: tuple[str, ...]
    tables: tuple[Table, ...]
    sequences: dict[str, int | None]
    rows: dict[str, int]


class NewerContentsError(Exception):
    """A newer Titan made it: `migration` is none that this one knows."""

    def __init__(self, migration: str) -> None:
        super().__init__(migration)
        self.migration = migration


class SharedDatabaseError(Exception):
    """The database has tables that are not Titan's, so it cannot be replaced."""

    def __init__(self, tables: Sequence[str]) -> None:
        super().__init__(", ".join(tables))
        self.tables = tuple(tables)


async def save(
    database: Database,
    begin: Callable[[Contents], Awaitable[None]],
    take: Callable[[str, bytes], Awaitable[None]],
) -> None:
    """Hand the contents to `begin`, then every table to `take`, in pieces of whole rows."""
    connection = await database.connection()
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            contents = await _contents(connection)
            await begin(contents)
            for table in contents.tables:
                rows = _Rows(table.name, take)
                columns = ", ".join(map(_quoted, table.columns))
                query = f"SELECT {columns} FROM {_quoted(table.name)}"  # names of the catalogue
                await connection.copy_from_query(query, output=rows.write)
                await rows.finish()
    finally:
        await connection.close()


async def load(
    dsn: str, migrations: Sequence[Migration], contents: Contents, pieces: AsyncIterator[tuple[str, bytes]]
) -> "Beside":
    """Make a database of a dump, beside the one at `dsn`, which stays as it is until `Beside.take_place`.

    Raises:
        NewerContentsError: this version does not know all of its migrations.
        SharedDatabaseError: the database at `dsn` is not Titan's alone.
        asyncpg.InsufficientPrivilegeError: the login may not create databases.
        asyncpg.PostgresError, OSError: the server refuses a row, or is away.
    """
    known = {migration.name for migration in migrations}
    for name in contents.migrations:
        if name not in known:
            raise NewerContentsError(name)
    beside = Beside(dsn)
    await beside.create()
    try:
        await _fill(beside.dsn, migrations, contents, pieces)
        await beside.compare()
    except BaseException:
        await beside.drop()
        raise
    return beside


class Beside:
    """A second database on the server of `dsn`."""

    def __init__(self, dsn: str) -> None:
        self._former = dsn
        self._name = ""
        self.dsn = _named(dsn, _BESIDE)

    async def create(self) -> None:
        """Make it, empty, in place of what an interrupted restore left."""
        former = await asyncpg.connect(self._former)
        try:
            self._name = await former.fetchval("SELECT current_database()")
        finally:
            await former.close()
        await self._run(
            f"DROP DATABASE IF EXISTS {_BESIDE} WITH (FORCE)", f"CREATE DATABASE {_BESIDE} TEMPLATE template0"
        )

    async def drop(self) -> None:
        """Delete it."""
        await self._run(f"DROP DATABASE IF EXISTS {_BESIDE} WITH (FORCE)")

    async def compare(self) -> None:
        """Raise SharedDatabaseError when the former database has tables that this one does not know."""
        former, ours = [await _tables(dsn) for dsn in (self._former, self.dsn)]
        if others := sorted(former - ours):
            raise SharedDatabaseError(others)

    async def take_place(self) -> None:
        """Become the database at `dsn`; what was there is deleted. Nobody may be connected."""
        name = _quoted(self._name)
        await self._run(
            f"DROP DATABASE IF EXISTS {_FORMER} WITH (FORCE)",
            f"ALTER DATABASE {name} RENAME TO {_FORMER}",
            f"ALTER DATABASE {_BESIDE} RENAME TO {name}",
            f"DROP DATABASE {_FORMER} WITH (FORCE)",
        )

    async def _run(self, *statements: str) -> None:
        connection = await asyncpg.connect(_named(self._former, "template1"))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


async def _contents(connection: asyncpg.Connection) -> Contents:
    tables = tuple(Table(row["name"], tuple(row["columns"])) for row in await connection.fetch(_TABLES))
    return Contents(
        migrations=tuple(
            row["name"]
            for row in await connection.fetch("SELECT name FROM migrations ORDER BY applied_at, name")
        ),
        tables=tables,
        sequences={row["name"]: row["last_value"] for row in await connection.fetch(_SEQUENCES)},
        rows={
            table.name: await connection.fetchval(f"SELECT count(*) FROM {_quoted(table.name)}")
            for table in tables
        },
    )


class _Rows:
    """Cuts what the server sends into pieces of whole rows: in COPY's text a line end ends a row, always."""

    def __init__(self, table: str, take: Callable[[str, bytes], Awaitable[None]]) -> None:
        self._table = table
        self._take = take
        self._waiting = bytearray()

    async def write(self, data: bytes) -> None:
        """Take what the server sends next."""
        self._waiting += data
        if len(self._waiting) >= PIECE_BYTES:
            end = self._waiting.rfind(b"\n") + 1
            if end:
                piece = bytes(self._waiting[:end])
                del self._waiting[:end]
                await self._take(self._table, piece)

    async def finish(self) -> None:
        """Hand on the rest."""
        if self._waiting:
            await self._take(self._table, bytes(self._waiting))


async def _fill(
    dsn: str, migrations: Sequence[Migration], contents: Contents, pieces: AsyncIterator[tuple[str, bytes]]
) -> None:
    database = Database(dsn)
    await database.open()
    try:
        await database.migrate([one for one in migrations if one.name in set(contents.migrations)])
        connection = await database.connection()
        try:
            async with connection.transaction():
                await _load_rows(connection, contents, pieces)
            await connection.execute("ANALYZE")
        finally:
            await connection.close()
        await database.migrate(migrations)
    finally:
        await database.close()


async def _load_rows(
    connection: asyncpg.Connection, contents: Contents, pieces: AsyncIterator[tuple[str, bytes]]
) -> None:
    # Rows may come before those that they refer to: keys are checked when all are there.
    keys: list[Any] = await connection.fetch(_FOREIGN_KEYS)
    for key in keys:
        await connection.execute(f"ALTER TABLE {key['owner']} DROP CONSTRAINT {key['name']}")
    columns = {table.name: table.columns for table in contents.tables}
    for name in columns:  # what a migration has put there is in the dump, too
        await connection.execute(f"TRUNCATE {_quoted(name)}")
    async for name, piece in pieces:
        await connection.copy_to_table(
            name, source=io.BytesIO(piece), columns=columns[name], timeout=MIGRATION_TIMEOUT_S
        )
    for key in keys:
        await connection.execute(
            f"ALTER TABLE {key['owner']} ADD CONSTRAINT {key['name']} {key['definition']}",
            timeout=MIGRATION_TIMEOUT_S,
        )
    for name, last in contents.sequences.items():
        if last is not None:
            await connection.execute("SELECT setval($1::text::regclass, $2)", _quoted(name), last)


async def _tables(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        return {row["name"] for row in await connection.fetch(_TABLES)}
    finally:
        await connection.close()


def _quoted(name: str) -> str:
    return '"' + re.sub('"', '""', name) + '"'


def _named(dsn: str, name: str) -> str:
    parts = urlsplit(dsn)
    # urlunsplit would leave the slashes out where there is no host: postgresql:///name
    return urlunsplit(parts._replace(netloc="_", path=f"/{name}")).replace("_", parts.netloc, 1)
