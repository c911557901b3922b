"""What one consumer has in flight: delivered by the server, neither settled nor let go. Used by `processor`."""

from collections.abc import Collection, Iterable

from titan_bus.consumer.delivery import Delivery, Key
from titan_bus.observability.counters import GroupCounters


class InFlight:
    """Deliveries by their key; None stands for an entry that is no event.

    Args:
        by_event: find them by their event's id, too. Who acknowledges by hand needs that; it has its price.
    """

    def __init__(self, counters: GroupCounters, *, by_event: bool) -> None:
        self._counters = counters
        self._held: dict[Key, Delivery | None] = {}
        self._of_event: dict[str, list[Key]] | None = {} if by_event else None

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: Key) -> bool:
        return key in self._held

    def keys(self) -> Collection[Key]:
        """Return what is in flight now, and goes on to be."""
        return self._held.keys()

    def has(self, delivery: Delivery) -> bool:
        """Whether this very delivery is in flight; not when it was acknowledged, or another took its place."""
        return self._held.get((delivery.stream, delivery.entry_id)) is delivery

    def take(self, key: Key, delivery: Delivery | None) -> None:
        """Add a delivery, or put it in the place of the one with its key."""
        if key not in self._held:
            self._counters.in_flight += 1
            if self._of_event is not None and delivery is not None:
                self._of_event.setdefault(delivery.event.event_id, []).append(key)
        self._held[key] = delivery

    def let_go(self, key: Key) -> Delivery | None:
        """Let go what has this key; returns it.

        Raises:
            KeyError: nothing in flight has it.
        """
        delivery = self._held.pop(key)
        self._counters.in_flight -= 1
        if self._of_event is not None and delivery is not None:
            keys = self._of_event[delivery.event.event_id]
            keys.remove(key)
            if not keys:
                del self._of_event[delivery.event.event_id]
        return delivery

    def of_event(self, event_id: str) -> list[Key]:
        """Return the keys of an event: more than one when it was published twice under its id."""
        if self._of_event is not None:
            return list(self._of_event.get(event_id, ()))
        return [
            key for key, held in self._held.items() if held is not None and held.event.event_id == event_id
        ]

    def claimed(self) -> int:
        """Return how many were taken over and have not been begun."""
        return sum(
            held is not None and held.delivered is not None and not held.begun for held in self._held.values()
        )

    def never_begun(self) -> Iterable[Delivery]:
        """Return what no handler was called with."""
        return [held for held in self._held.values() if held is not None and not held.begun]

    def clear(self) -> None:
        """Let everything go."""
        self._counters.in_flight -= len(self._held)
        self._held.clear()
        if self._of_event is not None:
            self._of_event.clear()
