"""The graph in a Neo4j 5, over Bolt: Docker's or somebody else's server."""

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

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

if TYPE_CHECKING:
    from neo4j import AsyncDriver, AsyncManagedTransaction

CONNECT_TIMEOUT_S = 10.0
RETRY_TIMEOUT_S = 15.0
CLOSE_TIMEOUT_S = 5.0

_CONSTRAINTS = (
    "CREATE CONSTRAINT titan_file_path IF NOT EXISTS FOR (f:File) REQUIRE f.path IS UNIQUE",
    "CREATE CONSTRAINT titan_folder_path IF NOT EXISTS FOR (d:Folder) REQUIRE d.path IS UNIQUE",
    "CREATE CONSTRAINT titan_entity_id IF NOT EXISTS FOR (e:Entity) REQUIRE e.id IS UNIQUE",
    "CREATE CONSTRAINT titan_projection_name IF NOT EXISTS FOR (p:Projection) REQUIRE p.name IS UNIQUE",
    "CREATE INDEX titan_fact_id IF NOT EXISTS FOR ()-[f:FACT]-() ON (f.id)",
    "CREATE INDEX titan_heard_in_id IF NOT EXISTS FOR ()-[f:HEARD_IN]-() ON (f.id)",
)
_PROBLEMS = {
    "Neo.ClientError.Security.Unauthorized": Code.GRAPH_PASSWORD,
    "Neo.ClientError.Security.AuthenticationRateLimit": Code.GRAPH_BLOCKED,
    "Neo.ClientError.Security.Forbidden": Code.GRAPH_RIGHTS,
    "Neo.ClientError.Security.CredentialsExpired": Code.GRAPH_EXPIRED,
    "Neo.ClientError.Database.DatabaseNotFound": Code.GRAPH_DATABASE,
}
"""Codes that speak of the person's environment, not of a statement of ours."""
_Result = TypeVar("_Result")


