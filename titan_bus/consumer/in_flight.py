"""The deliveries of one consumer, from reading until they are settled or given up.

The table owns the parts that have to agree: which deliveries are in flight, which wait for a handler, which wait
behind another one of their partition, and which wait for a retry in place. `intake` adds deliveries, `processor`
takes the next one to handle, `disposition` releases those that are settled, `claims` reads the keys.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable

from titan_bus.config import BusConfig
from titan_bus.consumer.delivery import Delivery, Key
from titan_bus.consumer.partitions import Partitions
from titan_bus.consumer.priorities import Priorities
from titan_bus.observability.counters import GroupCounters

PARKED_BATCHES = 10
"""How many batches (`read.count` each) may be in flight before reading pauses. Counted are deliveries that wait
behind slow or failing keys of `partition_by`; with `auto_ack=False`, all that are not acknowledged."""


class InFlight:
    """Deliveries by their key. The value is None for an entry that is no event.

    Args:
        counters: its `in_flight` is kept up to date.
        config: gives the size of a batch and the weights of the priorities.
        auto_ack: False also indexes the deliveries by event id, which costs time.
        on_ready: called with the number of deliveries that became ready for a handler.
        on_room: called when there may be room for more.

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
        self._paused = False
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
        self._claimed_ahead: set[Key] = set()
        self._claim_room = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._held)

    @property
    def waiting(self) -> int:
        """How many deliveries wait for a handler."""
        return len(self._backlog)

    @property
    def paused(self) -> bool:
        """Whether no handler is started now, so that nothing more is read or claimed."""
        return self._paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        self._paused = paused
        self._claim_room.set()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def entry_keys(self) -> Collection[Key]:
        """Return a live view of the keys."""
        return self._held.keys()

    def has(self, delivery: Delivery) -> bool:
        """Whether this object is in flight; False when it was acknowledged or replaced."""
        return self._held.get((delivery.stream, delivery.entry_id)) is delivery

    def of_event(self, event_id: str) -> list[Key]:
        """Return the keys of an event. There are several when it was published twice under its id."""
        if self._of_event is not None:
            return list(self._of_event.get(event_id, ()))
        return [
            key for key, held in self._held.items() if held is not None and held.event.event_id == event_id
        ]

    def not_started(self) -> Iterable[Delivery]:
        """Return the deliveries whose handler was not called yet."""
        return [held for held in self._held.values() if held is not None and held.started_s is None]

    def started(self) -> Iterable[tuple[bytes, float]]:
        """Return the entry ids of the deliveries whose handler was called, with when that was."""
        return [
            (held.entry_id, held.started_s)
            for held in self._held.values()
            if held is not None and held.started_s is not None
        ]

    def has_room(self) -> bool:
        """Whether more may be read."""
        ahead = 0 if self.paused or self._closed else self._batch
        parked = len(self._partitions) + len(self._timers) if self._auto_ack else len(self._held)
        return len(self._backlog) < ahead and parked < PARKED_BATCHES * ahead

    async def claim_room(self) -> bool:
        """Wait until more may be claimed; False when nothing will be any more.

        Claimed deliveries that are not started have a limit of their own: reading fills all other room at once,
        and the claimed events are the oldest. Half a batch has to be free, so that not every one costs a round.
        """
        while not self._closed and (self._paused or 2 * len(self._claimed_ahead) > self._batch):
            self._claim_room.clear()
            await self._claim_room.wait()
        return not self._closed

    def add(self, key: Key, delivery: Delivery | None) -> bool:
        """Add a delivery. Returns whether it may be handled now; False when it waits behind its partition.

        Raises:
            whatever the partition's own `__hash__` and `__eq__` raise; the table is then unchanged.
        """
        goes = delivery is None or self._partitions.enter(delivery)
        if key not in self._held:
            self._counters.in_flight += 1
            if self._of_event is not None and delivery is not None:
                self._of_event.setdefault(delivery.event.event_id, []).append(key)
        self._held[key] = delivery
        if delivery is not None and delivery.delivered is not None:
            self._claimed_ahead.add(key)
        return goes

    def queue(self, batch: Iterable[Delivery]) -> None:
        """Queue a batch for the handlers, by priority."""
        self._backlog.add([(delivery.event.meta.priority, delivery) for delivery in batch])
        self._on_ready(len(self._backlog))

    def put_back(self, delivery: Delivery) -> None:
        """Queue the delivery that `next` returned before all others of its priority: it was its turn."""
        self._backlog.put_back(delivery.event.meta.priority, delivery)
        if delivery.delivered is not None:
            self._claimed_ahead.add((delivery.stream, delivery.entry_id))
        self._on_ready(1)

    def next(self) -> Delivery | None:
        """Take the next delivery from the queue; it stays in flight. None when the queue is empty."""
        while self._backlog:
            delivery = self._backlog.pop()
            if self._claimed_ahead:
                self._begin_claimed((delivery.stream, delivery.entry_id))
            if self._auto_ack or self.has(delivery):  # else it was acknowledged while it was queued
                return delivery
        return None

    def release(self, key: Key) -> None:
        """Remove a delivery that is settled or given up; the next one of its partition becomes ready."""
        if key not in self._held:
            return
        if self._claimed_ahead:
            self._begin_claimed(key)
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

    def retry_later(self, delivery: Delivery, after_s: float) -> None:
        """Handle a delivery of a partition again after a pause. It keeps its place in the partition."""
        key = delivery.stream, delivery.entry_id
        if key not in self._held or self._closed:
            return  # acknowledged by the program meanwhile
        self._held[key] = delivery

        def again() -> None:
            self._timers.discard(timer)
            if self.has(delivery):
                self._dispatch(delivery)
            self._on_room()

        timer = asyncio.get_running_loop().call_later(after_s, again)
        self._timers.add(timer)

    def close(self) -> None:
        """Add and return nothing more. The deliveries stay in flight, so that no consumer claims them yet."""
        self._closed = True
        self._claim_room.set()
        self._backlog.clear()
        self._partitions.clear()
        for timer in self._timers:
            timer.cancel()

    def clear(self) -> None:
        """Remove all deliveries."""
        self._counters.in_flight -= len(self._held)
        self._held.clear()
        self._claimed_ahead.clear()
        if self._of_event is not None:
            self._of_event.clear()

    def _begin_claimed(self, key: Key) -> None:
        """Note that a delivery, claimed or not, does not wait for a handler any more."""
        self._claimed_ahead.discard(key)
        self._claim_room.set()

    def _dispatch(self, delivery: Delivery) -> None:
        if not self._closed:
            self._backlog.add([(delivery.event.meta.priority, delivery)])
            self._on_ready(1)
