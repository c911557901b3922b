"""Restores the archive into a server that lost its data.

Entries keep their ids and groups their positions; delayed events and retries are restored, too. A restore that was
killed is run again: a mark on each stream is the last id that a restore wrote, and the next run continues behind
it. If the stream has another last id, somebody published there; the restore then fails, because older entries
cannot be added before it.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from titan_bus import deadletter, names, scripts
from titan_bus.archive import snapshot, target
from titan_bus.archive.archive import Archive, StoredSegment
from titan_bus.archive.segment import unpack
from titan_bus.archive.snapshot import Waiting
from titan_bus.archive.spans import spans
from titan_bus.config import BusConfig
from titan_bus.connections.connection import Connection
from titan_bus.entry_id import FIRST, LAST, EntryId
from titan_bus.errors import (
    RestoreDisturbedError,
    RestoreRefusedError,
    SegmentDamagedError,
    ServerRefusedError,
)

BATCH = 200
"""Entries of one script call: usually some 100 KB, 6 MB at most."""
WORDS_MAX = 4_000
"""Fields and values of one entry that a script can add; Lua's stack ends at 8,000 (`LUAI_MAXCSTACK`)."""

logger = logging.getLogger("titan_bus")


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one topic.

    Attributes:
        topic: the topic, or `errors.dlq`.
        entries: how many entries were added to the stream.
        groups: how many groups were created or moved back.
        waiting: how many failed events wait for a retry again.
        damaged: what could not be read, a sentence each.
    """

    topic: str
    entries: int
    groups: int
    waiting: int
    damaged: tuple[str, ...] = ()


class Restorer:
    """Restores one archive into one server, while nobody publishes there."""

    def __init__(self, connection: Connection, archive: Archive, config: BusConfig) -> None:
        self._connection = connection
        self._archive = archive
        self._config = config
        self._damaged: list[str] = []

    async def restore(
        self, topics: Sequence[str] = (), since: datetime | None = None, *, newer_only: bool = False
    ) -> list[Restored]:
        """Restore these topics, or everything in the archive.

        Restores the last `maxlen` entries of each stream, or those since a time; in both cases also what a group
        had not acknowledged.

        Args:
            topics: the topics; none for all, and the dead letters.
            since: the oldest time.
            newer_only: add newer entries to a stream that has some, in place of refusing.

        Raises:
            RestoreRefusedError: a stream is not empty; nothing was restored there.
            ArchiveElsewhereError: the server is archived to another target; nothing was restored.
            RestoreDisturbedError: somebody published to a stream during its restore.
            StoreError: the archive cannot be read.
            BusUnavailableError: the server does not answer.
            ServerRefusedError: it is out of memory, or the rights are missing.
        """
        kept = await self._archive.streams()
        streams = [names.stream_of(topic) for topic in topics] or kept
        if not newer_only:
            for stream in streams:  # a stream that is refused must leave the others unchanged
                await self._check(stream)
        if kept:
            await target.claim(
                self._connection, self._archive
            )  # before any group has a position of this archive
        return [await self._stream(stream, since, newer_only=newer_only) for stream in streams]

    async def _check(self, stream: str) -> None:
        length, last = await self._end_of(stream)
        mark = await self._mark(stream)
        if not length or mark == last:
            return
        if mark is not None:
            raise RestoreDisturbedError(
                names.topic_of(stream) or stream, length, self._connection.key(stream), str(last)
            )
        raise RestoreRefusedError(names.topic_of(stream) or stream, length)

    async def _mark(self, stream: str) -> EntryId | None:
        """Return the last id written by a restore that has not finished."""
        mark = await self._connection.call("GET", names.restoring(stream))
        return None if mark in (None, names.RESTORED) else EntryId.parse(mark)

    async def _end_of(self, stream: str) -> tuple[int, EntryId]:
        """Return the length of a stream, and the last id that it ever gave."""
        try:
            flat = await self._connection.call("XINFO", "STREAM", stream)
        except ServerRefusedError as error:
            if error.code != "ERR":  # XINFO returns ERR for a missing key
                raise
            return 0, FIRST
        info = dict(zip(flat[::2], flat[1::2], strict=True))
        return info[b"length"], EntryId.parse(info[b"last-generated-id"])

    async def _stream(self, stream: str, since: datetime | None, *, newer_only: bool) -> Restored:
        self._damaged = []
        places, waiting, whole = await self._snapshots(stream)
        kept = await self._archive.segments(stream)
        after = self._beginning(stream, kept, since, places) if whole else FIRST
        after = await self._begin(stream, kept, after, newer_only=newer_only)
        groups = 0
        # The groups first: then no trimming removes what they have not read.
        if kept:
            newest = max(one.name.last for one in kept)
            await self._group(stream, names.ARCHIVE_GROUP, str(newest))
        for group, place in places.items():
            groups += await self._group(stream, group, place)
        entries = await self._entries(stream, after)
        await self._set_last(stream, [*places.values(), *(str(one.name.last) for one in kept)])
        again = sum([await self._waiting(stream, of_one) for of_one in waiting])
        # Until the archive has a new snapshot it keeps those that were set aside.
        await self._connection.call("SET", names.restoring(stream), names.RESTORED)
        return Restored(
            topic=names.topic_of(stream) or stream,
            entries=entries,
            groups=groups,
            waiting=again,
            damaged=tuple(self._damaged),
        )

    async def _begin(
        self, stream: str, kept: Sequence[StoredSegment], after: EntryId, *, newer_only: bool
    ) -> EntryId:
        """Mark the stream. Returns the id to continue behind: the last one of a killed run, if there was one."""
        length, last = await self._end_of(stream)
        resumed = await self._mark(stream) == last
        if not (resumed or newer_only) and any(
            one.name.first <= last and one.name.last > after for one in kept
        ):
            raise RestoreDisturbedError(
                names.topic_of(stream) or stream, length, self._connection.key(stream), str(last)
            )
        await self._connection.call("SET", names.restoring(stream), str(last))
        return max(after, last)

    async def _write(self, stream: str, words: Sequence[Any]) -> int:
        """Add entries, and return how many were added.

        Raises:
            RestoreDisturbedError: somebody published to this stream since the restore began.
        """
        mark = names.restoring(stream)
        added = int(await self._connection.call("EVAL", scripts.RESTORE, 2, stream, mark, *words))
        if added < 0:
            length, last = await self._end_of(stream)
            raise RestoreDisturbedError(
                names.topic_of(stream) or stream, length, self._connection.key(stream), str(last)
            )
        return added

    async def _snapshots(self, stream: str) -> tuple[dict[str, str], list[Iterator[Waiting]], bool]:
        """Return the groups' positions, their waiting events, and whether all snapshots could be read.

        A snapshot was set aside each time the server lost data. A group continues at its earliest position.
        """
        groups: dict[str, str] = {}
        waiting: list[Iterator[Waiting]] = []
        whole = True
        for name in await self._archive.snapshots(stream):
            data = await self._archive.read_snapshot(name)
            if data is None:
                continue
            try:
                places, of_one = await asyncio.to_thread(snapshot.read, str(name), data, stream)
            except SegmentDamagedError as damage:
                self._damage(damage)
                whole = False  # the groups are unknown: everything is restored, and they begin anew
                continue
            waiting.append(of_one)
            for group, place in places.groups.items():
                groups[group] = str(min(EntryId.parse(place), EntryId.parse(groups.get(group, place))))
        return groups, waiting, whole

    def _beginning(
        self, stream: str, kept: Sequence[StoredSegment], since: datetime | None, places: dict[str, str]
    ) -> EntryId:
        """Return the entry id to begin behind."""
        oldest = min(map(EntryId.parse, places.values()), default=None)
        if since is not None:
            begin = EntryId(max(0, int(since.timestamp() * 1000))).previous()
        else:
            topic = names.topic_of(stream)
            room = self._config.stream(topic).maxlen if topic else deadletter.DEAD_LETTERS_MAX
            begin = FIRST
            for one in reversed(kept):  # whole segments: trimming is not exact either
                if room <= 0:
                    begin = one.name.last
                    break
                room -= one.name.count
        return begin if oldest is None else min(begin, oldest)

    async def _group(self, stream: str, group: str, place: str) -> int:
        try:
            await self._connection.call("XGROUP", "CREATE", stream, group, place, "MKSTREAM")
        except ServerRefusedError as error:
            if error.code != "BUSYGROUP":
                raise
        else:
            return 1
        # A consumer recreated the group before us, or the group exists since a former run and went on.
        row = (await snapshot.groups_of(self._connection, stream)).get(group)
        if row is None or EntryId.parse(row["last-delivered-id"]) >= EntryId.parse(place):
            return 0
        await self._connection.call("XGROUP", "SETID", stream, group, place)
        return 1

    async def _set_last(self, stream: str, ids: Sequence[str]) -> None:
        """Raise the stream's last id, so that no new event gets an id that a group would skip.

        A group's position may be behind the last archived entry: that was read after the last segment, or is
        damaged.
        """
        if ids:
            last = str(max(map(EntryId.parse, ids)))
            await self._write(stream, [last, 0])

    async def _entries(self, stream: str, after: EntryId) -> int:
        entries = 0
        async for span in spans(self._archive, stream, after, LAST, self._damage):
            lines, damages = await asyncio.to_thread(span.lines)
            for damage in damages:
                self._damage(damage)
            for start in range(0, len(lines), BATCH):
                entries += await self._add(stream, lines[start : start + BATCH])
        return entries

    async def _add(self, stream: str, lines: Sequence[bytes]) -> int:
        added = 0
        words: list[Any] = []
        for line in lines:
            entry_id, fields = unpack(line)
            if len(fields) <= WORDS_MAX:
                words += [entry_id, len(fields), *fields]
                continue
            added += await self._write(stream, words) if words else 0
            added += await self._write_long(stream, entry_id, fields)
            words = []
        return added + (await self._write(stream, words) if words else 0)

    async def _write_long(self, stream: str, entry_id: bytes, fields: Sequence[bytes]) -> int:
        """Add an entry with more words than a script can pass on."""
        length, last = await self._end_of(stream)
        if last != await self._mark(stream):
            raise RestoreDisturbedError(
                names.topic_of(stream) or stream, length, self._connection.key(stream), str(last)
            )
        try:
            await self._connection.call("XADD", stream, entry_id, *fields)
        except ServerRefusedError:  # sent twice, or another restore was first
            length, last = await self._end_of(stream)
            if last < EntryId.parse(entry_id):
                raise
            if last != EntryId.parse(entry_id):
                raise RestoreDisturbedError(
                    names.topic_of(stream) or stream, length, self._connection.key(stream), str(last)
                ) from None
        await self._connection.call("SET", names.restoring(stream), entry_id)
        return 1

    async def _waiting(self, stream: str, waiting: Iterator[Waiting]) -> int:
        topic, count = names.topic_of(stream), 0
        while topic is not None:
            try:
                page = await asyncio.to_thread(lambda: list(islice(waiting, BATCH)))
            except SegmentDamagedError as damage:
                self._damage(damage)
                break
            if not page:
                break
            added = [
                self._connection.call("ZADD", names.delayed_of(one.group, topic), one.due_ms, one.event)
                for one in page
            ]
            count += sum(await asyncio.gather(*added))
        return count

    def _damage(self, damage: SegmentDamagedError) -> None:
        logger.error("%s; the rest is restored", damage)
        self._damaged.append(str(damage))
