"""Indexing: the index's events and replies on files.

Topics: `topics.INDEXING`, `topics.INDEXING_REQUESTS`.
"""

from enum import StrEnum
from typing import ClassVar, Generic

import msgspec

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage, R, Request
from titan_desktop.contracts.numbers import Count, Int64


class Outcome(StrEnum):
    """The outcome for a file."""

    INDEXED = "indexed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"
    REMOVED = "removed"
    MOVED = "moved"


class Reason(StrEnum):
    """Why a file was skipped, failed, or was read only in part. The window and the commands have the sentences."""

    NONE = ""
    UNSUPPORTED = "unsupported"
    EMPTY = "empty"
    NO_TEXT = "no_text"
    TOO_LARGE = "too_large"
    ENCRYPTED = "encrypted"
    BROKEN = "broken"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    OUTSIDE = "outside"
    UNREADABLE = "unreadable"
    VANISHED = "vanished"
    NOT_REGULAR = "not_regular"
    CUT = "cut"
    WORDS_MISSING = "words_missing"
    GARBLED = "garbled"
    MEMBERS_LOCKED = "members_locked"
    MEMBERS_UNREAD = "members_unread"
    FORGOTTEN = "forgotten"


# Events


class _Event(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.INDEXING


class FileIndexed(_Event, frozen=True, kw_only=True):
    """The index has processed one file.

    Attributes:
        reason: with INDEXED: why the file was read only in part; NONE if nothing is known to be lost.
        former_path: for MOVED, the former path of the file, or of the folder with everything beneath it.
        job_id: the scan that asked, "" when the watcher saw a change.
        passages: how many were stored.
        size: bytes.
        mtime_ns: when the file was changed, since the epoch; 0 when unknown.
    """

    path: str
    outcome: Outcome
    reason: Reason = Reason.NONE
    detail: str = ""
    passages: Count = 0
    size: Count = 0
    mtime_ns: Int64 = 0
    job_id: str = ""
    former_path: str = ""


class EmbeddingProgress(_Event, frozen=True, kw_only=True):
    """The progress of the vectors: `done` of `total` passages have one of `model`.

    Attributes:
        fault: why none are made now: a code of `contracts.faults.Fault`, `vectors_differ` or `index_unavailable`;
            "" when there is none. `detail` has more about it.
        retry_at: RFC 3339, UTC: the next try, unless settings or key change before.
    """

    model: str
    done: Count
    total: Count
    fault: str = ""
    detail: str = ""
    retry_at: str = ""


# Requests and replies


class _Request(Request[R], Generic[R], frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.INDEXING_REQUESTS


class FileFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A file that could not be read, with INDEXED only in part, and why; it is tried again when it changes."""

    path: str
    outcome: Outcome
    reason: Reason
    detail: str
    at: str


class IndexStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to GetIndexStatus.

    Attributes:
        files: those that can be searched, without failed and skipped ones.
        partial: how many of these were read only in part.
        vectors: how many passages have a vector of the current embedder.
        embedding: the progress and fault of that embedder; None without one.
        waiting: about how many files are still to be read.
    """

    files: int
    passages: int
    failed: int
    skipped: int
    partial: int = 0
    vectors: int = 0
    embedding: EmbeddingProgress | None = None
    waiting: int = 0
    failures: tuple[FileFailure, ...] = ()


class FailurePage(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ListFailures; `more` says that others follow, after `cursor`."""

    failures: tuple[FileFailure, ...]
    more: bool = False
    cursor: str = ""


class ListFailures(_Request[FailurePage], frozen=True, kw_only=True):
    """Files that lack text: the failed, those read in part, the skipped; the newest first.

    `cursor` is that of the previous page; "" requests the first one. The core may return fewer than `limit`.
    """

    limit: int = 200
    cursor: str = ""


class FileDigest(msgspec.Struct, frozen=True, kw_only=True):
    """What the index has of a file. `digest`: the SHA-256, in hex, over those of its passages, in their order."""

    path: str
    digest: str


class DigestPage(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ListDigests; `more` says that others follow, after the last path."""

    files: tuple[FileDigest, ...]
    more: bool = False


class ListDigests(_Request[DigestPage], frozen=True, kw_only=True):
    """Files with passages, by path: whether two states of the index have the same text of each.

    `after`: only paths behind this one; "" requests the first page. The core may return fewer than `limit`.
    """

    after: str = ""
    limit: int = 200


class GetIndexStatus(_Request[IndexStatus], frozen=True, kw_only=True, tag="index_status"):
    """Counts, and the first files of ListFailures."""

    failures_limit: int = 50
