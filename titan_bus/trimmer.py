"""Trims the streams that this bus publishes to, to about their `maxlen`.

What a group has not acknowledged is kept, whatever its size, unless the stream has `trim: hard`. A group without
consumers therefore prevents trimming: `Bus.remove` it. The archive is such a group.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from titan_bus import names, scripts
from titan_bus.config import BusConfig
from titan_bus.connections.connection import Connection
from titan_bus.errors import ServerRefusedError
from titan_bus.observability.counters import Counters
from titan_bus.publisher import Publisher

EVERY_S = 1.0
LEFT_EVERY = 10
"""A topic that could not be trimmed to its `maxlen` is tried again every this many rounds."""

logger = logging.getLogger("titan_bus")


class Trimmer:
    """One round a second over the topics with new events, or that are still too long.

    `ensure_group` is awaited before a stream is trimmed safely, so that the archive has its group there.
    """

    def __init__(
        self,
        connection: Connection,
        publisher: Publisher,
        config: BusConfig,
        counters: Counters,
        ensure_group: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._connection = connection
        self._publisher = publisher
        self._config = config
        self._counters = counters
        self._ensure_group = ensure_group
        self._rounds = 0
        self._left: dict[str, str] = {}
        """Topics that are still too long, each with the refusal that was logged."""

    async def round(self) -> None:
        """Wait a second, then trim topics with new events."""
        await asyncio.sleep(EVERY_S)
        grown, self._publisher.published = self._publisher.published, set()
        self._rounds += 1
        if self._rounds % LEFT_EVERY == 0:
            grown |= self._left.keys()
        try:
            while grown:
                await self._shorten(grown.pop())
        finally:  # a failure delays the others by one round at most
            self._publisher.published |= grown

    async def _shorten(self, topic: str) -> None:
        """Trim a topic, and note whether it must be trimmed again."""
        self._publisher.on_grown(topic)
        told = self._left.setdefault(topic, "")
        try:
            if not await self.trim(topic):
                del self._left[topic]
        except ServerRefusedError as error:
            self._left[topic] = str(error)
            if told != str(error):
                logger.warning(
                    "the server refuses to trim %s (%s), so it grows: `titan-bus acl --publish` has the rights",
                    topic, error,
                )  # fmt: skip

    async def trim(self, topic: str) -> bool:
        """Trim one topic in bounded steps. Returns whether entries wait for a group."""
        limits = self._config.stream(topic)
        stream, counters = names.stream_of(topic), self._counters.topic(topic)
        if self._ensure_group is not None and limits.trim != "hard":
            await self._ensure_group(stream)
        more, waits = 1, 0
        while more:
            if limits.trim == "hard":
                gone = more = await self._connection.call("XTRIM", stream, "MAXLEN", "~", limits.maxlen)
            else:
                gone, more, waits = await self._connection.call(
                    "EVAL", scripts.TRIM, 1, stream, limits.maxlen
                )
            counters.trimmed += gone
        return bool(waits)
