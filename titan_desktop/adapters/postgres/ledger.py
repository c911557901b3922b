"""`ports.ledger.Ledger` in PostgreSQL: one row an action."""

import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from titan_desktop.adapters.postgres import rewriting
from titan_desktop.adapters.postgres.database import Database, Migration
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.adapters.postgres.history.rows import Connection
from titan_desktop.contracts.file_actions import Action, ActionKind, ActionPage, ActionState, Refusal
from titan_desktop.ports.ledger import Entry, LedgerUnavailableError

MIGRATIONS = (
    Migration(
        "ledger-001",
        """
        CREATE TABLE file_actions (
            id text PRIMARY KEY,
            position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
            run_id text NOT NULL,
            event_id text NOT NULL,
            kind text NOT NULL,
            path text NOT NULL,
            target text NOT NULL,
            requested_by text NOT NULL,
            asked_at timestamptz NOT NULL,
            state text NOT NULL,
            refusal text NOT NULL,
            detail text NOT NULL,
            size bigint NOT NULL,
            undoes text NOT NULL,
            undone_by text NOT NULL,
            undoable boolean NOT NULL,
            before text NOT NULL,
            replaced boolean NOT NULL,
            after text NOT NULL,
            trashed text NOT NULL,
            inode bigint NOT NULL
        );
        CREATE INDEX ON file_actions (run_id);
        CREATE INDEX ON file_actions (before) WHERE before <> '';
        """,
    ),
)
TABLES = ("file_actions",)
_ACTION = (
    "id, run_id, kind, path, target, requested_by, asked_at, state, refusal, detail, size, undoes, undone_by,"
    " undoable"
)
_DIGITS = 18
"""Of a position, which is a bigint."""
_ENTRY = f"{_ACTION}, event_id, before, replaced, after, trashed, inode"
_SEP = f"'{os.sep}'"
_BENEATH = f"($1 IN (path, target) OR starts_with(path, $1 || {_SEP}) OR starts_with(target, $1 || {_SEP}))"

_OF_NAMES = (
    "EXISTS (SELECT FROM unnest($1::text[]) AS name WHERE name IN (path, target)"
    f" OR starts_with(path, name || {_SEP}) OR starts_with(target, name || {_SEP}))"
)


