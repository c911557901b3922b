"""Events that are published later: they wait in a sorted set beside their topic's stream (`names.later_of`).

`publisher` puts them there. Any open bus that may publish to the topic moves them into the stream when they are
due: the publisher's bus (`Later`, which also looks once at each topic to which it publishes) and those of
consumers (`consumer.delayed`). So a killed publisher delays nothing by more than some seconds.
"""

import asyncio
import contextlib

from titan_bus import codec, names, scripts
from titan_bus.connections.connection import Connection
from titan_bus.errors import ServerRefusedError
from titan_bus.supervisor import keep_going

SOON_S = 0.001
"""Added to each wait, because the server counts in whole milliseconds and a check could come too early."""


async def publish_due(connection: Connection, topic: str) -> float | None:
    """Move what is due into the topic's stream. Returns the seconds until the next is due, or None.

    Raises:
        ServerRefusedError: the right to publish there is missing.
        BusUnavailableError: the server does not answer.
    """
    next_ms = await connection.call(
        "EVAL", scripts.REDELIVER_DUE, 2, names.later_of(topic), names.stream_of(topic), codec.FIELD
    )
    return None if next_ms < 0 else float(next_ms) / 1000


class Later:
    """Publishes what is due on the topics of one bus. Begins with the first topic."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._topics: set[str] = set()
        self._seen: set[str] = set()
        self._added = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def look_at(self, topic: str) -> None:
        """Publish what becomes due on this topic, until nothing waits there any more."""
        if self._closed:
            return
        self._topics.add(topic)
        self._added.set()
        if self._task is None:
            name = "titan_bus delayed publishes"
            self._task = asyncio.create_task(keep_going(self._round, name), name=name)

    def look_once(self, topic: str) -> None:
        """Look at this topic for the first time: a former run may have left events there."""
        if topic not in self._seen:
            self._seen.add(topic)
            self.look_at(topic)

    async def close(self) -> None:
        """Stop; what waits is published by others, or by the next bus of this program."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _round(self) -> None:
        self._added.clear()
        soonest_s: float | None = None
        for topic in tuple(self._topics):
            try:
                next_s = await publish_due(self._connection, topic)
            except ServerRefusedError as error:
                if error.code != "NOPERM":
                    raise
                next_s = None
            if next_s is None and not self._added.is_set():
                self._topics.discard(topic)
            elif next_s is not None:
                soonest_s = next_s if soonest_s is None else min(soonest_s, next_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if soonest_s is None else soonest_s + SOON_S):
                await self._added.wait()
