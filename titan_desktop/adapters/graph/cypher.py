"""The graph's statements, in the openCypher that Ladybug and Neo4j share; the adapters run them.

Lists are indexed from 1 in Ladybug and from 0 in Neo4j, so no statement indexes one: links travel as pairs.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePath
from typing import Any, LiteralString

from titan_desktop.ports.graph import FileNode

Statement = tuple[LiteralString, dict[str, Any]]

_MODIFIED_MAX = 2**62 - 1
"""The difference of two INT64 has to be one, too: dates from 1823 to 2116, others are the nearest of these."""

FILES: LiteralString = "MATCH (f:File) RETURN count(*) AS n"
FOLDERS: LiteralString = "MATCH (d:Folder) RETURN count(*) AS n"

_FOLDERS_EXIST: LiteralString = "UNWIND $folders AS folder MERGE (:Folder {path: folder})"
_FOLDERS_NEST: LiteralString = (
    "UNWIND $links AS link MATCH (inner:Folder {path: link.inner}), (outer:Folder {path: link.outer})"
    " MERGE (inner)-[:IN_FOLDER]->(outer)"
)
_FILES: LiteralString = (
    "UNWIND $files AS file MERGE (f:File {path: file.path})"
    " SET f.title = file.title, f.kind = file.kind, f.modified = file.modified"
    " WITH f, file MATCH (d:Folder {path: file.folder}) MERGE (f)-[:IN_FOLDER]->(d)"
)
_FILES_AT: LiteralString = (
    "MATCH (f:File) WHERE f.path = $path OR f.path STARTS WITH $beneath"
    " RETURN f.path AS path, f.title AS title, f.kind AS kind, f.modified AS modified"
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


def put_folders(files: Sequence[FileNode]) -> tuple[Statement, ...]:
    """Statements that make the folders that files lie in, each inside the one above it."""
    chains = {chain[-1]: chain for chain in (folders_of(file.path) for file in files)}.values()
    folders = dict.fromkeys(folder for chain in chains for folder in chain)
    nested = dict.fromkeys(pair for chain in chains for pair in pairwise(chain))
    links = [{"outer": outer, "inner": inner} for outer, inner in nested]
    made: Statement = (_FOLDERS_EXIST, {"folders": list(folders)})
    return (made, (_FOLDERS_NEST, {"links": links})) if links else (made,)


def put_files(files: Sequence[FileNode]) -> Statement:
    """The statement that makes or renews files in their folders, which must exist."""
    rows = [
        {
            "path": file.path,
            "title": file.title,
            "kind": file.kind,
            "modified": max(-_MODIFIED_MAX, min(file.modified, _MODIFIED_MAX)),
            "folder": str(PurePath(file.path).parent),
        }
        for file in files
    ]
    return _FILES, {"files": rows}


def files_at(path: str) -> Statement:
    """The statement that returns the columns of FileNode for a file, or for all beneath a folder."""
    return _FILES_AT, {"path": path, "beneath": _beneath(path)}


def moved(files: Sequence[FileNode], old: str, new: str) -> tuple[FileNode, ...]:
    """Return what `files_at` the old path will be at the new one.

    They are made anew there, since Ladybug changes no primary key, and have no relation yet but to their folder.
    """
    paths = [new + file.path[len(old) :] for file in files]
    return tuple(
        replace(file, path=path, title=PurePath(path).name, kind=PurePath(path).suffix.lstrip(".").lower())
        for file, path in zip(files, paths, strict=True)
    )


def remove(path: str, *, folder: bool) -> tuple[Statement, ...]:
    """Statements that take out a file, or a folder and all beneath it."""
    statements: tuple[Statement, ...] = ((_REMOVE_FILE, {"path": path}),)
    if folder:
        beneath = _beneath(path)
        statements += ((_REMOVE_FILES, {"beneath": beneath}),)
        statements += ((_REMOVE_FOLDERS, {"path": path, "beneath": beneath}),)
    return statements


def neighbours(path: str, limit: int) -> Statement:
    """The statement that returns the columns of FileNode for the files next to one."""
    return _NEIGHBOURS, {"path": path, "limit": limit}


def _beneath(path: str) -> str:
    """Return what the paths of everything in a folder begin with."""
    return str(PurePath(path) / "_")[:-1]


def folders_of(path: str) -> tuple[str, ...]:
    """Return the folders that `path` lies in, outermost first."""
    return tuple(str(parent) for parent in reversed(PurePath(path).parents))
