"""Erases events from the server's keys: streams, retries, delayed sets, dead letters.

The order makes it complete. A failed event is moved from its stream to the delayed set only when it can be
acknowledged there (`scripts`). So once it is no longer pending nothing moves it, and then the places are searched
to which it may have moved before.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from titan_bus import names, scripts
from titan_bus.archive.snapshot import groups_of
from titan_bus.connections.connection import Connection
from titan_bus.entry_id import FIRST, LAST, EntryId
from titan_bus.erasure.receipt import Place
from titan_bus.erasure.wanted import Wanted
from titan_bus.errors import ServerRefusedError

PAGE = 200
"""6 MB at most, usually 200 KB: others on the connection wait that long."""
SCAN_COUNT = 1_000
ROUNDS_MAX = 20
"""A group that fails on thousands of events a second may keep moving them during the search."""


class Streams:
    """The keys of one server, searched for the wanted events."""

    def __init__(self, connection: Connection, wanted: Wanted) -> None:
        self._connection = connection
        self._wanted = wanted

    async def waiting(self, topics: Iterable[str]) -> dict[str, set[str]]:
        """Return the topics, by default all, with the groups for which events may wait.

        Includes deleted groups, whose retries still exist.
        """
        found: dict[str, set[str]] = {topic: set() for topic in topics}
        every = not found
        async for key in self._keys():
            topic = names.topic_of(key)
            waits = names.topic_and_group_of(key)
            if topic is not None and every:
                found.setdefault(topic, set())
            elif waits is not None and (every or waits[0] in found):
                found.setdefault(waits[0], set()).add(waits[1])
        return found

    async def has_answers(self) -> bool:
        """Return whether there are streams of answers, which may hold what an event said."""
        cursor = 0
        while True:
            cursor, keys = await self._connection.scan(cursor, names.replies_of("*"), SCAN_COUNT, "stream")
            if keys or cursor == 0:
                return bool(keys)

    async def erase(self, topic: str, groups: Iterable[str], since: EntryId) -> set[str]:
        """Erase them from a topic and from the retries of its groups. Returns these groups.

        Args:
            topic: the topic.
            groups: groups that may have retries, beside those of the stream.
            since: the entry to begin at.
        """
        stream = names.stream_of(topic)
        await self._erase_entries(stream, since, "stream")
        every = {*groups, *await groups_of(self._connection, stream)}
        for group in sorted(every):
            await self._erase_waiting(topic, group)
        return every

    async def find_dead_letters(self) -> None:
        """Find out which of them are dead letters now."""
        async for page in self._pages(names.DEAD_LETTERS, FIRST):
            for _, fields in page:
                self._wanted.note_dead_letter(fields)

    async def erase_dead_letters(self) -> None:
        """Erase them from the dead letters."""
        await self._erase_entries(names.DEAD_LETTERS, FIRST, "dead_letters")

    async def _erase_waiting(self, topic: str, group: str) -> None:
        """Erase them from a retry stream and its delayed set, between which events move meanwhile.

        A move into the set begins with an entry in the stream, so none can happen once the stream is searched to
        its end. If the stream has no new entry after the set was searched, none of them has left the set
        meanwhile.
        """
        retries, delayed = names.retries_of(group, topic), names.delayed_of(group, topic)
        after = FIRST
        for _ in range(ROUNDS_MAX):
            end = await self._last_id(retries)
            await self._erase_entries(retries, after, "retries", topic)
            await self._erase_delayed(delayed, topic)
            if await self._last_id(retries) == end:
                return
            after = end

    async def _erase_entries(self, stream: str, since: EntryId, place: Place, topic: str = "") -> None:
        async for page in self._pages(stream, since):
            wanted: list[bytes] = []
            for entry_id, fields in page:
                event_id = self._wanted.which_of(fields)
                if event_id is not None:
                    wanted.append(entry_id)
                    said = names.stream_of(topic) if topic else stream
                    self._wanted.note(event_id, said, place, EntryId.parse(entry_id))
            if wanted:
                await self._connection.call("EVAL", scripts.ERASE, 1, stream, *wanted)

    async def _erase_delayed(self, delayed: str, topic: str) -> None:
        cursor: Any = 0
        gone: set[bytes] = set()  # ZSCAN may return a member twice
        while True:
            cursor, flat = await self._connection.call("ZSCAN", delayed, cursor, "COUNT", PAGE)
            for event in flat[::2]:
                event_id = self._wanted.which(event)
                if event_id is not None and event not in gone:
                    gone.add(event)
                    self._wanted.note(event_id, names.stream_of(topic), "delayed")
                    await self._connection.call("ZREM", delayed, event)
            if int(cursor) == 0:
                return

    async def _pages(self, stream: str, since: EntryId) -> AsyncIterator[Sequence[Any]]:
        """Yield the entries from `since` on, including those added meanwhile."""
        start = str(since)
        while True:
            page = await self._connection.call("XRANGE", stream, start, str(LAST), "COUNT", PAGE)
            if page:
                yield page
            if len(page) < PAGE:
                return
            start = f"({page[-1][0].decode()}"

    async def _last_id(self, stream: str) -> EntryId:
        try:
            flat = await self._connection.call("XINFO", "STREAM", stream)
        except ServerRefusedError as error:
            if error.code != "ERR":  # XINFO returns ERR for a missing key
                raise
            return FIRST
        return EntryId.parse(dict(zip(flat[::2], flat[1::2], strict=True))[b"last-generated-id"])

    async def _keys(self) -> AsyncIterator[str]:
        for kind in ("stream", "zset"):
            cursor = 0
            while True:
                cursor, keys = await self._connection.scan(cursor, names.EVERY_KEY, SCAN_COUNT, kind)
                for key in keys:
                    yield key.decode(errors="backslashreplace")
                if cursor == 0:
                    break
