"""The verdict on a delivery: acknowledged, to be tried again later, or a dead letter. Each is one atomic step."""

import asyncio
import contextlib
import random
from collections.abc import Iterable
from functools import partial
from typing import Any

from titan_bus import codec, deadletter, names, scripts
from titan_bus.config import RetryConfig
from titan_bus.connection import Connection, unheeded
from titan_bus.delivery import Delivery
from titan_bus.errors import BusError

ACK_PATIENCE_S = 30.0
"""A verdict waits longer for a lost server than a publish does: without it the event is handled again."""


class Settlement:
    """Settles the deliveries of one group on one topic."""

    def __init__(self, connection: Connection, topic: str, group: str, retry: RetryConfig) -> None:
        self._connection = connection
        self._group = group
        self._retries = names.retries_of(group, topic)
        self._delayed = names.delayed_of(group, topic)
        self._retry = retry
        self._handled: dict[str, list[tuple[bytes, asyncio.Future[None]]]] = {}

    def acknowledge(self, stream: str, entry_id: bytes) -> asyncio.Future[None]:
        """The event was handled; the future is done when the server knows.

        Those of one turn of the loop leave in one command. Cancelling the future takes nothing back.
        """
        loop = asyncio.get_running_loop()
        if not self._handled:
            loop.call_soon(self._send_acknowledgements)
        future: asyncio.Future[None] = loop.create_future()
        self._handled.setdefault(stream, []).append((entry_id, future))
        return future

    def _send_acknowledgements(self) -> None:
        handled, self._handled = self._handled, {}
        for stream, entries in handled.items():
            ids, waiting = zip(*entries, strict=True)
            try:
                sent = self._call("XACK", stream, self._group, *ids)
            except BusError as error:
                _tell(waiting, error)
                continue
            sent.add_done_callback(partial(_pass_on, waiting))
            if stream == self._retries:  # nobody else reads this stream, so what is done can go
                self._forget(*ids)

    async def postpone(self, delivery: Delivery) -> float:
        """Let the event come again to this group after a pause; returns the seconds."""
        retries = delivery.event.meta.retries + 1
        pause_s = self.pause_after(retries)
        again = codec.with_retries(codec.body(delivery.fields), retries)
        await self._call(
            "EVAL", scripts.SCHEDULE, 2, delivery.stream, self._delayed,
            self._group, delivery.entry_id, int(pause_s * 1000), again,
        )  # fmt: skip
        if delivery.stream == self._retries:
            self._forget(delivery.entry_id)
        return pause_s

    def pause_after(self, failures: int) -> float:
        """Return the seconds to wait after so many failures: doubling, capped, 50 to 100 % of it at random."""
        doublings = min(failures - 1, 30)  # beyond that only the float would overflow
        pause_s = min(self._retry.cap_s, self._retry.base_s * 2.0**doublings)
        return pause_s * random.uniform(0.5, 1.0)  # noqa: S311 -- jitter, no secret

    async def bury(self, stream: str, entry_id: bytes, fields: list[bytes], error: BaseException) -> None:
        """Put the entry to the dead letters."""
        origin = deadletter.origin_of(error, stream, self._group, entry_id)
        await self._call(
            "EVAL", scripts.BURY, 2, stream, names.DEAD_LETTERS,
            self._group, entry_id, deadletter.LETTERS_MAX, *deadletter.pack(origin, fields),
        )  # fmt: skip
        if stream == self._retries:
            self._forget(entry_id)

    async def release(self) -> float | None:
        """Bring back what is due; returns the seconds until the next is, or None when nothing waits."""
        next_ms = await self._connection.call(
            "EVAL", scripts.RELEASE, 2, self._delayed, self._retries, codec.FIELD
        )
        return None if next_ms < 0 else float(next_ms) / 1000

    def _call(self, *words: Any) -> Any:
        return self._connection.call(*words, patience_s=ACK_PATIENCE_S)

    def _forget(self, *entry_ids: bytes) -> None:
        # Nobody waits for this one; a leftover entry is acknowledged and does no harm.
        with contextlib.suppress(BusError):
            self._call("XDEL", self._retries, *entry_ids).add_done_callback(unheeded)


def _pass_on(waiting: Iterable[asyncio.Future[None]], sent: asyncio.Future[Any]) -> None:
    _tell(waiting, asyncio.CancelledError() if sent.cancelled() else sent.exception())


def _tell(waiting: Iterable[asyncio.Future[None]], error: BaseException | None) -> None:
    for future in waiting:
        if future.done():  # its waiter was cancelled
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
