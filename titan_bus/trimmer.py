"""Keeps the streams that this bus publishes to near their `maxlen`.

What a group has not acknowledged stays, however much that is, unless the stream says `trim: hard`. A group that
nobody serves any more therefore keeps its stream from being trimmed: destroy it. The archive is such a group.
"""

import asyncio
from collections.abc import Awaitable, Callable

from titan_bus import names, scripts
from titan_bus.config import BusConfig
from titan_bus.connections.connection import Connection
from titan_bus.counters import Counters
from titan_bus.publisher import Publisher

EVERY_S = 1.0


class Trimmer:
    """One round a second over the topics that got events since the last.

    `hold` is awaited before a stream is trimmed safely: the archive's, so that it has a group there.
    """

    def __init__(
        self,
        connection: Connection,
        publisher: Publisher,
        config: BusConfig,
        counters: Counters,
        hold: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._connection = connection
        self._publisher = publisher
        self._config = config
        self._counters = counters
        self._hold = hold

    async def round(self) -> None:
        """Wait a second, then trim what has grown."""
        await asyncio.sleep(EVERY_S)
        grown, self._publisher.published = self._publisher.published, set()
        try:
            while grown:
                await self.trim(grown.pop())
        finally:  # one that is refused keeps the others no longer than a round
            self._publisher.published |= grown

    async def trim(self, topic: str) -> None:
        """Trim one topic, a bounded step of the server at a time."""
        limits = self._config.stream(topic)
        stream, counters = names.stream_of(topic), self._counters.topic(topic)
        if self._hold is not None and limits.trim != "hard":
            await self._hold(stream)
        more = 1
        while more:
            if limits.trim == "hard":
                gone = more = await self._connection.call("XTRIM", stream, "MAXLEN", "~", limits.maxlen)
            else:
                gone, more = await self._connection.call("EVAL", scripts.TRIM, 1, stream, limits.maxlen)
            counters.trimmed += gone
