"""What an erasure answers with: what was found where, what was not found, and what may still lie in some file."""

from typing import Literal

import msgspec

Place = Literal["stream", "retries", "delayed", "dead_letters", "archive", "snapshot"]
Rewriting = Literal["rewritten", "off", "refused", "failed", "unfinished"]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """So many copies of an event were in one place, and are there no more.

    Attributes:
        event_id: whose.
        topic: of the stream that had it; `errors.dlq` for a dead letter.
        place: `snapshot` is what the archive keeps of failed events that wait to be tried again.
        copies: an event may have been published twice under its id, and each group tries its own again.
    """

    event_id: str
    topic: str
    place: Place
    copies: int


class ServerFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the files of one server, which still hold what was erased until they are written anew.

    Attributes:
        address: which.
        aof: the append-only file. `off`: there is none; `refused`: these rights, or this server, do not allow it;
            `unfinished`: it was still being written after a minute.
        snapshot: likewise `dump.rdb`; `off` when the server has written none since it started.
        replicas: how many servers copy this one. Their files are their own: send them BGREWRITEAOF.
    """

    address: str
    aof: Rewriting
    snapshot: Rewriting
    replicas: int


class ErasureReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did.

    Attributes:
        found: what was where.
        missing: the ids that were in none of the places searched, as they all are the second time.
        archive: the archive's place; None when there is none.
        unreadable: what of the archive could not be read, and may hold what was to be erased; a sentence each.
        uncompacted: streams that could not be copied without what was erased, whose bytes so stay in the server's
            memory and files until their neighbours are trimmed; a sentence each.
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
        """Whether no copy of what was found is left in any file that is known of."""
        return not (self.unreadable or self.uncompacted) and all(
            {one.aof, one.snapshot} <= {"rewritten", "off"} and not one.replicas for one in self.files
        )
