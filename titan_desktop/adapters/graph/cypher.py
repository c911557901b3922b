"""The graph's statements, in the openCypher that Ladybug and Neo4j share; the adapters run them.

Lists are indexed from 1 in Ladybug and from 0 in Neo4j, so no statement indexes one: links travel as pairs.
"""

from itertools import pairwise
from pathlib import PurePath
from typing import Any, LiteralString

from titan_desktop.ports.graph import FileNode

Statement = tuple[LiteralString, dict[str, Any]]

FILES: LiteralString = "MATCH (f:File) RETURN count(*) AS n"
FOLDERS: LiteralString = "MATCH (d:Folder) RETURN count(*) AS n"

_FOLDERS_EXIST: LiteralString = "UNWIND $folders AS folder MERGE (:Folder {path: folder})"
_FOLDERS_NEST: LiteralString = (
    "UNWIND $links AS link MATCH (inner:Folder {path: link.inner}), (outer:Folder {path: link.outer})"
    " MERGE (inner)-[:IN_FOLDER]->(outer)"
)
_FILE: LiteralString = (
    "MERGE (f:File {path: $path}) SET f.title = $title, f.kind = $kind, f.modified = $modified"
    " WITH f MATCH (d:Folder {path: $folder}) MERGE (f)-[:IN_FOLDER]->(d)"
)
_REMOVE_FILE: LiteralString = "MATCH (f:File {path: $path}) DETACH DELETE f"
_REMOVE_FILES: LiteralString = "MATCH (f:File) WHERE f.path STARTS WITH $beneath DETACH DELETE f"
_REMOVE_FOLDERS: LiteralString = (
    "MATCH (d:Folder) WHERE d.path = $path OR d.path STARTS WITH $beneath DETACH DELETE d"
)
_NEIGHBOURS: LiteralString = (
    "MATCH (f:File {path: $path})-[:IN_FOLDER]->(:Folder)<-[:IN_FOLDER]-(n:File) WHERE n.path <> $path"
    " WITH n, abs(n.modified - f.modified) AS apart"
    " RETURN n.path AS path, n.title AS title, n.kind AS kind, n.modified AS modified"
    " ORDER BY apart, path LIMIT $limit"
)


def put_folders(folders: tuple[str, ...]) -> tuple[Statement, ...]:
    """Statements that make a chain of folders, outermost first, each inside the one before it."""
    links = [{"outer": outer, "inner": inner} for outer, inner in pairwise(folders)]
    made: Statement = (_FOLDERS_EXIST, {"folders": list(folders)})
    return (made, (_FOLDERS_NEST, {"links": links})) if links else (made,)


def put_file(file: FileNode) -> Statement:
    """The statement that makes or renews a file in its folder, which must exist."""
    values = {"path": file.path, "title": file.title, "kind": file.kind, "modified": file.modified}
    return _FILE, {**values, "folder": str(PurePath(file.path).parent)}


def remove(path: str, *, folder: bool) -> tuple[Statement, ...]:
    """Statements that take out a file, or a folder and all beneath it."""
    statements: tuple[Statement, ...] = ((_REMOVE_FILE, {"path": path}),)
    if folder:
        beneath = str(PurePath(path) / "_")[:-1]
        statements += ((_REMOVE_FILES, {"beneath": beneath}),)
        statements += ((_REMOVE_FOLDERS, {"path": path, "beneath": beneath}),)
    return statements


def neighbours(path: str, limit: int) -> Statement:
    """The statement that returns the columns of FileNode for the files next to one."""
    return _NEIGHBOURS, {"path": path, "limit": limit}


def folders_of(path: str) -> tuple[str, ...]:
    """Return the folders that `path` lies in, outermost first."""
    return tuple(str(parent) for parent in reversed(PurePath(path).parents))
