"""What becomes of a delivery once its handler is done: acknowledged, tried again, buried. And the count of it.

`processor` says what happened, this decides, `settlement` tells the server.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime

from titan_bus import codec
from titan_bus.consumer.delivery import Delivery, Key
from titan_bus.consumer.settlement import Settlement
from titan_bus.deadletter import Overflow
from titan_bus.errors import FatalError, RequestRefused
from titan_bus.observability.counters import GroupCounters
from titan_bus.request import Responder

logger = logging.getLogger("titan_bus")


class Disposition:
    """The outcomes of one subscription.

    Args:
        name: who, for the log.
        retry_limit: how often a failed event is tried again.
        let_go: called when a delivery is no longer in flight, with or without an outcome.
        again: called with a delivery of a partition that is to be handled again after so many seconds.
        postponed: called when an event waits in the delayed set.
    """

    def __init__(
        self,
        name: str,
        settlement: Settlement,
        responder: Responder,
        counters: GroupCounters,
        retry_limit: int,
        let_go: Callable[[Key], None],
        again: Callable[[Delivery, float], None],
        postponed: Callable[[], None],
    ) -> None:
        self._name = name
        self._settlement = settlement
        self._responder = responder
        self._counters = counters
        self._retry_limit = retry_limit
        self._let_go = let_go
        self._again = again
        self._postponed = postponed
        self._overflow = Overflow(name)
        self._unanswered = 0
        self._answered = asyncio.Event()

    def handled(self, delivery: Delivery) -> None:
        """Its handler returned: acknowledge. Nobody waits for the server's answer but the end (`answered`)."""
        self._counters.latency.observe(max(0.0, time.time() * 1000 - _published_ms(delivery)))
        self._unanswered += 1
        self._settlement.acknowledge_then(delivery.stream, delivery.entry_id, self._handled)

    def expired(self, delivery: Delivery) -> None:
        """Nobody waits for its answer any more: acknowledge."""
        self._counters.expired += 1
        self._dismiss(delivery)

    async def answered(self) -> None:
        """Wait until the server has answered every acknowledgement."""
        while self._unanswered:
            self._answered.clear()
            await self._answered.wait()

    async def failed(self, delivery: Delivery, error: BaseException) -> None:
        """Its handler raised: answer who waits, bury what is beyond trying again, try the rest again."""
        event = delivery.event
        if isinstance(error, RequestRefused):
            self._counters.refused += 1
        else:
            self._counters.failed += 1
        if event.meta.reply_to is not None:
            # Somebody waits: an answer now is worth more than one after the deadline.
            if not isinstance(error, RequestRefused):
                logger.error("%s: request %s failed", self._name, event.event_id, exc_info=error)
            await self._responder.refuse(event, error)
            self._dismiss(delivery)
        elif isinstance(error, FatalError) or event.meta.retries >= self._retry_limit:
            logger.error("%s: %s goes to the dead letters", self._name, event.event_id, exc_info=error)
            await self.bury(delivery.stream, delivery.entry_id, delivery.fields, error)
            self._let_go((delivery.stream, delivery.entry_id))
        else:
            pause_s = await self._try_again(delivery)
            logger.info("%s: %s failed (%r), again in %.1f s", self._name, event.event_id, error, pause_s)

    async def bury(self, stream: str, entry_id: bytes, fields: list[bytes], error: BaseException) -> None:
        """Put an entry to the dead letters."""
        gone = await self._settlement.bury(stream, entry_id, fields, error)
        self._counters.dead += 1
        self._counters.displaced += gone
        self._overflow.note(gone)

    async def _try_again(self, delivery: Delivery) -> float:
        self._counters.retried += 1
        if delivery.partition is None:
            pause_s = await self._settlement.postpone(delivery)
            self._postponed()
            self._let_go((delivery.stream, delivery.entry_id))
            return pause_s
        # In place: those behind it in the partition must not overtake it. It stays in flight, and so stays ours.
        retries = delivery.event.meta.retries + 1
        encoded = codec.with_retries(codec.body(delivery.fields), retries)
        pause_s = self._settlement.pause_after(retries)
        fields = [codec.FIELD, encoded]
        event = codec.decode_body(encoded)
        self._again(Delivery(delivery.stream, delivery.entry_id, fields, event, delivery.partition), pause_s)
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
        self._let_go((stream, entry_id))
        self._unanswered -= 1
        if not self._unanswered:
            self._answered.set()


def _published_ms(delivery: Delivery) -> float:
    """Return when the event came to the server; by its publisher's clock when it was tried again since."""
    if delivery.event.meta.retries:
        try:
            return datetime.fromisoformat(delivery.event.timestamp).timestamp() * 1000
        except ValueError:  # a program of another language may write it otherwise
            pass
    return float(delivery.entry_id.partition(b"-")[0])
