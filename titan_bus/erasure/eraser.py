"""Erases events everywhere: `streams`, `segments`, `compaction` and `files` in an order that bears a kill.

Before whatever step it is killed, an event is there whole or gone in each place, and the same erasure, asked for
again, finishes the work: it does not go by what the one before had found. So letters are looked at first and taken
last, since they tell that an event may lie far from its time; an entry is deleted before its bytes go; and the
files are written anew each time, at the end.
"""

import asyncio
from collections.abc import Iterable

from titan_bus import names
from titan_bus.archive.archive import Archive
from titan_bus.connections.connection import Connection
from titan_bus.entry_id import FIRST
from titan_bus.erasure import files
from titan_bus.erasure.compaction import compact
from titan_bus.erasure.receipt import ErasureReceipt
from titan_bus.erasure.segments import Segments
from titan_bus.erasure.streams import Streams
from titan_bus.erasure.wanted import Wanted
from titan_bus.errors import ArchiveElsewhereError, ArchiveUnnamedError, ErasureInterruptedError
from titan_bus.lease import Lease


class Eraser:
    """Erases from one server, and from its archive."""

    def __init__(self, connection: Connection, archive: Archive | None) -> None:
        self._connection = connection
        self._archive = archive
        # The archiver's own: what it has read and not written yet would come back otherwise.
        self._lease = Lease(connection, names.ARCHIVE_LEASE)
        self._turn = 0

    async def erase(self, event_ids: Iterable[str], topics: Iterable[str] = ()) -> ErasureReceipt:
        """Erase events for good, and say what was where.

        Until it returns an event may be gone in one place and there in another. When it has returned:

        - Nothing gives the event any more: no group, replay, tail, dead letter or restore. Places, lags and what
          else the groups have in hand are as if it had never been published; for the archiver it is no loss.
        - A handler that has it in hand goes on to its end. That it returns tells nobody anything, that it fails
          brings nothing back, neither a retry nor a dead letter. Only in a cluster, where a dead letter has a
          server of its own, may one that fails in that very moment leave a letter; erasing again takes it.
        - An answer to a request that tells of it is gone from the server a moment after it is read.
        - What is published or given back under its id from then on is a new event. What handlers made of it is
          theirs to take back. The marks of `once` stay: they hold ids alone.
        - Its bytes are gone from every file if `receipt.complete` says so: the append-only file is written anew.
          Out of reach are the files of replicas, and what a bucket with versioning keeps of former objects.

        Args:
            event_ids: which; those that are nowhere are told as `missing`.
            topics: where to look beside the dead letters; none for all.

        Raises:
            ArchiveElsewhereError: the server is archived to another target, or to one that is not named.
            ErasureInterruptedError: this program stood still for so long that another may archive now.
            StoreError: the archive cannot be read or written.
            BusUnavailableError: the server does not answer.
            ServerRefusedError: it does not let us.
        """
        wanted, topics = Wanted(event_ids), tuple(topics)
        await self._check_archive()
        async with self._lease.held(wait=True):
            streams = Streams(self._connection, wanted)
            groups = await self._erase(wanted, streams, topics)
            uncompacted = await self._compact(wanted, groups)
        written = await asyncio.gather(*(files.rewrite(node) for node in self._connection.nodes()))
        return ErasureReceipt(
            found=wanted.found(),
            missing=tuple(wanted.missing),
            archive=None if self._archive is None else self._archive.target,
            unreadable=tuple(dict.fromkeys(wanted.unreadable)),
            uncompacted=tuple(uncompacted),
            files=tuple(written),
        )

    async def _erase(self, wanted: Wanted, streams: Streams, topics: tuple[str, ...]) -> dict[str, set[str]]:
        """Erase, and return what was searched: topics with their groups."""
        segments = None if self._archive is None else Segments(self._archive, wanted, self._confirm)
        await streams.see_letters()
        if segments is not None:
            await segments.see_letters()
        groups = await streams.waiting(topics)
        for topic in groups:
            groups[topic] = await streams.erase(topic, groups[topic], wanted.earliest)
        kept = await self._kept(topics)
        if segments is not None:
            await self._count()
            await segments.erase(kept)
        if set(wanted.missing) - wanted.strayed and wanted.earliest > FIRST:
            for topic, some in groups.items():
                await streams.erase(topic, some, FIRST)
        if segments is not None and (wanted.missing or wanted.strayed):
            await self._count()
            await segments.erase(kept, everywhere=True)
        await streams.erase_letters()
        if segments is not None:
            await self._count()
            await segments.erase_letters()
        return groups

    async def _compact(self, wanted: Wanted, groups: dict[str, set[str]]) -> list[str]:
        """Give back the bytes in the streams that had something; in all if one is missing, as it may have been."""
        streams = [names.DEAD_LETTERS]
        for topic, some in groups.items():
            if wanted.missing or topic in wanted.topics:
                streams += [
                    names.stream_of(topic),
                    *(names.retries_of(group, topic) for group in sorted(some)),
                ]
        return [reason for stream in streams if (reason := await compact(self._connection, stream))]

    async def _kept(self, topics: tuple[str, ...]) -> list[str]:
        if self._archive is None:
            return []
        streams = list(map(names.stream_of, topics)) or await self._archive.streams()
        return [stream for stream in streams if stream != names.DEAD_LETTERS]

    async def _check_archive(self) -> None:
        """See that no archive is left out: what is erased would stay there."""
        held = await self._connection.call("GET", names.ARCHIVE_TARGET)
        if held is None:
            return
        identity, _, target = held.decode(errors="replace").partition(" ")
        if self._archive is None:
            raise ArchiveUnnamedError(target, names.ARCHIVE_TARGET)
        if not self._archive.is_of(identity, target, await self._archive.identity()):
            raise ArchiveElsewhereError(target, self._archive.target, names.ARCHIVE_TARGET)

    async def _count(self) -> None:
        """Keep whoever stood still and lost the lease from writing to the archive what it read before."""
        self._turn = int(await self._connection.call("INCR", names.ARCHIVE_ERASURES))

    async def _confirm(self) -> None:
        if await self._connection.call("GET", names.ARCHIVE_ERASURES) != b"%d" % self._turn:
            raise ErasureInterruptedError
