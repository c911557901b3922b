"""Writes what is new in the streams to the archive, every some minutes, and removes what is too old there.

Its place in each stream is a group's, `names.ARCHIVE_GROUP`: trimming never overtakes it, and its lag is a metric.
The place moves when the segment is durable. One archiver works at a time (`lease`); two at once would write some
entries twice, which readers bear.
"""

import asyncio
import hashlib
import logging
import time
from typing import Any

import msgspec

from titan_bus import names
from titan_bus.archive import snapshot
from titan_bus.archive.archive import Archive, Kept
from titan_bus.archive.lease import Lease
from titan_bus.archive.segment import SegmentWriter
from titan_bus.archive.segment_name import SegmentName
from titan_bus.config import ArchiveConfig
from titan_bus.connections.connection import Connection
from titan_bus.counters import Counters
from titan_bus.entry_id import FIRST, EntryId
from titan_bus.errors import BusError, BusOverloadedError, BusUnavailableError, ServerRefusedError
from titan_bus.inspection import Inspection

PAGE = 1_000
SEGMENT_BYTES = 32 * 1024 * 1024
"""Before compression. A segment is read whole, so this bounds a reader's memory."""
MS_A_DAY = 86_400_000

logger = logging.getLogger("titan_bus")


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """What a round did: entries and segments written, their bytes, and segments removed."""

    entries: int = 0
    segments: int = 0
    bytes: int = 0
    removed: int = 0


