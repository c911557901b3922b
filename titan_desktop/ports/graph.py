"""The graph: folders and the files in them, people, things, and the facts between them.

It is made of the index and of the facts' store, and made anew from them when it is lost. Of facts it has ids,
codes and times, so that forgetting has no words to erase in it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.ports.facts import Changes


class GraphError(Exception):
    """The root of a graph's errors.

    GraphError
    ├── GraphUnavailableError   the person's environment: locked, unreachable, refused
    └── GraphQueryError         our own bug: the store rejected a statement
    """


class GraphUnavailableError(GraphError):
    """The store cannot be used.

    Attributes:
        problem: the reason; never a password.
    """

    def __init__(self, code: Code, **fields: object) -> None:
        self.problem = Problem(code, {name: str(value) for name, value in fields.items()})
        super().__init__(str(self.problem))


class GraphQueryError(GraphError):
    """The store refused a statement of ours. `code` is the driver's, "" where it has none."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.code = code


@dataclass(frozen=True, slots=True)
class FileNode:
    """A file in the graph. `modified` in nanoseconds since the epoch, 0 when unknown."""

    path: str
    title: str
    kind: str
    modified: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """A fact between two entities, or with the predicate "origin" where a fact about one is from.

    Attributes:
        valid_from: in milliseconds since 1970, as is `valid_to`; see `ports.facts.Link`.
    """

    fact_id: str
    from_id: str
    to_id: str
    predicate: str
    valid_from: int
    valid_to: int


class GraphCounts(NamedTuple):
    """The numbers of nodes."""

    files: int
    folders: int
    entities: int = 0


class Product(NamedTuple):
    """The store's name and version: `("Neo4j", "5.26.25")`."""

    name: str
    version: str


class Graph(Protocol):
    """All calls may raise GraphError. Paths are absolute; putting or removing twice is the same as once."""

    async def open(self) -> None:
        """Connect, and declare tables and constraints where they are new.

        Raises:
            GraphUnavailableError: locked by another process, unreachable, wrong password …
        """
        ...

    async def close(self) -> None:
        """Close the store; never raises for a store that is gone."""
        ...

    async def put_file(self, file: FileNode) -> None:
        """Add a file, its folder and all folders up to the root, atomically."""
        ...

    async def remove(self, path: str, *, folder: bool = False) -> None:
        """Remove a file, or with `folder` a folder and everything beneath it."""
        ...

    async def move(self, old: str, new: str) -> None:
        """Give a file, or a folder with everything beneath it, another path; where there is none, do nothing."""
        ...

    async def neighbours(self, path: str, limit: int) -> tuple[FileNode, ...]:
        """Return the other files of the same folder, those changed at about the same time first."""
        ...

    async def revision(self) -> int:
        """Return up to which revision the facts are in it, 0 for none."""
        ...

    async def apply(self, changes: Changes) -> None:
        """Bring the facts to another revision, atomically; the same changes twice are as once."""
        ...

    async def clear_facts(self) -> None:
        """Take out all entities and facts, atomically."""
        ...

    async def around(
        self, entity_ids: Sequence[str], at: int, limit: int, *, later: bool = False
    ) -> tuple[Edge, ...]:
        """Return the edges that hold at a time and begin or end at one of these, those learned last first.

        Args:
            entity_ids: the entities.
            at: in milliseconds since 1970.
            limit: the most edges.
            later: those too that begin only after that time.
        """
        ...

    async def counts(self) -> GraphCounts:
        """Count the nodes."""
        ...

    async def product_version(self) -> Product:
        """Return the store's name and version."""
        ...


class OpenGraph:
    """The graph while it is open: others work without it, and with it as soon as it is there."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._is_open = asyncio.Event()

    def now(self) -> Graph | None:
        """Return the graph, None while there is none."""
        return self._graph

    async def opened(self) -> Graph:
        """Wait for the graph."""
        while self._graph is None:
            await self._is_open.wait()
        return self._graph

    def use(self, graph: Graph) -> None:
        """Take an opened graph."""
        self._graph = graph
        self._is_open.set()

    def drop(self) -> None:
        """Use it no more, because it is going to be closed."""
        self._graph = None
        self._is_open.clear()
