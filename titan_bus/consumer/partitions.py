"""Order within a key (`partition_by`): of the deliveries of one partition only one is on its way at a time."""

from collections import deque
from typing import TYPE_CHECKING

from titan_bus.consumer.delivery import Delivery

if TYPE_CHECKING:
    from collections.abc import Hashable


class Partitions:
    """The partitions in hand, and what waits behind the one delivery of each that is on its way."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[Delivery]] = {}
        self._length = 0

    def __len__(self) -> int:
        """How many deliveries wait."""
        return self._length

    def enter(self, delivery: Delivery) -> bool:
        """Whether this delivery may go on its way now; if not, it waits for its turn."""
        if delivery.partition is None:
            return True
        behind = self._waiting.get(delivery.partition)
        if behind is None:
            self._waiting[delivery.partition] = deque()
            return True
        behind.append(delivery)
        self._length += 1
        return False

    def leave(self, delivery: Delivery) -> Delivery | None:
        """A delivery that was on its way is settled; returns the one whose turn it is now."""
        if delivery.partition is None:
            return None
        behind = self._waiting.get(delivery.partition)
        if not behind:
            self._waiting.pop(delivery.partition, None)
            return None
        self._length -= 1
        return behind.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._length = 0
