"""Decides the outcome of a delivery once its handler is done (acknowledge, retry, dead-letter) and counts it.

`processor` reports what happened, this module decides, `settlement` sends the command to the server.
"""

import asyncio
import logging
import time
from datetime import datetime

from titan_bus import codec
from titan_bus.consumer.delayed import Delayed
from titan_bus.consumer.delivery import Delivery, Key
from titan_bus.consumer.in_flight import InFlight
from titan_bus.consumer.settlement import Settlement
from titan_bus.deadletter import Overflow
from titan_bus.error_groups import decisive
from titan_bus.errors import BusError, EntryMalformedError, FatalError, RequestRefused
from titan_bus.observability.counters import GroupCounters
from titan_bus.request import Responder

logger = logging.getLogger("titan_bus")


class Disposition:
    """The outcomes of one subscription.

    Args:
        name: the subscription's name in the log.
        retry_limit: how often a failed event is tried again.

    Attributes:
        dead_lettering: the tasks that move malformed entries to the dead letters.
    """

    def __init__(
        self,
        name: str,
        settlement: Settlement,
        responder: Responder,
        counters: GroupCounters,
        retry_limit: int,
        in_flight: InFlight,
        delayed: Delayed,
    ) -> None:
        self.dead_lettering: set[asyncio.Task[None]] = set()
        self._name = name
        self._settlement = settlement
        self._responder = responder
        self._counters = counters
        self._retry_limit = retry_limit
        self._in_flight = in_flight
        self._delayed = delayed
        self._overflow = Overflow(name)
        self._unanswered = 0
        self._answered = asyncio.Event()

    def handled(self, delivery: Delivery) -> None:
        """Acknowledge: its handler returned. Only shutdown waits for the server's reply (`answered`)."""
        self._counters.latency.observe(max(0.0, time.time() * 1000 - _published_ms(delivery)))
        self._unanswered += 1
        self._settlement.acknowledge_then(delivery.stream, delivery.entry_id, self._handled)

    def expired(self, delivery: Delivery) -> None:
        """Acknowledge: the deadline of the request has passed."""
        self._counters.expired += 1
        self._dismiss(delivery)

    async def answered(self) -> None:
        """Wait until the server has answered every acknowledgement."""
        while self._unanswered:
            self._answered.clear()
            await self._answered.wait()

    async def failed(self, delivery: Delivery, error: BaseException) -> None:
        """Settle a delivery whose handler raised: answer a request, else retry or dead-letter it."""
        event, reason = delivery.event, decisive(error)
        if isinstance(reason, RequestRefused):
            self._counters.refused += 1
        else:
            self._counters.failed += 1
        if event.meta.reply_to is not None:
            # The requester waits: an answer now is worth more than one after the deadline.
            if not isinstance(reason, RequestRefused):
                logger.error("%s: request %s failed", self._name, event.event_id, exc_info=error)
            await self._responder.refuse(event, reason)
            self._dismiss(delivery)
        elif isinstance(reason, FatalError) or event.meta.retries >= self._retry_limit:
            logger.error("%s: %s goes to the dead letters", self._name, event.event_id, exc_info=error)
            await self._dead_letter(delivery.stream, delivery.entry_id, delivery.fields, error)
            self._in_flight.release((delivery.stream, delivery.entry_id))
        else:
            pause_s = await self._try_again(delivery)
            logger.info("%s: %s failed (%r), retried in %.1f s", self._name, event.event_id, error, pause_s)

    async def try_alone(self, delivery: Delivery) -> None:
        """Retry a delivery of a batch whose handler raised: another one may be at fault."""
        self._counters.failed += 1
        try:
            await self._try_again(delivery)
        except BusError as trouble:
            logger.warning("%s: no outcome for %s: %s", self._name, delivery.event.event_id, trouble)
            self._in_flight.release((delivery.stream, delivery.entry_id))

    def reject(self, key: Key, fields: list[bytes], error: BaseException) -> None:
        """Dead-letter in the background an entry that is no event, or whose partition cannot be computed."""
        malformed = isinstance(error, EntryMalformedError)
        what = "is no event" if malformed else "has no partition"
        logger.error(
            "%s: entry %s %s: %s", self._name, key[1].decode(), what, error,
            exc_info=None if malformed else error,
        )  # fmt: skip
        self._in_flight.add(key, None)
        task = asyncio.create_task(self._dead_letter_held(key, fields, error), name=self._name)
        self.dead_lettering.add(task)
        task.add_done_callback(self.dead_lettering.discard)

    async def dead_letter(
        self, stream: str, entry_id: bytes, fields: list[bytes], error: BaseException
    ) -> None:
        """Move an entry to the dead letters. If that fails, it stays unacknowledged."""
        try:
            await self._dead_letter(stream, entry_id, fields, error)
        except BusError as trouble:
            logger.warning("%s: %s stays unacknowledged: %s", self._name, entry_id.decode(), trouble)

    async def _dead_letter(
        self, stream: str, entry_id: bytes, fields: list[bytes], error: BaseException
    ) -> None:
        gone = await self._settlement.dead_letter(stream, entry_id, fields, error)
        self._counters.dead += 1
        self._counters.displaced += gone
        self._overflow.note(gone)

    async def _dead_letter_held(self, key: Key, fields: list[bytes], error: BaseException) -> None:
        try:
            await self.dead_letter(*key, fields, error)
        finally:
            self._in_flight.release(key)

    async def _try_again(self, delivery: Delivery) -> float:
        self._counters.retried += 1
        if delivery.partition is None:
            pause_s = await self._settlement.postpone(delivery)
            self._delayed.added()
            self._in_flight.release((delivery.stream, delivery.entry_id))
            return pause_s
        # Retried in place, because later events of the partition must not overtake it. It stays in flight on this
        # consumer.
        retries = delivery.event.meta.retries + 1
        encoded = codec.with_retries(codec.body(delivery.fields), retries)
        pause_s = self._settlement.pause_after(retries)
        fields = [codec.FIELD, encoded]
        event = codec.decode_body(encoded)
        again = Delivery(delivery.stream, delivery.entry_id, fields, event, delivery.partition)
        self._in_flight.retry_later(again, pause_s)
        return pause_s

    def _dismiss(self, delivery: Delivery) -> None:
        self._unanswered += 1
        self._settlement.acknowledge_then(delivery.stream, delivery.entry_id, self._dismissed)

    def _handled(self, stream: str, entry_id: bytes, error: BaseException | None) -> None:
        if error is None:
            self._counters.handled += 1
        self._dismissed(stream, entry_id, error)

    def _dismissed(self, stream: str, entry_id: bytes, error: BaseException | None) -> None:
        if error is not None:  # still pending: the server will deliver it again
            logger.warning("%s: no outcome for %s: %s", self._name, entry_id.decode(), error)
        self._in_flight.release((stream, entry_id))
        self._unanswered -= 1
        if not self._unanswered:
            self._answered.set()


def _published_ms(delivery: Delivery) -> float:
    """Return when the event was published, by the server's clock; for a retry, by the publisher's clock."""
    if delivery.event.meta.retries:
        try:
            return datetime.fromisoformat(delivery.event.timestamp).timestamp() * 1000
        except ValueError:  # programs in other languages may write another format
            pass
    return float(delivery.entry_id.partition(b"-")[0])
