"""The definition of a subscription: its events, its group, and how they are handled."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass

from titan_bus.consumer.limits import RateLimit
from titan_bus.event import Event

Handler = Callable[[Event], Awaitable[object]]
PartitionBy = Callable[[Event], Hashable]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionSpec:
    """The arguments of one `bus.subscribe`.

    Attributes:
        topic: the topic to consume.
        group: the consumer group that shares the events.
        handler: called with each event, upcast to the newest version of its type.
        batch_handler: called with several events where there are (`batches`); None for one at a time.
        concurrency: how many handlers run at once.
        auto_ack: whether a handler's return acknowledges.
        start: the entry id at which a new group begins.
        limits: the rate limits, the bus's own last.
        partition_by: gives the key within which events are handled in order; None as a key needs no order.
    """

    topic: str
    group: str
    handler: Handler
    concurrency: int
    auto_ack: bool
    start: str
    limits: Sequence[RateLimit] = ()
    partition_by: PartitionBy | None = None
    batch_handler: Callable[[list[Event]], Awaitable[object]] | None = None