class Neo4jGraph:
    """A Graph at `url`: `bolt://[user:password@]host:port[/database]`, or `neo4j+s://…` for TLS and clusters.

    Transient errors (deadlocks, a leader that moves, a server that restarts) are retried for RETRY_TIMEOUT_S.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._is_sound = _is_sound(parts)
        self._address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._database = parts.path.strip("/") or None
        self._driver: AsyncDriver | None = None

    async def open(self) -> None:
        """Connect, authenticate and create the constraints."""
        # 0.4 s of import: beside the loop.
        neo4j = await asyncio.to_thread(importlib.import_module, "neo4j")
        self._driver = self._make_driver(neo4j)
        try:
            await self._translated(self._driver.verify_connectivity)
            for constraint in _CONSTRAINTS:
                await self._write((constraint, {}))
        except BaseException:
            await self.close()
            raise

    async def look(self) -> None:
        """Ask the server for a sign of life. It waits as long as the driver does: bound it.

        Raises:
            GraphUnavailableError: there is none.
        """
        await self._translated(self._opened.verify_connectivity)

    def _make_driver(self, neo4j: ModuleType) -> "AsyncDriver":
        if self._is_sound:
            with contextlib.suppress(ValueError, neo4j.exceptions.ConfigurationError):
                driver: AsyncDriver = neo4j.AsyncGraphDatabase.driver(
                    self._address,
                    auth=self._auth,
                    connection_timeout=CONNECT_TIMEOUT_S,
                    connection_acquisition_timeout=CONNECT_TIMEOUT_S,
                    max_transaction_retry_time=RETRY_TIMEOUT_S,
                    notifications_min_severity="OFF",
                )
                return driver
        raise GraphUnavailableError(Code.GRAPH_ADDRESS, address=self._address)

    async def close(self) -> None:
        """Close the connections, within a moment."""
        driver, self._driver = self._driver, None
        if driver is not None:
            closing = asyncio.ensure_future(driver.close())
            await asyncio.wait([closing], timeout=CLOSE_TIMEOUT_S)

    async def put_file(self, file: FileNode) -> None:
        """Write the file and its folders in one transaction."""
        await self._write(*cypher.put_folders([file]), cypher.put_files([file]))

    async def remove(self, path: str, *, folder: bool = False) -> None:
        """Take out a file, or a folder with everything beneath it."""
        await self._write(*cypher.remove(path, folder=folder))

    async def move(self, old: str, new: str) -> None:
        """Make everything anew at the new path and take out the old, in one transaction."""
        files = [FileNode(*row) for row in await self._read(cypher.files_at(old))]
        moved = cypher.moved(files, old, new)
        put = (*cypher.put_folders(moved), cypher.put_files(moved)) if moved else ()
        await self._write(*put, *cypher.remove(old, folder=True))

    async def neighbours(self, path: str, limit: int) -> tuple[FileNode, ...]:
        """Return the files next to this one."""
        return tuple(FileNode(*row) for row in await self._read(cypher.neighbours(path, limit)))

    async def revision(self) -> int:
        """Return the revision of the facts."""
        rows = await self._read((fact_statements.REVISION, {}))
        return int(rows[0][0]) if rows else 0

    async def apply(self, changes: Changes) -> None:
        """Put and take out entities and facts."""
        await self._write(*fact_statements.apply(changes))

    async def clear_facts(self) -> None:
        """Take out all entities and facts."""
        await self._write(*fact_statements.clear())

    async def around(
        self, entity_ids: Sequence[str], at: int, limit: int, *, later: bool = False
    ) -> tuple[Edge, ...]:
        """Return the edges of these entities."""
        rows: list[list[Any]] = []
        for statement in fact_statements.around(entity_ids, at, limit, later=later) if entity_ids else ():
            rows += await self._read(statement)
        return fact_statements.edges(rows, limit)

    async def counts(self) -> GraphCounts:
        """Count files, folders and entities."""
        counted = (cypher.FILES, cypher.FOLDERS, fact_statements.ENTITIES)
        return GraphCounts(*[(await self._read((one, {})))[0][0] for one in counted])

    async def product_version(self) -> Product:
        """Ask the server."""
        rows = await self._read(("CALL dbms.components() YIELD name, versions RETURN name, versions[0]", {}))
        name, version = rows[0]
        return Product(str(name).removesuffix(" Kernel"), str(version))

    async def _write(self, *statements: cypher.Statement) -> None:
        async def work(transaction: "AsyncManagedTransaction") -> None:
            for statement, values in statements:
                await (await transaction.run(statement, values)).consume()

        async def run() -> None:
            async with self._opened.session(database=self._database) as session:
                await session.execute_write(work)

        await self._translated(run)

    async def _read(self, statement: cypher.Statement) -> list[list[Any]]:
        async def work(transaction: "AsyncManagedTransaction") -> list[list[Any]]:
            return [record.values() async for record in await transaction.run(*statement)]

        async def run() -> list[list[Any]]:
            async with self._opened.session(database=self._database) as session:
                return await session.execute_read(work)

        return await self._translated(run)

    @property
    def _opened(self) -> "AsyncDriver":
        if self._driver is None:
            raise GraphUnavailableError(Code.GRAPH_NOT_OPEN)
        return self._driver

    async def _translated(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        from neo4j.exceptions import DriverError, Neo4jError

        try:
            return await call()
        except Neo4jError as error:
            code = error.code or ""
            if problem := _PROBLEMS.get(code):
                raise GraphUnavailableError(problem, address=self._address) from error
            if error.is_retryable():  # still failing after RETRY_TIMEOUT_S
                raise GraphUnavailableError(Code.GRAPH_BUSY, address=self._address, reason=code) from error
            raise GraphQueryError(code, error.message or "") from error
        except (DriverError, OSError) as error:
            raise GraphUnavailableError(
                Code.GRAPH_UNREACHABLE, address=self._address, reason=type(error).__name__
            ) from error


def _is_sound(url: SplitResult) -> bool:
    """Say whether the driver can make sense of the address; it finds a bad port out only when it connects."""
    try:
        return url.scheme.startswith(("bolt", "neo4j")) and bool(url.hostname) and url.port != 0
    except ValueError:  # the port is no number
        return False
