"""Keeps the streams that this bus publishes to near their `maxlen`.

What a group has not acknowledged stays, however much that is. A group that nobody serves any more therefore keeps
its stream from being trimmed: destroy it.
"""

import asyncio

from titan_bus import names, scripts
from titan_bus.config import BusConfig
from titan_bus.connection import Connection
from titan_bus.publisher import Publisher

EVERY_S = 1.0


class Trimmer:
    """One round a second over the topics that got events since the last."""

    def __init__(self, connection: Connection, publisher: Publisher, config: BusConfig) -> None:
        self._connection = connection
        self._publisher = publisher
        self._config = config

    async def round(self) -> None:
        """Wait a second, then trim what has grown."""
        await asyncio.sleep(EVERY_S)
        grown, self._publisher.published = self._publisher.published, set()
        for topic in grown:
            await self.trim(topic)

    async def trim(self, topic: str) -> None:
        """Trim one topic."""
        maxlen = self._config.stream(topic).maxlen
        while await self._connection.call("EVAL", scripts.TRIM, 1, names.stream_of(topic), maxlen):
            pass
