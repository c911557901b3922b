"""Has PostgreSQL write its tables, statistics and log anew, so that no file contains deleted rows any more.

DELETE leaves a row's bytes in its page, ANALYZE has copied some values into `pg_statistic`, and the write-ahead
log contains another copy of all of it. `erasures` calls this; nobody else.

PostgreSQL manual: VACUUM, CHECKPOINT, "WAL Configuration", `wal_recycle`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

LOCK_PATIENCE = "2s"
"""Everybody else would wait behind a request for the table's lock."""
TIMEOUT_S = 600.0
"""A table is written anew, 100,000 messages in two seconds."""

# What keeps segments of the log that are not needed any more, with the old bytes in them.
_KEPT_BY = """
    SELECT name FROM pg_settings
    WHERE (name = 'wal_recycle' AND setting <> 'off') OR (name = 'archive_mode' AND setting <> 'off')
        OR (name = 'wal_keep_size' AND setting <> '0')
    UNION ALL
    SELECT 'replication slot ' || slot_name FROM pg_replication_slots
"""


async def rewrite(connection: "PoolConnectionProxy", tables: Sequence[str]) -> str:
    """Write these tables anew and drop the log up to here. Returns why copies may be left, "" if none are.

    Each table is locked while it is written. Repeating it after a kill is harmless.

    Raises:
        asyncpg.LockNotAvailableError: somebody used a table for longer than `LOCK_PATIENCE`.
    """
    await connection.execute(f"SET lock_timeout = '{LOCK_PATIENCE}'")  # until the pool resets the connection
    for table in tables:
        await connection.execute(f"VACUUM (FULL, ANALYZE) {table}", timeout=TIMEOUT_S)
    try:
        for statement in ("VACUUM FULL pg_catalog.pg_statistic", "SELECT pg_switch_wal()", "CHECKPOINT"):
            await connection.execute(statement, timeout=TIMEOUT_S)
    except asyncpg.InsufficientPrivilegeError as error:
        return f"the role may not drop the statistics or the log: {error}"
    return ", ".join(row["name"] for row in await connection.fetch(_KEPT_BY))
