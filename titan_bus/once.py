"""Makes an effect happen once, though its event may be delivered twice: marks in PostgreSQL or in Redis.

The bus delivers at least once: an event that was in flight when a program or a server died is delivered again,
under the same `event_id`. If the effect is a row in PostgreSQL, `PostgresOnce` writes the mark in the same
transaction: both exist or neither, so the effect happens exactly once. For any other effect, a mail or a payment
through an API, the mark cannot be written in the same instant: `RedisOnce` keeps two programs from doing it at
once and stores what was finished, but a program that dies between the effect and its mark does it again.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any, Protocol

from titan_bus import names
from titan_bus.connections.connection import Connection
from titan_bus.errors import OnceMisusedError
from titan_bus.lease import HELD, Lease

LEASE_S = 30.0
KEEP_S = 7 * 86_400.0
DONE_PATIENCE_S = 30.0
"""How long marking as done waits for a lost server; longer than a publish, because without it the effect is
repeated."""
RUNNING_LOOK_S = 0.2
"""How often a mark held by another program is checked again."""
_TABLE = re.compile(r"[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?")


class PostgresConnection(Protocol):
    """The used part of an asyncpg connection."""

    async def execute(self, query: str, *args: Any) -> str:
        """Run a statement and return its status."""
        ...

    async def fetchval(self, query: str, *args: Any) -> Any:
        """Run a query and return the first value of its first row."""
        ...

    def is_in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...


class PostgresOnce:
    """Marks in the transaction of the effect.

        once = PostgresOnce("billing")

        async with pool.acquire() as connection, connection.transaction():
            if await once.first(connection, event.event_id):
                await connection.execute("INSERT INTO bills ...")

    Two programs with the same event: the second waits for the first one's transaction and then finds the mark, or
    does the effect itself when that one was rolled back. (Under REPEATABLE READ and SERIALIZABLE it gets a
    serialization error instead, and the event comes again.)

    Args:
        scope: whose effect; every effect of an event has a scope of its own, the group's name as a rule.
        table: where the marks are, with a schema or without.
    """

    def __init__(self, scope: str, table: str = "titan_bus_once") -> None:
        if not _TABLE.fullmatch(table):
            raise ValueError(
                f"{table!r}: a table's name has small letters, digits and _, and one schema at most"
            )
        self._scope = scope
        self._table = table

    @property
    def ddl(self) -> str:
        """The statement that creates the table, for servers where programs must not create any."""
        return (
            f"CREATE TABLE IF NOT EXISTS {self._table} (\n"
            "    scope text NOT NULL,\n"
            "    event_id text NOT NULL,\n"
            "    marked_at timestamptz NOT NULL DEFAULT now(),\n"
            "    PRIMARY KEY (scope, event_id)\n"
            ");"
        )

    async def create_table(self, connection: PostgresConnection) -> None:
        """Create the table if it is missing; any number of programs may do so at once."""
        # Without the lock two at once fail on the catalogue's unique index, in spite of IF NOT EXISTS.
        await connection.execute(f"SELECT pg_advisory_xact_lock(hashtext('titan_bus_once'));\n{self.ddl}")

    async def first(self, connection: PostgresConnection, event_id: str) -> bool:
        """Mark the event in the open transaction; False when it was marked before.

        Raises:
            OnceMisusedError: no transaction is open: the mark would stay though the effect failed.
        """
        if not connection.is_in_transaction():
            raise OnceMisusedError(
                "first", "open a transaction around it and the effect: `connection.transaction()`"
            )
        query = (
            f"INSERT INTO {self._table} (scope, event_id) VALUES ($1, $2) "  # noqa: S608 -- the name is checked
            "ON CONFLICT DO NOTHING RETURNING true"
        )
        return await connection.fetchval(query, self._scope, event_id) is True

    async def prune(self, connection: PostgresConnection, older_than_s: float) -> int:
        """Remove this scope's marks of that age. Returns how many.

        An event that is delivered after its mark was removed has its effect again: keep the marks for longer than
        streams, dead letters and replays keep the events.
        """
        status = await connection.execute(
            f"DELETE FROM {self._table} WHERE scope = $1 "  # noqa: S608 -- the name is checked
            "AND marked_at < now() - $2 * interval '1 second'",
            self._scope,
            older_than_s,
        )
        return int(status.rpartition(" ")[2])


class RedisOnce:
    """Marks on the bus's server: held while the effect runs, then done.

        once = bus.once("mailing")

        async with once.guard(event.event_id) as first:
            if first:
                await send_mail(...)

    What the block raises gives the mark back, so that the event's next delivery tries again. While somebody else
    holds the mark, `guard` waits. Who holds it and dies loses it after `lease_s`. So the effect happens once,
    unless a program dies in its midst, or is stopped or cut off from the server for `lease_s`.

    Args:
        connection: to the bus's server; `Bus.once` gives it.
        scope: whose effect, without a colon; every effect of an event has a scope of its own.
        lease_s: for so long a mark outlives the last sign of life of who holds it; shorter than the
            configuration's `claim.min_idle_s`, or who takes a dead one's event over has to wait.
        keep_s: for so long it is remembered that it is done.
    """

    def __init__(
        self, connection: Connection, scope: str, *, lease_s: float = LEASE_S, keep_s: float = KEEP_S
    ) -> None:
        if lease_s <= 0 or keep_s <= 0:
            raise ValueError("lease_s and keep_s have to be more than 0")
        self._connection = connection
        self._scope = scope
        self._marks = names.once_of(scope, "")
        self._lease_s = lease_s
        self._keep_s = keep_s

    @contextlib.asynccontextmanager
    async def guard(self, event_id: str) -> AsyncIterator[bool]:
        """Enclose the effect; yields whether it must be done.

        A cancelled block releases its mark, too.

        Raises:
            BusUnavailableError: the server does not answer. After the block: the effect is done, but not marked.
        """
        lease = Lease(self._connection, f"{self._marks}{event_id}", self._lease_s)
        try:
            while (held := await lease.take()) > 0:  # noqa: ASYNC110 -- the event is on the server
                await asyncio.sleep(min(held / 1000, RUNNING_LOOK_S))
        except BaseException:
            # Cancelled, or not answered in time: the server may have granted the mark meanwhile.
            lease.release_soon()
            raise
        if held != HELD:
            yield False
            return
        renewing = asyncio.create_task(lease.keep(), name=f"titan_bus once {self._scope}")
        try:
            yield True
        except BaseException:
            lease.release_soon()
            raise
        else:
            await lease.finish(self._keep_s, DONE_PATIENCE_S)
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])
