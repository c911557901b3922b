"""Order within a key (`partition_by`): of the deliveries of one partition only one is active at a time."""

from collections import deque
from typing import TYPE_CHECKING

from titan_bus.consumer.delivery import Delivery, Key

if TYPE_CHECKING:
    from collections.abc import Hashable


class _Partition:
    """The key of the active delivery, and the deliveries that wait behind it."""

    __slots__ = ("behind", "first")

    def __init__(self, first: Key) -> None:
        self.first = first
        self.behind: deque[Delivery] = deque()


class Partitions:
    """The partitions in flight: one active delivery each, and those that wait behind it."""

    def __init__(self) -> None:
        self._partitions: dict[Hashable, _Partition] = {}
        self._length = 0

    def __len__(self) -> int:
        """How many deliveries wait."""
        return self._length

    def enter(self, delivery: Delivery) -> bool:
        """Add a delivery. Returns whether it is active now; otherwise it waits.

        Raises whatever the key's own `__hash__` and `__eq__` raise; nothing is changed then.
        """
        if delivery.partition is None:
            return True
        partition = self._partitions.get(delivery.partition)
        if partition is None:
            self._partitions[delivery.partition] = _Partition((delivery.stream, delivery.entry_id))
            return True
        partition.behind.append(delivery)
        self._length += 1
        return False

    def leave(self, delivery: Delivery) -> Delivery | None:
        """Remove a settled delivery. Returns the one that becomes active, or None."""
        if delivery.partition is None:
            return None
        partition = self._partitions.get(delivery.partition)
        if partition is None:
            return None
        if partition.first != (delivery.stream, delivery.entry_id):
            partition.behind.remove(delivery)
            self._length -= 1
            return None
        if not partition.behind:
            del self._partitions[delivery.partition]
            return None
        self._length -= 1
        following = partition.behind.popleft()
        partition.first = (following.stream, following.entry_id)
        return following

    def clear(self) -> None:
        """Remove everything."""
        self._partitions.clear()
        self._length = 0
