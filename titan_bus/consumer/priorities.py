"""The queue of deliveries that wait for a handler, ordered by priority. Used by `in_flight`; knows no events.

Within one batch the heavier priority comes first. Between batches the priorities share: a lighter one whose first
item is older than those of the heavier ones is picked in proportion to the weights, so high never starves low. The
shares use stride scheduling (Waldspurger and Weihl, 1995), whose bound also holds when priorities come and go: a
priority that shares is next after at most `sum(w // own + 1)` picks, w over the weights of the others.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from titan_bus.event import Priority

T = TypeVar("T")
NOT_LISTED = 1
"""The weight of a priority that the configuration does not name."""


class _Lane(Generic[T]):
    """The items of one weight, each with its batch number. Among lanes that share, the least `turn` is next."""

    __slots__ = ("items", "stride", "turn", "weight")

    def __init__(self, weight: int) -> None:
        self.weight = weight
        self.stride = 1 / weight
        self.turn = 0.0
        self.items: deque[tuple[int, T]] = deque()


class Priorities(Generic[T]):
    """A queue of batches. Priorities of equal weight share a lane, in order of arrival."""

    def __init__(self, weights: Mapping[Priority, int]) -> None:
        lanes: dict[int, _Lane[T]] = {}
        self._lane_of: dict[Priority, _Lane[T]] = {}
        for priority in Priority:
            weight = weights.get(priority, NOT_LISTED)
            self._lane_of[priority] = lanes.setdefault(weight, _Lane(weight))
        self._lanes = sorted(lanes.values(), key=lambda lane: lane.weight, reverse=True)
        self._length = 0
        self._batch = 0
        self._turn = 0.0

    def __len__(self) -> int:
        return self._length

    def add(self, batch: Iterable[tuple[Priority, T]]) -> None:
        """Add a batch."""
        self._batch += 1
        for priority, item in batch:
            self._lane_of[priority].items.append((self._batch, item))
            self._length += 1

    def put_back(self, priority: Priority, item: T) -> None:
        """Add an item that was taken from the queue, before all others of its priority."""
        self._lane_of[priority].items.appendleft((0, item))
        self._length += 1

    def pop(self) -> T:
        """Remove and return the next item.

        Raises:
            IndexError: the queue is empty.
        """
        lane = self._next()
        self._length -= 1
        return lane.items.popleft()[1]

    def clear(self) -> None:
        """Remove everything."""
        for lane in self._lanes:
            lane.items.clear()
        self._length = 0

    def _next(self) -> _Lane[T]:
        """Return the lane whose head is next: the heaviest, or one of those that share with it."""
        sharing: list[_Lane[T]] = []
        oldest = self._batch + 1
        for lane in self._lanes:  # the heaviest first
            if lane.items and lane.items[0][0] < oldest:
                oldest = lane.items[0][0]
                sharing.append(lane)
        if not sharing:
            raise IndexError("the queue is empty")
        if len(sharing) == 1:
            return sharing[0]
        for lane in sharing:  # a lane collects no turns while there is nothing to share
            lane.turn = max(lane.turn, self._turn)
        chosen = min(sharing, key=lambda lane: lane.turn)
        self._turn = chosen.turn
        chosen.turn += chosen.stride
        return chosen
