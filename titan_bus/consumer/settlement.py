"""Sends the outcome of a delivery: acknowledge, schedule a retry, or dead-letter. Each is one atomic step."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from titan_bus import codec, deadletter, names, scripts
from titan_bus.backoff import Backoff
from titan_bus.config import RetryConfig
from titan_bus.connections.connection import Connection, ignore_failure
from titan_bus.consumer.delivery import Delivery
from titan_bus.errors import BusError, ServerRefusedError

ACK_PATIENCE_S = 30.0
"""How long an outcome waits for a lost server; longer than a publish, because without it the event is handled
again."""

Then = Callable[[str, bytes, BaseException | None], None]
"""Called with a stream, an entry id, and the error that prevented the acknowledgement, or None."""


class Settlement:
    """Settles the deliveries of one group on one topic."""

    def __init__(self, connection: Connection, topic: str, group: str, retry: RetryConfig) -> None:
        self._connection = connection
        self._group = group
        self._retries = names.retries_of(group, topic)
        self._delayed = names.delayed_of(group, topic)
        self._retry = retry
        self._backoff = Backoff(retry.base_s, retry.cap_s)
        self._handled: dict[str, list[tuple[bytes, Then]]] = {}

    def acknowledge(self, stream: str, entry_id: bytes) -> asyncio.Future[None]:
        """Acknowledge, and return a future of the server's reply. Cancelling the future does not undo it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def then(_stream: str, _entry_id: bytes, error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

        self.acknowledge_then(stream, entry_id, then)
        return future

    def acknowledge_then(self, stream: str, entry_id: bytes, then: Then) -> None:
        """Acknowledge, and call `then` with the server's reply. `then` must not raise.

        The acknowledgements of one turn of the loop are sent in one command. `then` is a callback because a future
        would cost a third of consuming an event.
        """
        if not self._handled:
            asyncio.get_running_loop().call_soon(self._send_acknowledgements)
        self._handled.setdefault(stream, []).append((entry_id, then))

    def _send_acknowledgements(self) -> None:
        handled, self._handled = self._handled, {}
        for stream, waiting in handled.items():
            ids = [entry_id for entry_id, _ in waiting]
            try:
                sent = self._call("XACK", stream, self._group, *ids)
            except BusError as error:
                _notify(stream, waiting, error)
                continue
            sent.add_done_callback(partial(_notify_when_sent, stream, waiting))
            if stream == self._retries:  # no other group reads it, so settled entries are deleted
                self._forget(*ids)

    async def postpone(self, delivery: Delivery) -> float:
        """Schedule a retry for this group. Returns the pause in seconds."""
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

    async def hand_back(self, deliveries: Iterable[Delivery]) -> None:
        """Redeliver events that were not started to this group at once. It does not count as a retry.

        Events that failed just now for the first time are redelivered, too: other consumers check the delayed set
        rarely.
        """
        deliveries = tuple(deliveries)
        sent = [
            self._call(
                "EVAL", scripts.SCHEDULE, 2, delivery.stream, self._delayed,
                self._group, delivery.entry_id, 0, codec.body(delivery.fields),
            )
            for delivery in deliveries
        ]  # fmt: skip
        await asyncio.gather(*sent)
        if again := [delivery.entry_id for delivery in deliveries if delivery.stream == self._retries]:
            self._forget(*again)
        while (next_s := await self.redeliver_due()) is not None and next_s <= self._retry.base_s:  # noqa: ASYNC110 -- the server's clock decides
            await asyncio.sleep(next_s)

    def pause_after(self, failures: int) -> float:
        """Return the pause after this many failures in seconds: doubling, capped, 50 to 100 % of it at random."""
        return self._backoff.pause_s(failures)

    async def dead_letter(
        self, stream: str, entry_id: bytes, fields: list[bytes], error: BaseException
    ) -> int:
        """Move the entry to the dead letters. Returns how many of the oldest dead letters were dropped for it."""
        origin = deadletter.origin_of(error, stream, self._group, entry_id)
        letter = deadletter.pack(origin, fields)
        gone = None if len(letter) > scripts.WORDS_MAX else await self._move_at_once(stream, entry_id, letter)
        if gone is None and not await self._call("XPENDING", stream, self._group, entry_id, entry_id, 1):
            return 0  # erased meanwhile, or already dead-lettered
        if gone is None:
            # The dead letter is written first: a kill in between doubles it, and never loses it.
            before, _, after = await asyncio.gather(
                self._call("XLEN", names.DEAD_LETTERS),
                self._call(
                    "XADD", names.DEAD_LETTERS, "MAXLEN", "~", deadletter.DEAD_LETTERS_MAX, "*", *letter
                ),
                self._call("XLEN", names.DEAD_LETTERS),
            )
            gone = max(0, before + 1 - after)  # others may have written or removed some in between
            await self._call("XACK", stream, self._group, entry_id)
        if stream == self._retries:
            self._forget(entry_id)
        return gone

    async def _move_at_once(self, stream: str, entry_id: bytes, letter: list[bytes]) -> int | None:
        """Write the dead letter and acknowledge in one step; None in a cluster, where the keys have two slots."""
        try:
            gone: int = await self._call(
                "EVAL", scripts.DEAD_LETTER, 2, stream, names.DEAD_LETTERS,
                self._group, entry_id, deadletter.DEAD_LETTERS_MAX, *letter,
            )  # fmt: skip
        except ServerRefusedError as refusal:
            if refusal.code != "CROSSSLOT":
                raise
            return None
        return gone

    async def redeliver_due(self) -> float | None:
        """Move what is due to the retry stream. Returns the seconds until the next is due, or None."""
        next_ms = await self._connection.call(
            "EVAL", scripts.REDELIVER_DUE, 2, self._delayed, self._retries, codec.FIELD
        )
        return None if next_ms < 0 else float(next_ms) / 1000

    def _call(self, *words: Any) -> Any:
        return self._connection.call(*words, patience_s=ACK_PATIENCE_S)

    def _forget(self, *entry_ids: bytes) -> None:
        # Not awaited: an entry that stays is acknowledged and does no harm.
        with contextlib.suppress(BusError):
            self._call("XDEL", self._retries, *entry_ids).add_done_callback(ignore_failure)


def _notify_when_sent(stream: str, waiting: list[tuple[bytes, Then]], sent: asyncio.Future[Any]) -> None:
    _notify(stream, waiting, asyncio.CancelledError() if sent.cancelled() else sent.exception())


def _notify(stream: str, waiting: list[tuple[bytes, Then]], error: BaseException | None) -> None:
    for entry_id, then in waiting:
        then(stream, entry_id, error)
