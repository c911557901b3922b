"""The result of an erasure: what was found, what was missing, and which files may still contain some of it."""

from typing import Literal

import msgspec

Place = Literal["stream", "retries", "delayed", "dead_letters", "archive", "snapshot"]
Rewriting = Literal["rewritten", "off", "refused", "failed", "unfinished"]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The number of copies of an event in one place, now erased.

    Attributes:
        event_id: the event.
        topic: the topic of its stream; `errors.dlq` for a dead letter.
        place: `snapshot` is the archive's copy of events that wait for a retry.
        copies: an event may have been published twice under its id, and each group has its own retries.
    """

    event_id: str
    topic: str
    place: Place
    copies: int


class ServerFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one server's files, which contain erased events until they are rewritten.

    Attributes:
        address: the server.
        aof: the append-only file. `off`: there is none; `refused`: the rights or the server do not permit it;
            `unfinished`: it was still being written after a minute.
        snapshot: the same for `dump.rdb`; `off` when the server has written none since its start.
        replicas: the number of its replicas. Their files are not reached: send them BGREWRITEAOF.
    """

    address: str
    aof: Rewriting
    snapshot: Rewriting
    replicas: int


class ErasureReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The result of an erasure.

    Attributes:
        found: the copies by event and place.
        missing: ids found in none of the searched places; in a second run all of them.
        archive: the archive's target; None when there is none.
        unreadable: parts of the archive that could not be read and may contain an event; a sentence each.
        uncompacted: streams that could not be copied, so that the bytes stay in the server's memory and files
            until neighbouring entries are trimmed; a sentence each.
        files: the files of each server.
    """

    found: tuple[Found, ...]
    missing: tuple[str, ...]
    archive: str | None
    unreadable: tuple[str, ...]
    uncompacted: tuple[str, ...]
    files: tuple[ServerFiles, ...]

    @property
    def complete(self) -> bool:
        """Whether no known file contains a copy of what was found."""
        return not (self.unreadable or self.uncompacted) and all(
            {one.aof, one.snapshot} <= {"rewritten", "off"} and not one.replicas for one in self.files
        )
