"""The graph in this process: Ladybug, one database file, one worker thread.

Ladybug is blocking and writes one transaction at a time, so a single thread loses nothing and keeps every
call off the loop. Its errors are all RuntimeError with prose and no code: whether another process holds the
database is therefore asked before, by a lock of our own.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from titan_desktop.adapters.graph import cypher, fact_statements
from titan_desktop.contracts.problem import Code
from titan_desktop.ports.facts import Changes
from titan_desktop.ports.graph import (
    Edge,
    FileNode,
    GraphCounts,
    GraphQueryError,
    GraphUnavailableError,
    Product,
)
from titan_desktop.system.file_lock import FileLock

BUFFER_BYTES = 128 * 2**20
"""Ladybug's own default is 80 % of the machine's memory."""
DATABASE_BYTES_MAX = 2**36
"""Address space set aside, not disk; Ladybug's default of 8 TB cannot be mapped under a container's limit."""
CLOSE_TIMEOUT_S = 5.0
TOLD_S = 86_400.0
"""How long a person is told of a damaged database."""

_FILE = "graph.lbug"
_ASIDE = "damaged"
_FACT = (
    "CREATE REL TABLE IF NOT EXISTS FACT(FROM Entity TO Entity, id STRING, predicate STRING,"
    " valid_from INT64, valid_to INT64, learned_at INT64, confidence DOUBLE)"
)
_HEARD_IN = (
    "CREATE REL TABLE IF NOT EXISTS HEARD_IN(FROM Entity TO Entity, id STRING,"
    " valid_from INT64, valid_to INT64, learned_at INT64)"
)
_TABLES = (
    "CREATE NODE TABLE IF NOT EXISTS Folder(path STRING PRIMARY KEY)",
    "CREATE NODE TABLE IF NOT EXISTS File(path STRING PRIMARY KEY, title STRING, kind STRING, modified INT64)",
    "CREATE REL TABLE IF NOT EXISTS IN_FOLDER(FROM File TO Folder, FROM Folder TO Folder)",
    "CREATE NODE TABLE IF NOT EXISTS Entity(id STRING PRIMARY KEY, kind STRING)",
    "CREATE NODE TABLE IF NOT EXISTS Projection(name STRING PRIMARY KEY, revision INT64)",
    _FACT,
    _HEARD_IN,
)
_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


class LadybugGraph:
    """A Graph in `folder`, which it creates. A damaged database is moved aside, and an empty one made.

    Cancelling a call does not undo it: its transaction ends in the thread, whole.

    Attributes:
        moved_aside: where a damaged database lies that `open` has moved within a day, also in an earlier process,
            which may have ended before anybody asked; None when there was none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "graph.lock")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ladybug")
        self._database: Any = None
        self._connection: Any = None
        self._known_folders: set[str] = set()
        self.moved_aside: Path | None = None

    async def open(self) -> None:
        """Take the lock, open the database and replay what a killed process left in its log."""
        await self._run(self._open)

    async def close(self) -> None:
        """Checkpoint and close; a statement that does not end within a moment is left to the process's end."""
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        await asyncio.wait([closing], timeout=CLOSE_TIMEOUT_S)
        self._thread.shutdown(wait=False)

    async def put_file(self, file: FileNode) -> None:
        """Write the file and those of its folders that this process has not written yet."""
        await self._run(partial(self._put_file, file))

    async def remove(self, path: str, *, folder: bool = False) -> None:
        """Take out a file, or a folder with everything beneath it."""
        await self._run(partial(self._remove, path, folder))

    async def move(self, old: str, new: str) -> None:
        """Make everything anew at the new path and take out the old, in one transaction."""
        await self._run(partial(self._move, old, new))

    async def neighbours(self, path: str, limit: int) -> tuple[FileNode, ...]:
        """Return the files next to this one."""
        rows = await self._run(partial(self._rows, *cypher.neighbours(path, limit)))
        return tuple(FileNode(*row) for row in rows)

    async def revision(self) -> int:
        """Return the revision of the facts."""
        rows = await self._run(partial(self._rows, fact_statements.REVISION))
        return int(rows[0][0]) if rows else 0

    async def apply(self, changes: Changes) -> None:
        """Put and take out entities and facts."""
        await self._run(partial(self._in_transaction, fact_statements.apply(changes)))

    async def clear_facts(self) -> None:
        """Take out all entities and facts."""
        await self._run(partial(self._in_transaction, fact_statements.clear()))

    async def around(
        self, entity_ids: Sequence[str], at: int, limit: int, *, later: bool = False
    ) -> tuple[Edge, ...]:
        """Return the edges of these entities."""
        rows: list[list[Any]] = []
        for statement in fact_statements.around(entity_ids, at, limit, later=later) if entity_ids else ():
            rows += await self._run(partial(self._rows, *statement))
        return fact_statements.edges(rows, limit)

    async def counts(self) -> GraphCounts:
        """Count files, folders and entities."""
        counted = (cypher.FILES, cypher.FOLDERS, fact_statements.ENTITIES)
        return GraphCounts(*[(await self._run(partial(self._rows, one)))[0][0] for one in counted])

    async def product_version(self) -> Product:
        """Ask the library."""
        rows = await self._run(partial(self._rows, "CALL db_version() RETURN *"))
        return Product("Ladybug", str(rows[0][0]))

    async def _run(self, call: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._lock.acquire():
            raise GraphUnavailableError(Code.GRAPH_IN_USE, folder=self._folder)
        try:
            self.moved_aside = self._moved_lately()
            try:
                self._open_database()
            except (RuntimeError, GraphQueryError) as damage:
                self._close_database()
                self._move_aside(damage)
                self._open_database()
        except (RuntimeError, GraphQueryError, OSError) as error:
            self._close()
            reason = str(error).splitlines()[0].rstrip(". ")
            raise GraphUnavailableError(Code.GRAPH_DAMAGED, reason=reason, folder=self._folder) from error

    def _open_database(self) -> None:
        import ladybug  # 0.13 s, so it is imported here, in the thread

        self._database = ladybug.Database(
            self._folder / _FILE,
            buffer_pool_size=BUFFER_BYTES,
            max_db_size=DATABASE_BYTES_MAX,
            max_num_threads=2,
        )
        self._connection = ladybug.Connection(self._database)
        for table in _TABLES:
            self._rows(table)

    def _move_aside(self, damage: Exception) -> None:
        """Make room for a new database; of damaged ones only the newest is kept, to be looked into.

        Raises:
            OSError: it cannot be moved; on a full disk opening fails again.
        """
        aside = self._folder / _ASIDE
        aside.mkdir(mode=0o700, exist_ok=True)
        for former in aside.iterdir():
            former.unlink()
        for part in self._folder.glob(f"{_FILE}*"):
            part.rename(aside / part.name)
        self.moved_aside = aside
        _log.warning("the graph is damaged and made anew; the damaged one is in %s: %s", aside, damage)

    def _moved_lately(self) -> Path | None:
        aside = self._folder / _ASIDE
        try:
            return aside if time.time() - aside.stat().st_mtime < TOLD_S else None
        except FileNotFoundError:
            return None

    def _close(self) -> None:
        self._close_database()
        self._lock.release()

    def _close_database(self) -> None:
        for handle in (self._connection, self._database):
            if handle is not None:
                handle.close()
        self._connection = self._database = None
        self._known_folders.clear()

    def _put_file(self, file: FileNode) -> None:
        folders = cypher.folders_of(file.path)
        new = folders[-1] not in self._known_folders
        self._in_transaction((*(cypher.put_folders([file]) if new else ()), cypher.put_files([file])))
        self._known_folders.update(folders)

    def _remove(self, path: str, folder: bool) -> None:  # noqa: FBT001  # a partial of the public keyword
        if folder:
            self._known_folders.clear()
        self._in_transaction(cypher.remove(path, folder=folder))

    def _move(self, old: str, new: str) -> None:
        files = [FileNode(*row) for row in self._rows(*cypher.files_at(old))]
        moved = cypher.moved(files, old, new)
        self._known_folders.clear()
        put = (*cypher.put_folders(moved), cypher.put_files(moved)) if moved else ()
        self._in_transaction((*put, *cypher.remove(old, folder=True)))

    def _in_transaction(self, statements: tuple[cypher.Statement, ...]) -> None:
        self._rows("BEGIN TRANSACTION")
        try:
            for statement in statements:
                self._rows(*statement)
        except BaseException:
            self._rows("ROLLBACK")
            raise
        self._rows("COMMIT")

    def _rows(self, statement: str, values: dict[str, Any] | None = None) -> list[list[Any]]:
        if self._connection is None:
            raise GraphUnavailableError(Code.GRAPH_NOT_OPEN)
        try:
            result = self._connection.execute(statement, values)
            try:
                return list(result.get_all())
            finally:
                result.close()
        except RuntimeError as error:
            raise GraphQueryError("", str(error)) from error
