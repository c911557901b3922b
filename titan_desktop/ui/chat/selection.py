"""The conversation's selection: one, from a place to another. The text widgets know only their own part of it.

A place is a message's id, a part of the message (its text, or one of the passages below it) and a character
position there, so it stays true when older messages are put before, and when a row leaves the view and comes back
in another widget.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from titan_desktop.ui.chat.message_model import MessageModel
from titan_desktop.ui.chat.offscreen import OffscreenTexts
from titan_desktop.ui.chat.rich_text import RichText, cut

END = -1
"""As a position: the end of the text."""
LAST_PART = sys.maxsize
"""As a part: behind the last one."""

_RENDERED_ROWS_MAX = 500
"""More rows than this are copied as they were written: taking the Markdown off costs a millisecond each."""

Parts = Mapping[int, RichText]
"""The texts of a message that is in view: 0 is its own, N the passage of source N."""

_Spot = tuple[int, int]
"""Row and part."""


@dataclass(frozen=True)
class Place:
    """A place in the conversation."""

    message_id: str
    part: int
    position: int

    def is_beside(self, other: "Place | None") -> bool:
        """Whether both are in one text."""
        return other is not None and (self.message_id, self.part) == (other.message_id, other.part)


class Selection:
    """From where the drag began to where it is now."""

    def __init__(self, model: MessageModel) -> None:
        self._model = model
        self.anchor: Place | None = None
        self._head: Place | None = None

    def clear(self) -> None:
        """Select nothing."""
        self.anchor = self._head = None

    def begin(self, place: Place) -> None:
        """A drag begins here; nothing is selected yet."""
        self.anchor, self._head = place, None

    def extend(self, place: Place) -> None:
        """The drag is here now."""
        self._head = place

    def select_all(self) -> None:
        """Everything that is loaded."""
        last = self._model.rowCount() - 1
        if last >= 0:
            self.anchor = Place(self._model.message(0).id, 0, 0)
            self._head = Place(self._model.message(last).id, LAST_PART, END)

    def span(self, row: int, part: int) -> tuple[int, int] | None:
        """What is selected in a text, as start and end position; None when it is nothing."""
        ends = self._ends()
        if ends is None or not ends[0][0] <= (row, part) <= ends[1][0]:
            return None
        (first, start), (last, end) = ends
        return (start if (row, part) == first else 0), (end if (row, part) == last else END)

    def text(self, views: Mapping[int, Parts], offscreen: OffscreenTexts) -> str:
        """The selection as plain text, messages and passages parted by an empty line. `views` are in view."""
        ends = self._ends()
        if ends is None:
            return ""
        first, last = ends[0][0][0], ends[1][0][0]
        many = last - first >= _RENDERED_ROWS_MAX
        pieces: list[str] = []
        for row in range(first, last + 1):
            if row in views:
                pieces += (text.selected_text() for text in views[row].values())
                continue
            for part, text in offscreen.texts(row, rendered=not many).items():
                if (span := self.span(row, part)) is not None:
                    pieces.append(text if span == (0, END) else cut(offscreen.document(row, part), *span))
        return "\n\n".join(piece for piece in pieces if piece)

    def _ends(self) -> tuple[tuple[_Spot, int], tuple[_Spot, int]] | None:
        if self.anchor is None or self._head is None:
            return None
        rows = [self._model.row_of(place.message_id) for place in (self.anchor, self._head)]
        if rows[0] is None or rows[1] is None:
            return None
        anchor = (rows[0], self.anchor.part), self.anchor.position
        head = (rows[1], self._head.part), self._head.position

        def order(end: tuple[_Spot, int]) -> tuple[_Spot, float]:
            return end[0], float("inf") if end[1] == END else end[1]

        return (anchor, head) if order(anchor) <= order(head) else (head, anchor)
