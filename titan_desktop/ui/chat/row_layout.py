"""Where the rows of the conversation stand: heights, the anchor and the end. Numbers alone, no Qt.

A height is estimated at first, and exact once its row was shown. The layout is given by an anchor, a row and its
y in the view, never by the scroll bar's value. So a height above that turns out different, or an older page that
comes in, moves nothing under the reader's eyes. At the end the anchor is the last row's lower edge (`sticky`),
until the person scrolls away. Used by `message_rows`.
"""

from collections.abc import Callable, Iterable

from titan_desktop.ui.chat.fenwick import Fenwick

TOP, BOTTOM = 20, 12
"""The margins above the first row and below the last one."""


class RowLayout:
    """The layout of one list. All numbers are pixels; y counts from the view's upper edge.

    Args:
        heights: of the first rows, estimated.

    Attributes:
        heights: of all rows.
        row: the anchor.
        y: where the anchor stands.
        sticky: the end is in view and stays there.
        slack: how much higher than the view's lower edge the end may stand, after something was folded.
    """

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self.heights = Fenwick(heights)
        self.row, self.y = 0, TOP
        self.sticky = True
        self.slack = 0

    @property
    def extent(self) -> int:
        """The height of everything, margins and slack included."""
        return TOP + self.heights.total + BOTTOM + self.slack

    @property
    def position(self) -> int:
        """How far the view is below the beginning: the scroll bar's value."""
        return TOP + self.heights.before(self.row) - self.y

    def insert(self, first: int, heights: Iterable[int]) -> None:
        """Insert rows before `first`; what is seen stays where it is."""
        count = len(self.heights)
        self.heights.insert(first, heights)
        if count and first <= self.row:
            self.row += len(self.heights) - count

    def hold(self, row: int, y: int, slack: int | None = None) -> None:
        """Make a row the anchor, and let go of the end; with None the slack stays as it is."""
        self.sticky = False
        self.row, self.y = row, y
        if slack is not None:
            self.slack = slack

    def go_to(self, position: int) -> None:
        """Anchor the row at a value of the scroll bar."""
        below_top = max(0, position - TOP)
        self.row = self.heights.find(below_top)
        self.y = self.heights.before(self.row) - below_top

    def fill(self, view: int, measure: Callable[[int], int]) -> list[tuple[int, int]]:
        """Fill the view from the anchor, downwards and upwards.

        Args:
            view: the view's height.
            measure: stores the exact height of a row in `heights`, and returns it.

        Returns:
            The rows that begin above the view's lower edge, each with its y, in order.
        """
        count = len(self.heights)
        if not count:
            return []
        row, y = min(self.row, count - 1), self.y
        if self.sticky:
            self.slack = 0
            row = count - 1
            y = view - BOTTOM - measure(row)
        last, bottom = row, y + measure(row)
        while bottom < view and last + 1 < count:
            last += 1
            bottom += measure(last)
        blank = view - BOTTOM - bottom if last + 1 == count else 0
        self.slack = max(0, min(self.slack, blank))
        y += max(0, blank - self.slack)  # nothing below: the last row goes down to the edge
        first, top = row, y
        while top > 0 and first > 0:
            first -= 1
            top -= measure(first)
        return self._placed(first, TOP if first == 0 and top > TOP else top, last, view)

    def _placed(self, first: int, top: int, last: int, view: int) -> list[tuple[int, int]]:
        """Say where the rows stand; the first one that is seen becomes the anchor."""
        self.row, self.y = first, top
        places, y = [], top
        for row in range(first, last + 1):
            if y >= view:
                break
            places.append((row, y))
            y += self.heights[row]
            if y <= 0 and row + 1 < len(self.heights):
                self.row, self.y = row + 1, y
        return places
