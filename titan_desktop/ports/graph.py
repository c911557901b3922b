"""The graph: folders and the files in them, later people and facts. Rebuilt from the files when it is lost."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from titan_desktop.contracts.problem import Code, Problem


class GraphError(Exception):
    """The root of what a graph raises.

    GraphError
    ├── GraphUnavailableError   the person's environment: locked, unreachable, refused
    └── GraphQueryError         our own bug: the store did not understand us
    """


class GraphUnavailableError(GraphError):
    """The store cannot be used.

    Attributes:
        problem: what is in the way; never a password.
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
    """A file as the graph knows it. `modified` in nanoseconds since the epoch, 0 when unknown."""

    path: str
    title: str
    kind: str
    modified: int = 0


class GraphCounts(NamedTuple):
    """How many nodes there are."""

    files: int
    folders: int


class Product(NamedTuple):
    """What the store calls itself: `("Neo4j", "5.26.25")`."""

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
        """Give the store back; never raises for a store that is gone."""
        ...

    async def put_file(self, file: FileNode) -> None:
        """Say that a file exists, in its folder, which is in its folder, up to the root; all of it or nothing."""
        ...

    async def remove(self, path: str, *, folder: bool = False) -> None:
        """Take out a file, or with `folder` a folder and everything beneath it."""
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
        """Ask the store what it is."""
        ...
