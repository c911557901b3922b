"""The subscriptions of one bus, from its opening to its close. `bus` calls it, and nobody else.

A subscription is a leased consumer name, a reader and a processor. This module decides what its handler is called
with: one event or several, upcast, within the time limit.
"""

import asyncio

from titan_bus.config import BusConfig
from titan_bus.connections.server import Server
from titan_bus.consumer import time_limit
from titan_bus.consumer.identity import ConsumerNames
from titan_bus.consumer.limits import RateLimit
from titan_bus.consumer.processor import Processor
from titan_bus.consumer.reader import Readers
from titan_bus.consumer.spec import SubscriptionSpec
from titan_bus.consumer.subscription import Subscription
from titan_bus.declaring.options import Options, checked
from titan_bus.declaring.signatures import AnyHandler, bind
from titan_bus.declaring.upcast import Upcasters
from titan_bus.errors import EventNotHeldError
from titan_bus.observability.counters import Counters
from titan_bus.observability.tracing import Tracing
from titan_bus.request import Responder


class Subscriptions:
    """The running subscriptions.

    Args:
        upcasters: applied to every event before its handler and its `partition_by` see it.
        limit: the rate limit of the whole bus.
    """

    def __init__(
        self,
        server: Server,
        config: BusConfig,
        responder: Responder,
        tracing: Tracing,
        counters: Counters,
        upcasters: Upcasters,
        limit: RateLimit | None,
    ) -> None:
        self._server = server
        self._config = config
        self._responder = responder
        self._tracing = tracing
        self._counters = counters
        self._upcasters = upcasters
        self._limit = limit
        self._readers = Readers(server, config.read)
        self._names = ConsumerNames(server.connection, config)
        self._processors: list[Processor] = []

    async def start(self, topic: str, group: str, handler: AnyHandler, options: Options) -> Subscription:
        """Begin to handle the events of a topic; `options` names all of them. See `Bus.subscribe`."""
        spec = self._spec(topic, group, handler, options)
        consumer = await self._names.lease(topic, group)
        processor = Processor(
            self._server.connection, self._readers.reader(topic, group, consumer), consumer, self._config,
            self._responder, self._tracing, self._counters.group(topic, group), spec,
        )  # fmt: skip
        self._processors.append(processor)
        try:
            await processor.start()
        except BaseException:
            self._forget(processor)
            raise
        return Subscription(processor, self._config.drain_s, self._forget)

    def _spec(self, topic: str, group: str, handler: AnyHandler, options: Options) -> SubscriptionSpec:
        bound, lift = checked(bind(handler), topic, group, options), self._upcasters.apply
        timeout_s, partition_by = options["timeout_s"], options["partition_by"]
        call = bound.call if timeout_s is None else time_limit.limited(bound.call, timeout_s)
        own_rate = self._config.stream(topic).rate_limit
        own_limit = RateLimit(own_rate) if own_rate is not None else None
        return SubscriptionSpec(
            topic=topic, group=group, concurrency=options["concurrency"], auto_ack=options["auto_ack"],
            start=options["start"],
            handler=lambda event: call([lift(event)] if bound.batch else lift(event)),
            batch_handler=(lambda events: call(list(map(lift, events)))) if bound.batch else None,
            limits=[limit for limit in (own_limit, self._limit) if limit is not None],
            partition_by=None if partition_by is None else lambda event: partition_by(lift(event)),
        )  # fmt: skip

    async def acknowledge(self, event_id: str) -> None:
        """Acknowledge an event in every subscription that has it in flight.

        Raises:
            EventNotHeldError: none has.
        """
        holders = [processor for processor in self._processors if processor.holds(event_id)]
        if not holders:
            raise EventNotHeldError(event_id)
        for processor in holders:
            await processor.acknowledge(event_id)

    async def stop(self, drain_s: float) -> None:
        """Stop all. Handlers that take longer are cancelled, and their events stay unacknowledged."""
        await asyncio.gather(*(processor.stop(drain_s) for processor in self._processors))
        self._processors.clear()

    async def release_names(self) -> None:
        """Give the consumers' names back, after the last handler has ended."""
        await self._names.close()

    def _forget(self, processor: Processor) -> None:
        if processor in self._processors:
            self._processors.remove(processor)
            self._names.release_soon(processor.topic, processor.group)
