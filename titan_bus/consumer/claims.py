"""Unfinished business: what this consumer left when it was killed, what others left, and proof of life meanwhile.

The server lists for each group what was delivered and never acknowledged, with its age and its count of deliveries
(XPENDING). `Claims` takes such entries over (XCLAIM, which is refused to all but the first that asks), and keeps
young what this consumer still holds.

Taking over counts as no delivery; beginning does (`count`). Else what a consumer reads ahead would be taken for
poison when it was restarted often, or was killed again and again by the one event among them that is.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from titan_bus.config import BusConfig
from titan_bus.connections.connection import Connection
from titan_bus.consumer.disposition import Disposition
from titan_bus.consumer.in_flight import InFlight
from titan_bus.consumer.intake import Intake
from titan_bus.consumer.settlement import ACK_PATIENCE_S
from titan_bus.errors import BusError, ServerRefusedError
from titan_bus.observability.counters import GroupCounters

PAGE = 100
HELD_AT_ONCE = 1_000
"""The server does nothing else while it works on one command."""
OWN_IDLE_S = 5.0
"""An entry of our own that is not in flight after so long is no reply still on its way: it was lost."""


class DeliveredTooOftenError(BusError):
    """An event was delivered `times` times and nobody came to an outcome: it may kill its handlers."""

    def __init__(self, times: int) -> None:
        super().__init__(f"delivered {times} times without an outcome")
        self.times = times


class Claims:
    """The unfinished business of one consumer on the streams of one subscription."""

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
    ) -> None:
        self._connection = connection
        self._limits = config.claim
        self._consumer = config.consumer_name()
        self._group = group
        self._streams = streams
        self._in_flight = in_flight
        self._intake = intake
        self._disposition = disposition
        self._counters = counters
        self._turn = asyncio.Lock()

    async def take_own(self) -> bool:
        """Take up what was delivered to this consumer and got lost: before a restart, or with a connection.

        Returns whether that was all; if not, there was no room for more.
        """
        for stream in self._streams:
            if not await self._take(stream, 0, self._in_flight.has_room, self._consumer):
                return False
        return True

    async def take_lost(self) -> None:
        """Take up what was delivered to this consumer, is not in flight, and is no reply on its way any more."""
        idle_s = min(OWN_IDLE_S, self._limits.min_idle_s)
        for stream in self._streams:
            await self._take(stream, int(idle_s * 1000), self._in_flight.has_share, self._consumer)

    async def take_abandoned(self) -> None:
        """Take over what nobody has shown life on for `min_idle_s`, whoever had it."""
        for stream in self._streams:
            await self._take(stream, int(self._limits.min_idle_s * 1000), self._in_flight.has_share)

    async def count(self, stream: str, entry_id: bytes, delivered: int) -> None:
        """Count the delivery of what was taken over, before its handler begins: that may not live to tell."""
        await self._call(
            "XCLAIM", stream, self._group, self._consumer, 0, entry_id, "RETRYCOUNT", delivered + 1, "JUSTID"
        )

    async def hold(self) -> None:
        """Keep young what this consumer has in flight, however slow its handlers are."""
        for stream in self._streams:
            ids = [entry_id for held, entry_id in self._in_flight.held() if held == stream]
            for at in range(0, len(ids), HELD_AT_ONCE):
                some = ids[at : at + HELD_AT_ONCE]
                await self._call("XCLAIM", stream, self._group, self._consumer, 0, *some, "JUSTID")

    async def keep(self) -> None:
        """One round of maintenance; call it again and again, it waits a third of `min_idle_s` first."""
        await asyncio.sleep(self._limits.min_idle_s / 3)
        try:
            await self.hold()
            if self._in_flight.closed:
                return
            await self.take_lost()
            await self.take_abandoned()
        except ServerRefusedError as error:
            if error.code != "NOGROUP":  # the reader sees that too, and makes the group again
                raise

    async def _take(self, stream: str, idle_ms: int, may: Callable[[], bool], *consumer: str) -> bool:
        async with self._turn:  # two rounds at once would see the same entries as not held
            start = "-"
            while not self._in_flight.closed and may():
                page: list[Any] = await self._call(
                    "XPENDING", stream, self._group, "IDLE", idle_ms, start, "+", PAGE, *consumer
                )
                await self._take_page(stream, idle_ms, page)
                if len(page) < PAGE:
                    return True
                start = f"({page[-1][0].decode()}"
        return False

    async def _take_page(self, stream: str, idle_ms: int, page: list[Any]) -> None:
        held = self._in_flight.held()
        delivered = {row[0]: row[3] for row in page if (stream, row[0]) not in held}
        if not delivered:
            return
        by_count: dict[int, list[bytes]] = {}
        for entry_id, times in delivered.items():
            by_count.setdefault(times, []).append(entry_id)
        found: dict[bytes, list[bytes]] = {}
        for times, ids in by_count.items():  # RETRYCOUNT leaves the count as it is
            claimed = await self._call(
                "XCLAIM", stream, self._group, self._consumer, idle_ms, *ids, "RETRYCOUNT", times
            )
            # What was deleted meanwhile is not in the answer, and no longer pending either (Redis 7.0, XCLAIM).
            found.update((entry[0], entry[1]) for entry in claimed if entry)
        entries = [(entry_id, found[entry_id]) for entry_id in delivered if entry_id in found]
        poison = [entry for entry in entries if delivered[entry[0]] > self._limits.delivery_limit]
        taken = [entry for entry in entries if entry not in poison]
        self._counters.claimed += len(taken)
        self._intake.receive(stream, taken, delivered)
        for entry_id, fields in poison:
            error = DeliveredTooOftenError(delivered[entry_id])
            await self._disposition.bury(stream, entry_id, fields, error)

    def _call(self, *words: Any) -> Any:
        return self._connection.call(*words, patience_s=ACK_PATIENCE_S)
