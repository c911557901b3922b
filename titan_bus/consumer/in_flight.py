"""The deliveries of one consumer, from the moment they are read until they are settled or given up.

The table owns the parts that have to agree: which deliveries are held, which wait for a handler, which wait behind
another one of their partition, and which wait for their next try in place. `intake` adds to it, `processor` takes
the next one out to handle it, `disposition` lets go what is settled, `claims` asks what is held.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable

from titan_bus.config import BusConfig
from titan_bus.consumer.delivery import Delivery, Key
from titan_bus.consumer.partitions import Partitions
from titan_bus.consumer.priorities import Priorities
from titan_bus.observability.counters import GroupCounters

PARKED_BATCHES = 10
"""So many times `read.count` may wait behind slow or failing keys of `partition_by`, or be held without the
acknowledgement that the program gives itself, before reading pauses."""


class InFlight:
    """Deliveries by their key; None stands for an entry that is no event.

    Args:
        counters: told how many are held.
        config: for the size of a batch and the weights of the priorities.
        auto_ack: False lets them be found by their event's id, too, which has its price.
        on_ready: called with how many deliveries wait for a handler more than before.
        on_room: called when there may be room for more.

    Attributes:
        paused: nothing is handled now, so nothing more is read or claimed.
    """

    def __init__(
        self,
        counters: GroupCounters,
        config: BusConfig,
        *,
        auto_ack: bool,
        on_ready: Callable[[int], None],
        on_room: Callable[[], None],
    ) -> None:
        self.paused = False
        self._counters = counters
        self._batch = config.read.count
        self._auto_ack = auto_ack
        self._on_ready = on_ready
        self._on_room = on_room
        self._held: dict[Key, Delivery | None] = {}
        self._of_event: dict[str, list[Key]] | None = None if auto_ack else {}
        self._backlog: Priorities[Delivery] = Priorities(config.priority_weights)
        self._partitions = Partitions()
        self._timers: set[asyncio.TimerHandle] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._held)

    @property
    def waiting(self) -> int:
        """How many wait for a handler."""
        return len(self._backlog)

    @property
    def closed(self) -> bool:
        """Whether nothing more is taken."""
        return self._closed

    def held(self) -> Collection[Key]:
        """Return a live view of what is held."""
        return self._held.keys()

    def has(self, delivery: Delivery) -> bool:
        """Whether this very delivery is held; not when it was acknowledged, or another took its place."""
        return self._held.get((delivery.stream, delivery.entry_id)) is delivery

    def of_event(self, event_id: str) -> list[Key]:
        """Return the keys of an event: more than one when it was published twice under its id."""
        if self._of_event is not None:
            return list(self._of_event.get(event_id, ()))
        return [
            key for key, held in self._held.items() if held is not None and held.event.event_id == event_id
        ]

    def never_begun(self) -> Iterable[Delivery]:
        """Return what no handler was called with."""
        return [held for held in self._held.values() if held is not None and not held.begun]

    def has_room(self) -> bool:
        """Whether more may be read."""
        ahead = 0 if self.paused or self._closed else self._batch
        parked = len(self._partitions) + len(self._timers) if self._auto_ack else len(self._held)
        return len(self._backlog) < ahead and parked < PARKED_BATCHES * ahead

    def has_share(self) -> bool:
        """Whether more may be claimed.

        What was claimed and not begun has a share of its own: reading fills all other room at once, and what was
        abandoned is the oldest there is.
        """
        claimed = sum(
            held is not None and held.delivered is not None and not held.begun for held in self._held.values()
        )
        return not self.paused and claimed < self._batch

    def hold(self, key: Key, delivery: Delivery | None) -> bool:
        """Hold a delivery; returns whether it may be handled now, and does not wait behind its partition.

        Raises:
            whatever the partition's own `__hash__` and `__eq__` do; then nothing has changed.
        """
        goes = delivery is None or self._partitions.enter(delivery)
        if key not in self._held:
            self._counters.in_flight += 1
            if self._of_event is not None and delivery is not None:
                self._of_event.setdefault(delivery.event.event_id, []).append(key)
        self._held[key] = delivery
        return goes

    def queue(self, batch: Iterable[Delivery]) -> None:
        """Let what arrived together wait for a handler, in the order of priority."""
        self._backlog.add([(delivery.event.meta.priority, delivery) for delivery in batch])
        self._on_ready(len(self._backlog))

    def next(self) -> Delivery | None:
        """Take out the delivery that is handled next; it stays held. None when none waits."""
        while self._backlog:
            delivery = self._backlog.pop()
            if self._auto_ack or self.has(delivery):  # else it was acknowledged before its turn
                return delivery
        return None

    def let_go(self, key: Key) -> None:
        """A delivery is settled or given up: whoever waits behind it in its partition goes on."""
        if key not in self._held:
            return
        delivery = self._held.pop(key)
        self._counters.in_flight -= 1
        following = None
        if delivery is not None:
            if self._of_event is not None:
                keys = self._of_event[delivery.event.event_id]
                keys.remove(key)
                if not keys:
                    del self._of_event[delivery.event.event_id]
            following = self._partitions.leave(delivery)
            if following is not None:
                self._dispatch(following)
        if following is not None or not self._auto_ack:
            self._on_room()

    def handle_again(self, delivery: Delivery, after_s: float) -> None:
        """Handle a delivery of a partition again after a pause, in its place, as long as it is held."""
        key = delivery.stream, delivery.entry_id
        if key not in self._held or self._closed:
            return  # acknowledged by hand meanwhile
        self._held[key] = delivery

        def again() -> None:
            self._timers.discard(timer)
            if self.has(delivery):
                self._dispatch(delivery)
            self._on_room()

        timer = asyncio.get_running_loop().call_later(after_s, again)
        self._timers.add(timer)

    def close(self) -> None:
        """Take nothing more and hand nothing out; what is held stays held, so that nobody else takes it yet."""
        self._closed = True
        self._backlog.clear()
        self._partitions.clear()
        for timer in self._timers:
            timer.cancel()

    def clear(self) -> None:
        """Give up everything."""
        self._counters.in_flight -= len(self._held)
        self._held.clear()
        if self._of_event is not None:
            self._of_event.clear()

    def _dispatch(self, delivery: Delivery) -> None:
        if not self._closed:
            self._backlog.add([(delivery.event.meta.priority, delivery)])
            self._on_ready(1)
