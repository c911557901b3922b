"""Batches: calls a handler that takes several events at once (`list[Event]`), at most `read.count` of them.

The handler's return acknowledges all of them. When it raises, each event is tried again alone, so that one bad
event does not take others to the dead letters. Events that failed before, or that were in flight when their
consumer died, come alone. A request comes alone, too, because the handler's return value is its reply.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from titan_bus.consumer.delivery import IGNORED, Delivery
from titan_bus.consumer.disposition import Disposition
from titan_bus.consumer.in_flight import InFlight
from titan_bus.consumer.limits import Gate
from titan_bus.consumer.spec import SubscriptionSpec
from titan_bus.event import Event
from titan_bus.observability.counters import GroupCounters
from titan_bus.observability.tracing import Tracing

BatchHandler = Callable[[list[Event]], Awaitable[object]]

logger = logging.getLogger("titan_bus")


class Batches:
    """The batches of one subscription.

    Args:
        size: how many events one has at most.
    """

    def __init__(
        self,
        spec: SubscriptionSpec,
        handler: BatchHandler,
        size: int,
        in_flight: InFlight,
        gate: Gate,
        disposition: Disposition,
        tracing: Tracing,
        counters: GroupCounters,
    ) -> None:
        self._name = f"titan_bus {spec.group} on {spec.topic}"
        self._spec = spec
        self._handler = handler
        self._size = size
        self._in_flight = in_flight
        self._gate = gate
        self._disposition = disposition
        self._tracing = tracing
        self._counters = counters

    def begun_by(self, first: Delivery, following: Callable[[], Delivery | None]) -> list[Delivery]:
        """Return the batch that begins with a delivery: those that wait now. It waits for no more."""
        batch = [first]
        while len(batch) < self._size and not _comes_alone(first) and self._gate.enter_at_once():
            delivery = following()
            if delivery is None or _comes_alone(delivery):
                self._gate.give_back()
                if delivery is not None:
                    self._in_flight.put_back(delivery)  # for another worker, or our own next step
                break
            batch.append(delivery)
        return batch

    async def handle(self, batch: Sequence[Delivery]) -> None:
        """Call the handler and settle all events of the batch."""
        try:
            with self._tracing.dispatching(batch[0].event, self._spec.group):
                await self._handle(batch)
        except Exception:  # a supervisor: without an outcome the server will deliver them again
            logger.exception("%s: no outcome for a batch of %d", self._name, len(batch))
            self._release(batch)
        except BaseException:  # cancelled from outside, or the program ends
            self._release(batch)
            raise

    async def _handle(self, batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            delivery.started_s = time.monotonic()
        began = time.perf_counter()
        try:
            with self._tracing.handling(batch[0].event):
                result = await self._handler([delivery.event for delivery in batch])
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            logger.warning("%s: handling of a batch of %d was cancelled", self._name, len(batch))
            self._release(batch)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 -- everything else that a handler raises is an outcome
            logger.info("%s: a batch of %d failed (%r), each is tried alone", self._name, len(batch), error)
            await asyncio.gather(*(self._disposition.try_alone(delivery) for delivery in batch))
        else:
            self._counters.handling.observe((time.perf_counter() - began) * 1000)
            if self._spec.auto_ack or result is IGNORED:
                for delivery in batch:
                    self._disposition.handled(delivery)

    def _release(self, batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            self._in_flight.release((delivery.stream, delivery.entry_id))


def _comes_alone(delivery: Delivery) -> bool:
    meta = delivery.event.meta
    return meta.retries > 0 or delivery.delivered is not None or meta.reply_to is not None