class PostgresLedger:
    """`Ledger` over a pool. Run `database.migrate(MIGRATIONS)` first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entry_of(self, action_id: str) -> Entry | None:
        """See `Ledger.entry_of`."""
        async with self._connection() as connection:
            row = await connection.fetchrow(
                f"SELECT {_ENTRY} FROM file_actions WHERE id = $1", storable(action_id)
            )
        return None if row is None else _entry(row)

    async def begin(self, entry: Entry) -> None:
        """See `Ledger.begin`."""
        action = entry.action
        values: list[Any] = [
            storable(action.id), storable(action.run_id), action.kind, storable(action.path),
            storable(action.target), storable(action.requested_by), datetime.fromisoformat(action.asked_at),
            action.state, action.refusal, storable(action.detail), action.size, action.undoes, action.undone_by,
            action.undoable, entry.event_id, entry.before, entry.replaced, entry.after, storable(entry.trashed),
            entry.inode,
        ]  # fmt: skip
        blanks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        names = [name.strip() for name in _ENTRY.split(",")]
        anew = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
        async with self._connection() as connection:
            await connection.execute(
                f"INSERT INTO file_actions ({_ENTRY}) VALUES ({blanks})"
                f" ON CONFLICT (id) DO UPDATE SET {anew} WHERE file_actions.state = 'begun'",
                *values,
            )

    async def end(self, action: Action) -> None:
        """See `Ledger.end`."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(
                "UPDATE file_actions SET state = $2, refusal = $3, detail = $4, undoable = $5 WHERE id = $1",
                action.id,
                action.state,
                action.refusal,
                storable(action.detail),
                action.undoable,
            )
            if action.undoes and action.state is ActionState.DONE:
                await connection.execute(
                    "UPDATE file_actions SET undone_by = $2 WHERE id = $1", action.undoes, action.id
                )

    async def page(
        self, limit: int, *, cursor: str = "", run_id: str = "", path: str = ""
    ) -> ActionPage | None:
        """See `Ledger.page`. A cursor is the position of the last entry of the page before."""
        if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _DIGITS):
            return None
        async with self._connection() as connection:
            rows = await connection.fetch(
                f"SELECT {_ACTION}, position FROM file_actions WHERE ($1 = '' OR {_BENEATH})"
                " AND ($2 = '' OR run_id = $2) AND ($3::bigint = 0 OR position < $3)"
                " ORDER BY position DESC LIMIT $4",
                storable(path),
                storable(run_id),
                int(cursor or 0),
                limit + 1,
            )
        more = str(rows[limit - 1]["position"]) if len(rows) > limit else ""
        return ActionPage(actions=tuple(map(_action, rows[:limit])), next_cursor=more)

    async def of_run(self, run_id: str) -> Sequence[Entry]:
        """See `Ledger.of_run`."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                f"SELECT {_ENTRY} FROM file_actions WHERE run_id = $1 AND state = 'done' AND undone_by = ''"
                " ORDER BY position DESC",
                storable(run_id),
            )
        return [_entry(row) for row in rows]

    async def names_of(self, path: str) -> Sequence[str]:
        """See `Ledger.names_of`. A folder that was moved took with it what is beneath."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                "WITH RECURSIVE names (name) AS ("
                " SELECT $1::text UNION SELECT path || substr(name, length(target) + 1) FROM file_actions, names"
                " WHERE kind = 'move' AND state = 'done'"
                f" AND (name = target OR starts_with(name, target || {_SEP}))"
                ") SELECT name FROM names",
                storable(path),
            )
        return [row["name"] for row in rows]

    async def contents_of(self, names: Sequence[str]) -> Sequence[str]:
        """See `Ledger.contents_of`."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                f"SELECT before FROM file_actions WHERE before <> '' GROUP BY before HAVING bool_and({_OF_NAMES})",
                list(names),
            )
        return [row["before"] for row in rows]

    async def forget(self, names: Sequence[str]) -> int:
        """See `Ledger.forget`."""
        async with self._connection() as connection:
            done: str = await connection.execute(f"DELETE FROM file_actions WHERE {_OF_NAMES}", list(names))
        return int(done.rpartition(" ")[2])

    async def rewrite(self) -> str:
        """See `Ledger.rewrite`."""
        async with self._connection() as connection:
            try:
                return await rewriting.rewrite(connection, TABLES)
            except asyncpg.LockNotAvailableError as error:
                raise LedgerUnavailableError(str(error)) from error

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with translated(LedgerUnavailableError):
            async with self._database.pool.acquire() as connection:
                yield connection


def storable(text: str) -> str:
    """Return a text as PostgreSQL can hold it; a hostile path that was refused may have NUL in it."""
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")


def _action(row: asyncpg.Record) -> Action:
    return Action(
        id=row["id"],
        run_id=row["run_id"],
        kind=ActionKind(row["kind"]),
        path=row["path"],
        target=row["target"],
        requested_by=row["requested_by"],
        asked_at=row["asked_at"].astimezone(UTC).isoformat(),
        state=ActionState(row["state"]),
        refusal=Refusal(row["refusal"]),
        detail=row["detail"],
        size=row["size"],
        undoes=row["undoes"],
        undone_by=row["undone_by"],
        undoable=row["undoable"],
    )


def _entry(row: asyncpg.Record) -> Entry:
    return Entry(
        action=_action(row),
        event_id=row["event_id"],
        before=row["before"],
        replaced=row["replaced"],
        after=row["after"],
        trashed=row["trashed"],
        inode=row["inode"],
    )
