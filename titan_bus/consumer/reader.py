"""One blocking read over all streams of a group: XREADGROUP on a connection of its own, shared by many processors.

A stream is left out of the read while its processor has no room, or first has to claim what it lost. When that
changes, or a processor is added or removed, CLIENT UNBLOCK ends the read in progress; the server answers as after
a timeout. Closing the connection would lose entries that are on their way.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from titan_bus import names
from titan_bus.backoff import Backoff
from titan_bus.config import ReadConfig
from titan_bus.connections.channel import Channel
from titan_bus.connections.server import Server
from titan_bus.consumer.delivery import Entry
from titan_bus.errors import BusError, BusUnavailableError, ServerRefusedError
from titan_bus.supervisor import keep_going

REMOVE_TIMEOUT_S = 1.0
"""How long `remove` waits for the read in progress to end."""
YIELD_AFTER_S = 0.004
"""Entries are taken in for this long before other tasks get a turn; the window's frame is 16 ms."""
AGAIN_FIRST_S = 0.001
AGAIN_LONGEST_S = 0.05
"""The pauses between two CLIENT UNBLOCK. The first may reach the server before the read that it should end."""

logger = logging.getLogger("titan_bus")


class Source(Protocol):
    """A processor, as the reader sees it."""

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams to read."""
        ...

    def wants_more(self) -> bool:
        """Whether its streams should be read now. After returning False it calls `wake` when that changes."""
        ...

    def receive(self, stream: str, entries: list[Entry]) -> None:
        """Take the entries that were read."""
        ...

    def mark_behind(self) -> None:
        """Note that deliveries may be lost or the group missing: recover before wanting more."""
        ...


class Reader:
    """Reads for all processors of one group whose streams one command may name together.

    Without sources it has no connection and no task.

    Args:
        open_channel: opens a connection to the server that has the streams.
        unblock: sends CLIENT UNBLOCK for a client id to that server.
    """

    def __init__(
        self,
        open_channel: Callable[[], Channel],
        unblock: Callable[[int], Any],
        group: str,
        consumer: str,
        config: ReadConfig,
    ) -> None:
        self._open_channel = open_channel
        self._channel = open_channel()
        self._unblock = unblock
        self._group = group
        self._consumer = consumer
        self._config = config
        self._sources: list[Source] = []
        self._changed = asyncio.Event()
        self._between_reads = asyncio.Event()
        self._between_reads.set()
        self._client_id: int | None = None
        self._dials = 0
        self._refused = False
        self._task: asyncio.Task[None] | None = None
        self._unblocking: asyncio.Task[None] | None = None

    def add(self, source: Source) -> None:
        """Read for this source, too."""
        self._sources.append(source)
        if self._task is None:
            name = f"titan_bus {self._group}: read"
            self._task = asyncio.create_task(keep_going(self._read, name), name=name)
        self.wake()

    async def remove(self, source: Source) -> None:
        """Stop reading for this source. Removing the last one closes the connection.

        What a read in progress still returns for it stays pending on the server.
        """
        if source not in self._sources:
            return
        self._sources.remove(source)
        self.wake()
        ended: set[asyncio.Task[None]] = set()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REMOVE_TIMEOUT_S):
                    await self._between_reads.wait()
        finally:
            if not self._sources:  # a source may have been added meanwhile
                ended = self._end()
        if ended:
            await asyncio.wait(ended)

    def wake(self) -> None:
        """Evaluate the sources again; a read in progress ends at once."""
        self._changed.set()
        # `done`, because a task that starts at once (`asyncio.eager_task_factory`) may end before it is kept here.
        if not self._between_reads.is_set() and (self._unblocking is None or self._unblocking.done()):
            self._unblocking = asyncio.create_task(
                self._end_read(), name=f"titan_bus {self._group}: end a read"
            )

    async def _read(self) -> None:
        self._changed.clear()
        sources = {
            stream: source for source in self._sources if source.wants_more() for stream in source.streams
        }
        if not sources:
            await self._changed.wait()
            return
        try:
            await self._identify()
            self._between_reads.clear()
            if self._changed.is_set():
                return  # changed while connecting
            reply = await self._channel.call(
                "XREADGROUP", "GROUP", self._group, self._consumer,
                "COUNT", self._config.count, "BLOCK", self._config.block_ms,
                "STREAMS", *sources, *[">"] * len(sources),
                block_s=self._config.block_ms / 1000,
            )  # fmt: skip
            began = time.perf_counter()
            for stream, entries in reply or ():
                if time.perf_counter() - began > YIELD_AFTER_S:
                    await asyncio.sleep(0)  # if it is cancelled here, no source wants the rest
                    began = time.perf_counter()
                name = stream.decode()
                sources[name].receive(name, entries)
        except (BusUnavailableError, ServerRefusedError) as error:
            # Entries that were in a lost connection count as delivered, but never arrived. And the code of a
            # refusal does not name the stream: each processor checks its own.
            for source in self._sources:
                source.mark_behind()
            if not isinstance(error, ServerRefusedError) or error.code not in {"NOGROUP", "UNBLOCKED"}:
                raise
        finally:
            self._between_reads.set()

    async def _identify(self) -> None:
        """Fetch the server's id of this connection."""
        if self._dials == self._channel.dials and not self._channel.lost:
            return
        try:
            self._client_id = await self._channel.call("CLIENT", "ID")
        except ServerRefusedError as error:
            self._cannot_unblock(error)
        self._dials = self._channel.dials

    async def _end_read(self) -> None:
        """Unblock the read in progress. Repeated, because the read may not have reached the server yet.

        A read that ended is no reason to stop: the next may have begun, and a change come, before this task runs
        again.
        """
        backoff = Backoff(AGAIN_FIRST_S, AGAIN_LONGEST_S, jitter=False)
        try:
            while (
                self._changed.is_set()  # cleared when a read begins
                and not self._between_reads.is_set()
                and self._client_id is not None
                and self._dials == self._channel.dials  # else the id belongs to another client
            ):
                await self._unblock(self._client_id)
                await backoff.pause()
        except ServerRefusedError as error:
            self._cannot_unblock(error)
        except BusError:
            pass  # the read itself fails as well, or ends with its BLOCK

    def _cannot_unblock(self, error: ServerRefusedError) -> None:
        self._client_id = None
        if not self._refused:
            self._refused = True
            logger.warning(
                "titan_bus %s: without the rights +client|id +client|unblock a change waits for up to %d ms: %s",
                self._group, self._config.block_ms, error,
            )  # fmt: skip

    def _end(self) -> set[asyncio.Task[None]]:
        """Stop reading. Returns the cancelled tasks."""
        tasks = {task for task in (self._task, self._unblocking) if task is not None}
        # A source added from here on gets a new task and a new connection.
        channel, self._channel = self._channel, self._open_channel()
        self._task = None
        for task in tasks:
            task.cancel()
        channel.close()
        return tasks


class Readers:
    """The readers of one bus: one for each group and name, in a cluster one for each of them and node."""

    def __init__(self, server: Server, config: ReadConfig) -> None:
        self._server = server
        self._config = config
        self._readers: dict[tuple[str, str, str], Reader] = {}

    def reader(self, topic: str, group: str, consumer: str) -> Reader:
        """Return the reader of this topic, group and name."""
        key = (group, consumer, self._server.shard(topic))
        reader = self._readers.get(key)
        if reader is None:
            stream = names.stream_of(topic)
            reader = self._readers[key] = Reader(
                lambda: self._server.channel(stream),
                lambda client_id: self._server.unblock(stream, client_id),
                group, consumer, self._config,
            )  # fmt: skip
        return reader
