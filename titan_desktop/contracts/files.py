"""Files: what the watcher and the scanner say, the command to scan, and where a source may be opened.

Topics: events and commands on `topics.FS`, requests on `topics.FS_REQUESTS`.
Paths are absolute and lie beneath an allowed root; file contents never travel on the bus.
"""

import msgspec

# Commands


class IndexPaths(msgspec.Struct, frozen=True, kw_only=True, tag="index_paths", tag_field="type"):
    """Scan these files and folders (empty: all roots).

    `force` reads unchanged files again. `job_id` is a ULID of the caller's.
    """

    job_id: str
    paths: tuple[str, ...] = ()
    force: bool = False


# Events


class FileSeen(msgspec.Struct, frozen=True, kw_only=True, tag="file_seen", tag_field="type"):
    """A file is there, new or changed or asked for. `size` in bytes, `mtime_ns` since the epoch."""

    path: str
    size: int
    mtime_ns: int
    job_id: str = ""
    force: bool = False


class FileRemoved(msgspec.Struct, frozen=True, kw_only=True, tag="file_removed", tag_field="type"):
    """A file, or with `folder` everything beneath a folder, is no longer there."""

    path: str
    folder: bool = False
    job_id: str = ""


class PathRefused(msgspec.Struct, frozen=True, kw_only=True, tag="path_refused", tag_field="type"):
    """A path that was asked for lies outside the roots, or cannot be read. `reason` is a `memory.Reason`."""

    path: str
    reason: str
    job_id: str = ""


class ScanFinished(msgspec.Struct, frozen=True, kw_only=True, tag="scan_finished", tag_field="type"):
    """Every file of this job has been said.

    Attributes:
        seen: how many `file_seen` events this job published; as many `file_indexed` with its id follow, and one
            for each of its `file_removed`.
        unchanged: files that the index knows already, by size and time; nothing was published for them.
        failed: how many of those could not be read when they were.
        refused: how many `path_refused` events this job published.
    """

    job_id: str
    seen: int
    unchanged: int = 0
    failed: int = 0
    refused: int = 0


# Requests


class LocateSource(msgspec.Struct, frozen=True, kw_only=True, tag="locate_source", tag_field="type"):
    """May this path be opened, and is it still there? -> Located."""

    path: str


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to LocateSource. Open `path` only when `allowed` and `exists`."""

    path: str
    allowed: bool
    exists: bool


Command = IndexPaths
Request = LocateSource
FsEvent = FileSeen | FileRemoved | PathRefused | ScanFinished
