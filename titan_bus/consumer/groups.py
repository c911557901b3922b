"""Creates the consumer groups of one subscription where they are missing, at the start and after a loss.

A group may vanish under its consumers: somebody destroys it, the stream is deleted, a failover leads to a server
that never had it. It then begins again at its place, which is followed while it is there (`follow`): the entry up
to which its consumers have acknowledged everything. What came later may be handled twice, nothing is missed, and
the past is not handled again.
"""

import asyncio
import time
from typing import Any

from titan_bus.backoff import Backoff
from titan_bus.connections.connection import Connection
from titan_bus.entry_id import EntryId
from titan_bus.errors import ServerRefusedError

FOLLOW_FIRST_S = 0.2
FOLLOW_LONGEST_S = 2.0
"""How often the place is asked for while the group has events in flight."""
BEGINNING = "0"


class Groups:
    """One group on two streams: the topic's, then the group's retry stream.

    Args:
        start: the entry id at which the group begins on a topic where it does not exist yet.
    """

    def __init__(self, connection: Connection, group: str, streams: tuple[str, str], start: str) -> None:
        self._connection = connection
        self._group = group
        self._streams = streams
        self._start = start
        self._place: EntryId | None = None
        self._moved = asyncio.Event()
        self._backoff = Backoff(FOLLOW_FIRST_S, FOLLOW_LONGEST_S, jitter=False)
        self._may_look = True

    async def create(self) -> None:
        """Create the groups that are missing, at the start of their consumer.

        Raises:
            BusUnavailableError: the server does not answer now.
            ServerRefusedError: the rights are missing, or the key is not a stream.
        """
        stream, retries = self._streams
        if self._start == "$":  # without the right to ask for the place it is this moment
            self._place = EntryId(await self._now_ms())
        await self._create(stream, self._start)
        await self._create(retries, BEGINNING)
        await self._look()

    async def create_again(self) -> str:
        """Create the groups that went missing since. Returns where the topic's begins again, "" when none was.

        Raises:
            as `create`.
        """
        stream, retries = self._streams
        place = BEGINNING
        # A server whose clock is behind may have given younger entries lower ids, if it lost the stream, too.
        if self._place is not None and self._place.ms < await self._now_ms():
            place = str(self._place)
        missing = await self._create(stream, place)
        if await self._create(retries, BEGINNING) and not missing:
            return "where it is, and the events to be tried again are lost"
        if not missing:
            return ""
        return "the oldest event" if place == BEGINNING else f"what came after {place}"

    def moved(self) -> None:
        """Note that events were delivered: the group's place changes when they are acknowledged."""
        self._backoff.reset()
        self._moved.set()

    async def follow(self) -> None:
        """Wait until events were delivered, then ask for the group's place. The caller repeats it."""
        await self._moved.wait()
        await self._backoff.pause()
        self._moved.clear()
        again = True
        try:
            again = await self._look()
        finally:
            if again:
                self._moved.set()

    async def _look(self) -> bool:
        """Ask for the group's place. Returns whether it has events in flight."""
        if not self._may_look:
            return False
        try:
            # In this order: what is delivered in between is behind the place, whether it is in flight or not.
            groups = await self._connection.call("XINFO", "GROUPS", self._streams[0])
            in_flight, oldest, *_ = await self._connection.call("XPENDING", self._streams[0], self._group)
        except ServerRefusedError as error:
            self._may_look = error.code != "NOPERM"
            return False
        for row in groups:
            named: dict[bytes, Any] = dict(zip(row[::2], row[1::2], strict=True))
            if named[b"name"] == self._group.encode():
                place = EntryId.parse(named[b"last-delivered-id"])
                self._place = min(place, EntryId.parse(oldest).previous()) if in_flight else place
        return bool(in_flight)

    async def _now_ms(self) -> int:
        try:
            seconds, microseconds = await self._connection.call("TIME")
        except ServerRefusedError as error:
            if error.code != "NOPERM":  # reading needs no such right
                raise
            return time.time_ns() // 1_000_000
        return int(seconds) * 1_000 + int(microseconds) // 1_000

    async def _create(self, stream: str, start: str) -> bool:
        try:
            await self._connection.call("XGROUP", "CREATE", stream, self._group, start, "MKSTREAM")
        except ServerRefusedError as error:
            # A server out of memory refuses before it checks whether the group exists.
            if error.code == "BUSYGROUP" or (error.code == "OOM" and await self._exists(stream)):
                return False
            raise
        return True

    async def _exists(self, stream: str) -> bool:
        try:
            await self._connection.call("XPENDING", stream, self._group)
        except ServerRefusedError:
            return False
        return True