class Archiver:
    """Archives the streams of one server."""

    def __init__(
        self, connection: Connection, archive: Archive, config: ArchiveConfig, counters: Counters
    ) -> None:
        self._connection = connection
        self._archive = archive
        self._config = config
        self._counters = counters
        self._lease = Lease(connection, names.ARCHIVE_LEASE)
        self._newest: dict[str, EntryId] = {}
        self._snapshots: dict[str, bytes] = {}
        self._said = ""

    async def keep(self) -> None:
        """Archive when no program did within `every_s`, then wait; call it again and again.

        What fails is counted, and said in the log once until it changes.
        """
        try:
            done = await self._connection.call("EXISTS", names.ARCHIVE_DONE)
            if not done:
                async with self._lease.held(wait=False) as held:
                    if held:
                        await self._round()
            if self._said:
                logger.info("the archive works again")
                self._said = ""
        except (BusUnavailableError, BusOverloadedError):
            raise  # the server is away: who repeats this step waits for it
        except BusError as error:
            self._counters.archive_failures += 1
            if str(error) != self._said:
                self._said = str(error)
                logger.error("%s; the streams keep what could not be archived", error)  # noqa: TRY400 -- a full disk needs no traceback
        await asyncio.sleep(self._config.every_s)

    async def archive_now(self) -> Archived:
        """Archive what is new; waits for another archiver that is at work.

        Raises:
            StoreError: the store cannot be read or written; what was written until then stays.
            BusUnavailableError: the server does not answer.
        """
        async with self._lease.held(wait=True):
            return await self._round()

    async def hold(self, stream: str) -> None:
        """See that trimming leaves what is not archived, also of a stream that no round has met yet."""
        topics = self._config.topics
        if topics and names.topic_of(stream) not in topics:
            return
        if names.ARCHIVE_GROUP not in await snapshot.groups_of(self._connection, stream):
            info = await self._info(stream)
            if info is not None:
                await self._create_group(stream, info["entries-added"] - info["length"])

    async def _round(self) -> Archived:
        done = Archived()
        failures: list[BusError] = []
        for stream in await self._streams():
            try:
                done = _sum(done, await self._archive_stream(stream))
            except (BusUnavailableError, BusOverloadedError):
                raise
            except BusError as error:  # one stream's trouble is not the others'
                failures.append(error)
        done = _sum(done, Archived(removed=await self._retain()))  # also when the disk is full: it makes room
        if failures:
            raise failures[0]
        # Other programs' archivers take that as their own round.
        await self._connection.call(
            "SET", names.ARCHIVE_DONE, "1", "PX", max(1, int(self._config.every_s * 900))
        )
        return done

    async def _streams(self) -> list[str]:
        topics = self._config.topics or await Inspection(self._connection).topic_names()
        return [*map(names.stream_of, topics), names.DEAD_LETTERS]

    async def _archive_stream(self, stream: str) -> Archived:
        info = await self._info(stream)
        if info is None:
            return Archived()
        after, read = await self._place(stream, info)
        until = EntryId.parse(info["last-generated-id"])
        done = Archived()
        writer = SegmentWriter(stream)
        while after < until:
            page = await self._connection.call("XRANGE", stream, f"({after}", str(until), "COUNT", PAGE)
            if page:
                await asyncio.to_thread(writer.extend, page)
                after = EntryId.parse(page[-1][0])
            ended = len(page) < PAGE or after >= until
            if writer.count and (ended or writer.size >= SEGMENT_BYTES):
                name, data = await asyncio.to_thread(writer.finish)
                await self._archive.write(name, data)
                read = None if read is None else read + name.count
                await self._move(stream, name.last, read)
                self._counters.archived += name.count
                done = _sum(done, Archived(entries=name.count, segments=1, bytes=len(data)))
                writer = SegmentWriter(stream)
            if ended:  # also before `until`, when its entry was deleted
                break
        if self._newest[stream] <= until:  # else what waits in the snapshot is to be restored yet
            await self._snapshot(stream)
        return done

    async def _info(self, stream: str) -> dict[str, Any] | None:
        try:
            flat = await self._connection.call("XINFO", "STREAM", stream)
        except ServerRefusedError as error:
            if error.code != "ERR":  # that is what it says of a key that is not there
                raise
            return None
        return {key.decode(): value for key, value in zip(flat[::2], flat[1::2], strict=True)}

    async def _place(self, stream: str, info: dict[str, Any]) -> tuple[EntryId, int | None]:
        """Return after which entry to go on, and how many entries there were until there, if that is known."""
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
        newest = self._newest[stream]
        if newest > EntryId.parse(info["last-generated-id"]):
            logger.warning(
                "the archive of %s is ahead of the server: it lost its newest events, or its clock went back",
                stream,
            )
        elif newest > place:  # killed between writing and moving
            await self._move(stream, newest, None)
            return newest, None
        return place, read

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
        counted = () if read is None else ("ENTRIESREAD", read)  # without it the server cannot tell the lag
        await self._connection.call("XGROUP", "SETID", stream, names.ARCHIVE_GROUP, str(place), *counted)

    async def _snapshot(self, stream: str) -> None:
        data = await snapshot.take(self._connection, stream)
        digest = hashlib.sha256(data or b"").digest()
        if data is not None and self._snapshots.get(stream) != digest:
            await self._archive.write_snapshot(stream, data)
            self._snapshots[stream] = digest

    async def _retain(self) -> int:
        """Remove what is too old, then the oldest of what is too much.

        Also what a group has not acknowledged: the operator set the limit, and the stream still has it.
        """
        if self._config.max_age_days is None and self._config.max_bytes is None:
            return 0
        kept = sorted(await self._archive.segments(), key=lambda one: one.name.last)
        surplus = _surplus(kept, self._config, time.time() * 1000)
        await self._archive.remove(surplus)
        return len(surplus)


def _surplus(kept: list[Kept], config: ArchiveConfig, now_ms: float) -> list[SegmentName]:
    """Return what retention removes of segments that are sorted by their last entries."""
    over = sum(size for _, size in kept) - config.max_bytes if config.max_bytes is not None else 0
    oldest_ms = now_ms - config.max_age_days * MS_A_DAY if config.max_age_days is not None else 0.0
    surplus: list[SegmentName] = []
    for name, size in kept:
        if over <= 0 and name.last.ms >= oldest_ms:
            break
        surplus.append(name)
        over -= size
    return surplus


def _sum(one: Archived, other: Archived) -> Archived:
    return Archived(
        entries=one.entries + other.entries,
        segments=one.segments + other.segments,
        bytes=one.bytes + other.bytes,
        removed=one.removed + other.removed,
    )
