"""Erases events everywhere: `streams`, `segments`, `compaction` and `files` in an order that tolerates a kill.

Whenever it is killed, an event is either whole or gone in each place, and the same erasure, run again, finishes
the work, because it does not depend on what the former run found. So dead letters are read first and erased last,
since they show that an event may be far from its time; an entry is deleted before its bytes are freed; and the
server's files are rewritten each time, at the end.
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
from titan_bus.request import TRIM_AFTER_S

ANSWERS_READ_S = 2 * TRIM_AFTER_S
"""By then a program that runs has deleted the answers that it was given before."""


class Eraser:
    """Erases events from one server and its archive."""

    def __init__(self, connection: Connection, archive: Archive | None) -> None:
        self._connection = connection
        self._archive = archive
        # The archiver's lease: otherwise it could write back what it has read and not written yet.
        self._lease = Lease(connection, names.ARCHIVE_LEASE)
        self._turn = 0

    async def erase(self, event_ids: Iterable[str], topics: Iterable[str] = ()) -> ErasureReceipt:
        """Erase events for good, and report where they were.

        Until it returns an event may be gone in one place and exist in another. When it has returned:

        - No group, replay, tail, dead letter or restore returns the event. Positions, lags and in-flight entries
          of groups are as if it had never been published; the archiver does not see a loss.
        - A handler that is running on it finishes. Its return has no effect, its failure causes neither a retry
          nor a dead letter. Only in a cluster, where dead letters may be on another node, a handler that fails at
          that moment may leave a dead letter; another erasure removes it.
        - An answer to a request that contains it has been deleted, if the program that asked is running; after one
          that was killed it is deleted within a minute, and its bytes when the files are written the next time.
        - An event published or redriven under its id later is a new event. Effects of handlers stay, and so do the
          marks of `once`, which contain only ids.
        - Its bytes are gone from every file if `receipt.complete` says so: the append-only file is rewritten. Not
          reached are the files of replicas, and former object versions in a bucket with versioning.

        Args:
            event_ids: the events; unknown ones are reported as `missing`.
            topics: where to search beside the dead letters; none for all.

        Raises:
            ArchiveElsewhereError: the server is archived to another target, or to one that is not configured.
            ErasureInterruptedError: this program was suspended for so long that another may archive now.
            StoreError: the archive cannot be read or written.
            BusUnavailableError: the server does not answer.
            ServerRefusedError: the rights are missing.
        """
        wanted, topics = Wanted(event_ids), tuple(topics)
        await self._check_archive()
        async with self._lease.held(wait=True):
            streams = Streams(self._connection, wanted)
            groups = await self._erase(wanted, streams, topics)
            uncompacted = await self._compact(wanted, groups)
        if await streams.has_answers():
            await asyncio.sleep(ANSWERS_READ_S)  # or the files would be written anew with them
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
        """Erase, and return the searched topics with their groups."""
        segments = None if self._archive is None else Segments(self._archive, wanted, self._confirm)
        await streams.find_dead_letters()
        if segments is not None:
            await segments.find_dead_letters()
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
        await streams.erase_dead_letters()
        if segments is not None:
            await self._count()
            await segments.erase_dead_letters()
        return groups

    async def _compact(self, wanted: Wanted, groups: dict[str, set[str]]) -> list[str]:
        """Free the bytes in the streams that had an event; in all of them if one is missing: it may be deleted."""
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
        """Check that the server's archive is configured: events would stay in it otherwise."""
        held = await self._connection.call("GET", names.ARCHIVE_TARGET)
        if held is None:
            return
        identity, _, target = held.decode(errors="replace").partition(" ")
        if self._archive is None:
            raise ArchiveUnnamedError(target, self._connection.key(names.ARCHIVE_TARGET))
        if not self._archive.is_of(identity, target, await self._archive.identity()):
            raise ArchiveElsewhereError(
                target, self._archive.target, self._connection.key(names.ARCHIVE_TARGET)
            )

    async def _count(self) -> None:
        """Count the erasure: a program that lost the lease must not archive what it read before."""
        self._turn = int(await self._connection.call("INCR", names.ARCHIVE_ERASURES))

    async def _confirm(self) -> None:
        if await self._connection.call("GET", names.ARCHIVE_ERASURES) != b"%d" % self._turn:
            raise ErasureInterruptedError
