"""Prefix sums that change: the heights of the rows, and which row stands at a pixel.

Source: P. Fenwick, "A New Data Structure for Cumulative Frequency Tables", 1994. Used by the message list
only.
"""

from collections.abc import Iterable


class Fenwick:
    """A list of non-negative integers with sums of its beginnings; changing one and finding one take log n steps.

    Args:
        values: the first content, in order.
    """

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._values: list[int] = list(values)
        self._tree: list[int] = []
        self._build()

    def _build(self) -> None:
        tree = [0, *self._values]
        for node in range(1, len(tree)):
            parent = node + (node & -node)
            if parent < len(tree):
                tree[parent] += tree[node]
        self._tree = tree

    def __len__(self) -> int:
        """How many values there are."""
        return len(self._values)

    def __getitem__(self, index: int) -> int:
        """The value at `index`."""
        return self._values[index]

    def __setitem__(self, index: int, value: int) -> None:
        """Change one value."""
        difference = value - self._values[index]
        if not difference:
            return
        self._values[index] = value
        node = index + 1
        while node < len(self._tree):
            self._tree[node] += difference
            node += node & -node

    def insert(self, index: int, values: Iterable[int]) -> None:
        """Insert values before `index`: log n steps a value at the end, elsewhere the tree is built anew."""
        if index < len(self._values):
            self._values[index:index] = values
            self._build()
            return
        for value in values:
            node = len(self._tree)
            below = node - (node & -node)
            self._tree.append(value + self.before(node - 1) - self.before(below))
            self._values.append(value)

    def before(self, index: int) -> int:
        """The sum of the values before `index`: the y of a row."""
        total = 0
        while index > 0:
            total += self._tree[index]
            index -= index & -index
        return total

    @property
    def total(self) -> int:
        """The sum of all values."""
        return self.before(len(self._values))

    def find(self, position: int) -> int:
        """The index whose span holds `position`: the last one with `before(index) <= position`, 0 when empty."""
        index, step = 0, 1 << len(self._values).bit_length()
        while step:
            node = index + step
            if node < len(self._tree) and self._tree[node] <= position:
                index = node
                position -= self._tree[node]
            step >>= 1
        return max(0, min(index, len(self._values) - 1))
