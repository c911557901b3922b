"""Keeps the streams that this bus publishes to near their `maxlen`.

What a group has not acknowledged stays, however much that is, unless the stream says `trim: hard`. A group that
nobody serves any more therefore keeps its stream from being trimmed: destroy it. The archive is such a group.
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
"""In every so many rounds a topic is looked at again that could not be brought down to its `maxlen`."""

logger = logging.getLogger("titan_bus")


class Trimmer:
    """One round a second over the topics that got events since the last, or are still too long.

    `ensure_group` is awaited before a stream is trimmed safely: the archive's, so that it has a group there.
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
        """Topics that are still too long, each with the refusal that the log has of it."""

    async def round(self) -> None:
        """Wait a second, then trim what has grown."""
        await asyncio.sleep(EVERY_S)
        grown, self._publisher.published = self._publisher.published, set()
        self._rounds += 1
        if self._rounds % LEFT_EVERY == 0:
            grown |= self._left.keys()
        try:
            while grown:
                await self._shorten(grown.pop())
        finally:  # one that fails keeps the others no longer than a round
            self._publisher.published |= grown

    async def _shorten(self, topic: str) -> None:
        """Trim a topic, and keep in mind when it has to be trimmed again."""
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
        """Trim one topic, a bounded step of the server at a time; returns whether it waits for its groups."""
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
