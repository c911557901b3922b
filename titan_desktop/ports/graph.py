"""The graph: folders and the files in them, later people and facts. Rebuilt from the files when it is lost."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from titan_desktop.contracts.problem import Code, Problem


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


class GraphCounts(NamedTuple):
    """The numbers of nodes."""

    files: int
    folders: int


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

    async def counts(self) -> GraphCounts:
        """Count the nodes."""
        ...

    async def product_version(self) -> Product:
        """Return the store's name and version."""
        ...
