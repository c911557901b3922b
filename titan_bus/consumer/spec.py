"""What a subscription is to be: which events, who shares them, and how they are handled."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass

from titan_bus.consumer.limits import RateLimit
from titan_bus.event import Event

Handler = Callable[[Event], Awaitable[object]]
PartitionBy = Callable[[Event], Hashable]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionSpec:
    """One subscription, as `bus.subscribe` was asked for it.

    Attributes:
        topic: which events.
        group: who shares them.
        handler: called with each event, already lifted to the newest version of its type.
        concurrency: how many handlers run at once.
        auto_ack: whether a handler's return acknowledges.
        start: where a group that is new begins.
        limits: what every event passes before its handler; the bus's own last.
        partition_by: which events need their order; None as a key needs none.
    """

    topic: str
    group: str
    handler: Handler
    concurrency: int
    auto_ack: bool
    start: str
    limits: Sequence[RateLimit] = ()
    partition_by: PartitionBy | None = None
