"""Files: events of the watcher and the scanner, the command to scan, and whether a source may be opened.

Topics: `topics.FILES_COMMANDS`, `topics.FILES`, `topics.FILES_REQUESTS`.
Paths are absolute and beneath an allowed root; file contents never travel on the bus.
"""

from typing import ClassVar, Generic

import msgspec

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage, R, Request
from titan_desktop.contracts.numbers import Count, Int64

# Commands


class _Command(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.FILES_COMMANDS


class IndexPaths(_Command, frozen=True, kw_only=True):
    """Scan these files and folders (empty: all roots).

    `force` reads unchanged files again. `job_id` is a ULID of the caller.
    """

    job_id: str
    paths: tuple[str, ...] = ()
    force: bool = False


# Events


class _Event(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.FILES


class FileSeen(_Event, frozen=True, kw_only=True):
    """A file exists: new, changed or requested.

    Attributes:
        size: in bytes.
        mtime_ns: since the epoch.
        inode: the file system's number for it, 0 when unknown.
    """

    path: str
    size: Count
    mtime_ns: Int64
    job_id: str = ""
    force: bool = False
    inode: Count = 0


class FileRenamed(_Event, frozen=True, kw_only=True):
    """A file, or with `folder` a folder with everything beneath it, has another path; it may have changed, too.

    Attributes:
        path: where it is now.
        former_path: where it was, and where there is nothing now.
        size: of the file, in bytes, as it is now; as are `mtime_ns` and `inode`.
    """

    path: str
    former_path: str
    folder: bool = False
    size: Count = 0
    mtime_ns: Int64 = 0
    inode: Count = 0
    job_id: str = ""


class FileRemoved(_Event, frozen=True, kw_only=True):
    """A file, or with `folder` everything beneath a folder, is gone."""

    path: str
    folder: bool = False
    job_id: str = ""


class PathRefused(_Event, frozen=True, kw_only=True):
    """A path that was asked for lies outside the roots, or cannot be read. `reason` is a `memory.Reason`."""

    path: str
    reason: str
    job_id: str = ""


class ScanFinished(_Event, frozen=True, kw_only=True):
    """Every file of this job has been published.

    Attributes:
        seen: how many `file_seen` and `file_renamed` events this job published; as many `file_indexed` with its id
            follow, and one for each of its `file_removed`.
        unchanged: files known to the index, by size and time; nothing was published for them.
        failed: how many of those could not be read at that time.
        refused: how many `path_refused` events this job published.
    """

    job_id: str
    seen: Count
    unchanged: Count = 0
    failed: Count = 0
    refused: Count = 0


# Requests and replies


class _Request(Request[R], Generic[R], frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.FILES_REQUESTS


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to LocateSource. Open `path` only when `allowed` and `exists`."""

    path: str
    allowed: bool
    exists: bool


class LocateSource(_Request[Located], frozen=True, kw_only=True):
    """May this path be opened, and is it still there?"""

    path: str


FsEvent = FileSeen | FileRenamed | FileRemoved | PathRefused | ScanFinished
