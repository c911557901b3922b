"""`ports.forgotten_texts.ForgottenTexts` in PostgreSQL, over the tables of `passages` and `vectors`."""

import asyncpg

from titan_desktop.adapters.postgres import postings, rewriting
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.adapters.postgres.passages import BENEATH, WRITER_LOCK, beneath
from titan_desktop.contracts.indexing import Outcome, Reason
from titan_desktop.ports.forgotten_texts import TakenOut
from titan_desktop.ports.passages import IndexUnavailableError

AT_ONCE = 100
"""Files that are taken out in one transaction."""
TABLES = ("files", "passages", "terms", "postings", "packed_postings", "vectors", "gone_texts")
"""What had words of a file in it, or what words can be guessed from."""

_FORGOTTEN = f"outcome = '{Outcome.SKIPPED}' AND reason = '{Reason.FORGOTTEN}'"
_NEXT = f"SELECT id FROM files WHERE ({BENEATH}) AND NOT ({_FORGOTTEN}) LIMIT {AT_ONCE}"
_MARK = f"""
    UPDATE files SET outcome = '{Outcome.SKIPPED}', reason = '{Reason.FORGOTTEN}', detail = '', event_id = '',
        indexed_at = now()
    WHERE id = ANY($1::bigint[])
"""
_DROP_VECTORS = """
    DELETE FROM vectors WHERE digest = ANY($1::bytea[])
        AND NOT EXISTS (SELECT FROM passages WHERE passages.digest = vectors.digest OFFSET 0)
"""


class PostgresForgottenTexts:
    """`ForgottenTexts` over a pool, with the migrations of `passages` and `vectors` applied."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, path: str) -> TakenOut:
        """See `ForgottenTexts.forget`. A folder goes in several steps; cancelled in between, the rest stays."""
        files = passages = vectors = 0
        while True:
            with translated():
                async with self._database.pool.acquire() as connection, connection.transaction():
                    await connection.execute("SELECT pg_advisory_xact_lock($1)", WRITER_LOCK)
                    ids = [row["id"] for row in await connection.fetch(_NEXT, *beneath(path))]
                    texts = await connection.fetch(
                        "SELECT digest FROM passages WHERE file_id = ANY($1::bigint[])", ids
                    )
                    digests = list({row["digest"] for row in texts})
                    await postings.take_out(connection, ids)
                    await connection.execute(_MARK, ids)
                    dropped = await connection.execute(_DROP_VECTORS, digests)
            files += len(ids)
            passages += len(texts)
            vectors += int(dropped.rpartition(" ")[2])
            if len(ids) < AT_ONCE:
                return TakenOut(files, passages, vectors)

    async def rewrite(self) -> str:
        """See `ForgottenTexts.rewrite`."""
        with translated():
            async with self._database.pool.acquire() as connection:
                try:
                    return await rewriting.rewrite(connection, TABLES)
                except asyncpg.LockNotAvailableError as error:
                    raise IndexUnavailableError(str(error)) from error

    async def permit(self, path: str) -> int:
        """See `ForgottenTexts.permit`."""
        with translated():
            done: str = await self._database.pool.execute(
                f"DELETE FROM files WHERE ({BENEATH}) AND {_FORGOTTEN}", *beneath(path)
            )
        return int(done.rpartition(" ")[2])
