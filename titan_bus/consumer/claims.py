"""Claims pending entries that this consumer lost or other consumers left idle, and keeps its own from going idle.

For each group the server lists the entries that were delivered and not acknowledged, with their idle time and
delivery count (XPENDING). `Claims` claims such entries (XCLAIM; only the first of several claimants gets an entry)
and resets the idle time of the entries that this consumer has in flight.

A claim does not raise the delivery count; the start of a handler does (`count_delivery`). Otherwise events that
were only read ahead would count as poison after several restarts, or after several kills by another event.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from titan_bus import handling_times, names, scripts
from titan_bus.config import BusConfig
from titan_bus.connections.connection import Connection
from titan_bus.consumer.disposition import Disposition
from titan_bus.consumer.in_flight import InFlight
from titan_bus.consumer.intake import Intake
from titan_bus.consumer.settlement import ACK_PATIENCE_S
from titan_bus.errors import BusError, ServerRefusedError
from titan_bus.observability.counters import GroupCounters

logger = logging.getLogger("titan_bus")

PAGE = 100
REFRESHED_AT_ONCE = 1_000
"""The server executes nothing else during one command, so a command names at most this many entries."""
FORGET_AFTER = 3
"""How many `min_idle_s` a consumer has been away whose name is removed. Its events were taken over before."""
OWN_IDLE_S = 5.0
"""An entry delivered to this consumer that is not in flight after this time was lost, and is not in a reply on its
way."""


@contextlib.contextmanager
def _group_created_again() -> Iterator[None]:
    """Pass over a group that is missing: the reader gets the same error, and the group is created again."""
    try:
        yield
    except ServerRefusedError as error:
        if error.code != "NOGROUP":
            raise


class DeliveredTooOftenError(BusError):
    """An event was delivered `times` times without an outcome: it may kill its handlers."""

    def __init__(self, times: int) -> None:
        super().__init__(f"delivered {times} times without an outcome")
        self.times = times


class Claims:
    """Claims the pending entries of one consumer on the streams of one subscription."""

    def __init__(
        self,
        connection: Connection,
        config: BusConfig,
        group: str,
        streams: tuple[str, ...],
        in_flight: InFlight,
        intake: Intake,
        disposition: Disposition,
        counters: GroupCounters,
        *,
        consumer: str,
    ) -> None:
        self._connection = connection
        self._limits = config.claim
        # A living consumer reads each `block_ms`, and its own may be longer than ours.
        self._forget_after_s = max(FORGET_AFTER * config.claim.min_idle_s, 2 * config.read.block_ms / 1000)
        self._consumer = consumer
        self._group = group
        self._streams = streams
        self._in_flight = in_flight
        self._intake = intake
        self._disposition = disposition
        self._counters = counters
        topic = names.topic_of(streams[0]) or ""
        self._handling_key = names.handling_of(consumer, group, topic)
        self._leases = names.worker_of("", group, topic)
        self._lock = asyncio.Lock()

    async def claim_own(self) -> bool:
        """Claim what was delivered to this consumer and lost, by a restart or with a connection.

        Returns whether that was all; False when there was no room for more.
        """

        async def room() -> bool:
            return self._in_flight.has_room() and not self._in_flight.closed

        for stream in self._streams:
            if not await self._claim(stream, 0, room, self._consumer):
                return False
        return True

    async def claim_lost(self) -> None:
        """Claim what was delivered to this consumer, is not in flight, and cannot be in a reply any more."""
        idle_s = min(OWN_IDLE_S, self._limits.min_idle_s)
        for stream in self._streams:
            await self._claim(stream, int(idle_s * 1000), self._in_flight.claim_room, self._consumer)

    async def claim_idle(self) -> None:
        """Claim what has been idle for `min_idle_s`, from any consumer."""
        for stream in self._streams:
            await self._claim(stream, int(self._limits.min_idle_s * 1000), self._in_flight.claim_room)

    async def count_delivery(self, stream: str, entry_id: bytes, delivered: int) -> None:
        """Count a delivery of a claimed entry; before its handler starts, because that may kill the process."""
        await self._call(
            "XCLAIM", stream, self._group, self._consumer, 0, entry_id, "RETRYCOUNT", delivered + 1, "JUSTID"
        )

    async def refresh(self) -> None:
        """Reset the idle time of what this consumer has in flight, so that slow handlers keep their events.

        The server knows no longer how long that is, so those of the slow handlers are told beside it.
        """
        for stream in self._streams:
            ids = [entry_id for held, entry_id in self._in_flight.entry_keys() if held == stream]
            for at in range(0, len(ids), REFRESHED_AT_ONCE):
                some = ids[at : at + REFRESHED_AT_ONCE]
                await self._call("XCLAIM", stream, self._group, self._consumer, 0, *some, "JUSTID")
        started = list(self._in_flight.started())[:REFRESHED_AT_ONCE]
        if started:
            ttl_ms = int(self._limits.min_idle_s * 1000)
            told = handling_times.encode(started, ttl_ms)
            await self._call("SET", self._handling_key, told, "PX", ttl_ms)

    async def keep(self) -> None:
        """Wait a third of `min_idle_s`, then refresh. The caller repeats it."""
        await asyncio.sleep(self._limits.min_idle_s / 3)
        with _group_created_again():
            await self.refresh()

    async def take_over(self) -> None:
        """Wait a third of `min_idle_s`, then claim all that is idle, as fast as there is room.

        The caller repeats it.
        """
        await asyncio.sleep(self._limits.min_idle_s / 3)
        with _group_created_again():
            await self.claim_lost()
            await self.claim_idle()

    async def forget_consumers(self) -> None:
        """Wait for `min_idle_s`, then remove the names of consumers that do not come back. The caller repeats it.

        A name that is leased or has something in flight stays; one that comes back is there again with its
        first read.
        """
        await asyncio.sleep(self._limits.min_idle_s)
        idle_ms = int(self._forget_after_s * 1000)
        try:
            for stream in self._streams:
                await self._call(
                    "EVAL", scripts.FORGET_CONSUMERS, 2, stream, self._leases, self._group, idle_ms
                )
        except ServerRefusedError as error:
            if error.code != "NOGROUP":  # the rights of an earlier version: the names stay, and harm nobody
                logger.info("the names of former consumers of %s stay: %s", self._group, error)
                await asyncio.Event().wait()

    async def _claim(
        self, stream: str, idle_ms: int, room: Callable[[], Awaitable[bool]], *consumer: str
    ) -> bool:
        """Claim page by page while there is room. Returns whether that was all."""
        start = "-"
        while await room():
            async with self._lock:  # two at once would both see an entry as not in flight
                page: list[Any] = await self._call(
                    "XPENDING", stream, self._group, "IDLE", idle_ms, start, "+", PAGE, *consumer
                )
                await self._claim_page(stream, idle_ms, page)
            if len(page) < PAGE:
                return True
            start = f"({page[-1][0].decode()}"
        return False

    async def _claim_page(self, stream: str, idle_ms: int, page: list[Any]) -> None:
        held = self._in_flight.entry_keys()
        delivered = {row[0]: row[3] for row in page if (stream, row[0]) not in held}
        if not delivered:
            return
        by_count: dict[int, list[bytes]] = {}
        for entry_id, times in delivered.items():
            by_count.setdefault(times, []).append(entry_id)
        found: dict[bytes, list[bytes]] = {}
        for times, ids in by_count.items():  # RETRYCOUNT keeps the count as it is
            claimed = await self._call(
                "XCLAIM", stream, self._group, self._consumer, idle_ms, *ids, "RETRYCOUNT", times
            )
            # The reply omits entries that were deleted meanwhile; they are no longer pending either (Redis 7.0,
            # XCLAIM).
            found.update((entry[0], entry[1]) for entry in claimed if entry)
        entries = [(entry_id, found[entry_id]) for entry_id in delivered if entry_id in found]
        poison = [entry for entry in entries if delivered[entry[0]] > self._limits.delivery_limit]
        taken = [entry for entry in entries if entry not in poison]
        self._counters.claimed += len(taken)
        self._intake.receive(stream, taken, delivered)
        for entry_id, fields in poison:
            error = DeliveredTooOftenError(delivered[entry_id])
            await self._disposition.dead_letter(stream, entry_id, fields, error)

    def _call(self, *words: Any) -> Any:
        return self._connection.call(*words, patience_s=ACK_PATIENCE_S)
