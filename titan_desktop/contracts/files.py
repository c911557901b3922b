"""Files: events of the watcher and the scanner, the command to scan, and requests to look at folders and files.

Topics: `topics.FILES_COMMANDS`, `topics.FILES`, `topics.FILES_REQUESTS`.
Paths are absolute and beneath an allowed root. Contents travel in the replies to ReadFile alone, a page at a time.
"""

from enum import StrEnum
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


class SortBy(StrEnum):
    """The order of a listing: folders before files, then by this."""

    NAME = "name"
    MODIFIED = "modified"
    SIZE = "size"


class FolderEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A folder or a file in a listing.

    Attributes:
        kind: the extension in lower case without its dot; "" for a folder.
        size: in bytes; 0 for a folder.
        modified_ns: since the epoch.
    """

    name: str
    is_folder: bool = False
    kind: str = ""
    size: Count = 0
    modified_ns: Int64 = 0


class FolderPage(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ListFolder.

    Attributes:
        path: of the folder, in the spelling of the index; "" for the list of roots, whose names are whole paths.
        total: how many entries the folder has.
        next_cursor: where the next page begins, "" at the end.
    """

    path: str
    entries: tuple[FolderEntry, ...]
    total: Count
    next_cursor: str = ""


class ListFolder(_Request[FolderPage], frozen=True, kw_only=True):
    """A page of a folder; links, devices and names that are not UTF-8 are left out.

    Refused with a `Reason`, or with `not_found` for a cursor that is none.

    Attributes:
        path: "" lists the roots that can be read.
        hidden: also what the index leaves out: hidden, temporary and programs' own files.
    """

    path: str = ""
    limit: int = 200
    cursor: str = ""
    sort_by: SortBy = SortBy.NAME
    descending: bool = False
    hidden: bool = False


class FileText(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ReadFile: a page of a text file.

    Attributes:
        encoding: as Python's codecs name it; what it cannot decode is U+FFFD in `text`.
        size: of the file, in bytes.
        next_offset: where the next page begins, 0 at the end.
    """

    path: str
    text: str
    encoding: str
    size: Count
    next_offset: Count = 0


class ReadFile(_Request[FileText], frozen=True, kw_only=True):
    """A page of a text file, as long as one event holds; refused with a `Reason`, or with `not_text`.

    Attributes:
        offset: in bytes, 0 or a `next_offset`.
        encoding: of the pages before; "" to have it told by the beginning of the file.
    """

    path: str
    offset: Count = 0
    encoding: str = ""


FsEvent = FileSeen | FileRenamed | FileRemoved | PathRefused | ScanFinished
