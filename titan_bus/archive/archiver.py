"""Writes new entries of the streams to the archive at intervals, and applies the retention.

A consumer group (`names.ARCHIVE_GROUP`) stores the archive's position in each stream, so trimming never overtakes
it and its lag is a metric. The position moves when the segment is durable. One archiver works at a time (`lease`);
two at once would write some entries twice, which readers tolerate. A key on the server names the archive that the
positions belong to.
"""

import asyncio
import logging
import time
from typing import Any, NamedTuple

import msgspec

from titan_bus import names
from titan_bus.archive import snapshot, target
from titan_bus.archive.archive import Archive, SnapshotName
from titan_bus.archive.retention import retain
from titan_bus.archive.segment import SegmentWriter
from titan_bus.config import ArchiveConfig
from titan_bus.connections.connection import Connection
from titan_bus.entry_id import FIRST, EntryId
from titan_bus.errors import (
    BusError,
    BusOverloadedError,
    BusUnavailableError,
    ServerRefusedError,
)
from titan_bus.inspection import Inspection
from titan_bus.lease import Lease
from titan_bus.observability.counters import Counters

PAGE = 1_000
SEGMENT_BYTES = 32 * 1024 * 1024
"""Before compression. A segment is read whole, so this bounds a reader's memory."""

logger = logging.getLogger("titan_bus")


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a round: entries and segments written, their bytes, and segments removed."""

    entries: int = 0
    segments: int = 0
    bytes: int = 0
    removed: int = 0


class Place(NamedTuple):
    """The position at which to continue in a stream.

    Attributes:
        after: the last archived entry.
        read: how many entries there were up to it; None when unknown.
        lost: the end of the archive, when the server has lost entries up to it.
    """

    after: EntryId
    read: int | None
    lost: EntryId | None = None


class Archiver:
    """Archives the streams of one server.

    Attributes:
        failure: what keeps `keep` from archiving; None when its last round went well.
    """

    def __init__(
        self, connection: Connection, archive: Archive, config: ArchiveConfig, counters: Counters
    ) -> None:
        self._connection = connection
        self._archive = archive
        self._config = config
        self._counters = counters
        self._lease = Lease(connection, names.ARCHIVE_LEASE)
        self._done = names.archive_done(config.topics, config.every_s)
        self._newest: dict[str, EntryId] = {}
        self.failure: BusError | None = None

    async def archive_if_due(self) -> None:
        """Archive if no program did within `every_s`, then wait. The caller repeats it.

        A failure is counted, and logged once until it changes.
        """
        try:
            done = await self._connection.call("EXISTS", self._done)
            if not done:
                async with self._lease.held(wait=False) as held:
                    if held:
                        await self._round()
            if self.failure is not None:
                logger.info("the archive works again")
                self.failure = None
        except (BusUnavailableError, BusOverloadedError):
            raise  # the server is away: the caller waits for it
        except BusError as error:
            self._counters.archive_failures += 1
            former, self.failure = self.failure, error
            if str(error) != str(former):
                logger.error("%s; the streams keep what could not be archived", error)  # noqa: TRY400 -- a full disk needs no traceback
        await asyncio.sleep(self._config.every_s)

    async def archive_now(self) -> Archived:
        """Archive new entries. Waits for another archiver that is running.

        Raises:
            StoreError: the store cannot be read or written; what was written before stays.
            ArchiveElsewhereError: the server is archived to another target.
            BusUnavailableError: the server does not answer.
        """
        async with self._lease.held(wait=True):
            return await self._round()

    async def ensure_group(self, stream: str) -> None:
        """Create the archive's group on a stream, so that trimming keeps what is not archived yet."""
        topics = self._config.topics
        if topics and names.topic_of(stream) not in topics:
            return
        if names.ARCHIVE_GROUP not in await snapshot.groups_of(self._connection, stream):
            info = await self._info(stream)
            if info is not None:
                await self._create_group(stream, info["entries-added"] - info["length"])

    async def _round(self) -> Archived:
        await target.claim(self._connection, self._archive)
        done = Archived()
        failures: list[BusError] = []
        for stream in await self._streams():
            try:
                done = _sum(done, await self._archive_stream(stream))
            except (BusUnavailableError, BusOverloadedError):
                raise
            except BusError as error:  # a failing stream does not stop the others
                failures.append(error)
        done = _sum(
            done, Archived(removed=await self._retain())
        )  # also when the disk is full: it frees space
        if failures:
            raise failures[0]
        # Other programs that archive the same streams count this round as theirs.
        await self._connection.call("SET", self._done, "1", "PX", max(1, int(self._config.every_s * 900)))
        return done

    async def _streams(self) -> list[str]:
        topics = self._config.topics or await Inspection(self._connection).topic_names()
        return [*map(names.stream_of, topics), names.DEAD_LETTERS]

    async def _archive_stream(self, stream: str) -> Archived:
        info = await self._info(stream)
        if info is None:
            return Archived()
        until = EntryId.parse(info["last-generated-id"])
        erasures = await self._connection.call("GET", names.ARCHIVE_ERASURES)
        after, read, lost = await self._place(stream, info)
        done = Archived()
        writer = SegmentWriter(stream)
        ended = after >= until
        while not ended:
            page = await self._connection.call("XRANGE", stream, f"({after}", str(until), "COUNT", PAGE)
            if page:
                after = EntryId.parse(page[-1][0])
            ended = len(page) < PAGE or after >= until  # also before `until`, when its entry was deleted
            while page or (ended and writer.count):
                taken = await asyncio.to_thread(writer.extend, page, SEGMENT_BYTES)
                page = page[taken:]
                if not page and not ended and writer.size < SEGMENT_BYTES:
                    break
                name, data = await asyncio.to_thread(writer.finish)
                if await self._connection.call("GET", names.ARCHIVE_ERASURES) != erasures:
                    return done  # after a long pause, what was read may be erased by now: read it again
                await self._archive.write(name, data)
                read = None if read is None else read + name.count
                await self._move(stream, name.last, info["entries-added"] if name.last == until else read)
                self._counters.archived += name.count
                done = _sum(done, Archived(entries=name.count, segments=1, bytes=len(data)))
                writer = SegmentWriter(stream)
        if until > FIRST:  # else the stream never had an entry
            await self._snapshot(stream, lost)
        return done

    async def _info(self, stream: str) -> dict[str, Any] | None:
        try:
            flat = await self._connection.call("XINFO", "STREAM", stream)
        except ServerRefusedError as error:
            if error.code != "ERR":  # XINFO returns ERR for a missing key
                raise
            return None
        return {key.decode(): value for key, value in zip(flat[::2], flat[1::2], strict=True)}

    async def _place(self, stream: str, info: dict[str, Any]) -> Place:
        group = (await snapshot.groups_of(self._connection, stream)).get(names.ARCHIVE_GROUP)
        if group is None:
            gone = info["entries-added"] - info["length"]
            await self._create_group(stream, gone)
            place, read = FIRST, gone
        else:
            place, read = EntryId.parse(group["last-delivered-id"]), group["entries-read"]
        if stream not in self._newest:
            kept = await self._archive.segments(stream)
            self._newest[stream] = max((one.name.last for one in kept), default=FIRST)
        newest, last = self._newest[stream], EntryId.parse(info["last-generated-id"])
        if newest <= place and group is not None:
            return Place(place, read)
        if await self._connection.call("XRANGE", stream, str(newest), str(newest)):
            # Killed between writing the segment and moving the position.
            await self._move(stream, newest, info["entries-added"] if newest == last else None)
            return Place(newest, None)
        if newest > FIRST:
            logger.warning(
                "the archive of %s is ahead of the server, which lost events up to %s", stream, newest
            )
        # Later entries may have ids below the archive's end, if the clock is behind: all of them are written.
        return Place(place, read, newest if newest > FIRST else last)

    async def _create_group(self, stream: str, read: int) -> None:
        try:
            await self._connection.call(
                "XGROUP", "CREATE", stream, names.ARCHIVE_GROUP, "0", "ENTRIESREAD", read
            )
        except ServerRefusedError as error:
            if error.code != "BUSYGROUP":
                raise

    async def _move(self, stream: str, place: EntryId, read: int | None) -> None:
        self._newest[stream] = place
        counted = () if read is None else ("ENTRIESREAD", read)  # without it the lag is unknown
        await self._connection.call("XGROUP", "SETID", stream, names.ARCHIVE_GROUP, str(place), *counted)

    async def _snapshot(self, stream: str, lost: EntryId | None) -> None:
        """Replace the snapshot. After a loss on the server the former one is set aside until its restore."""
        mark = await self._connection.call("GET", names.restoring(stream))
        data = await snapshot.take(self._connection, stream)
        newest = SnapshotName(stream)
        stored = await self._archive.read_snapshot(newest)
        if mark not in (None, names.RESTORED):
            lost = EntryId.parse(mark)  # being restored, or a restore was given up
        if lost is not None and stored is not None:
            aside = SnapshotName(stream, lost)
            if await self._archive.read_snapshot(aside) is None:
                await self._archive.write_snapshot(aside, stored)
        if data is None:
            await self._archive.remove([newest] if stored is not None else [])
        elif data != stored:
            await self._archive.write_snapshot(newest, data)
        if mark == names.RESTORED:
            await self._archive.remove([name for name in await self._archive.snapshots(stream) if name.aside])
            await self._connection.call("DEL", names.restoring(stream))

    async def _retain(self) -> int:
        async def is_gone(stream: str) -> bool:
            return await self._info(stream) is None

        return await retain(self._archive, self._config, time.time() * 1000, is_gone)


def _sum(one: Archived, other: Archived) -> Archived:
    return Archived(
        entries=one.entries + other.entries,
        segments=one.segments + other.segments,
        bytes=one.bytes + other.bytes,
        removed=one.removed + other.removed,
    )
