"""A selection that runs over several messages: the text widgets know only their own part of it.

A place is a message's id and a character position in its rendered text, so it stays true when older
messages are put before, and when a row leaves the view and comes back in another widget.
"""

from dataclasses import dataclass

from titan_desktop.ui.chat.markdown import plain_text
from titan_desktop.ui.chat.message_model import MessageModel
from titan_desktop.ui.chat.rich_text import RichText

END = -1
"""As a position: the end of the text."""
_RENDERED_ROWS_MAX = 500
"""More rows than this are copied as they were written: taking the Markdown off costs a millisecond each."""


@dataclass(frozen=True)
class Place:
    """A place in the conversation."""

    message_id: str
    position: int


class Selection:
    """From where the drag began to where it is now."""

    def __init__(self, model: MessageModel) -> None:
        self._model = model
        self._anchor: Place | None = None
        self._head: Place | None = None

    def clear(self) -> None:
        """Select nothing."""
        self._anchor = self._head = None

    def begin(self, place: Place) -> None:
        """A drag begins here; nothing is selected across messages yet."""
        self._anchor, self._head = place, None

    def extend(self, place: Place) -> None:
        """The drag is here now."""
        self._head = place

    def select_all(self) -> None:
        """Everything that is loaded."""
        last = self._model.rowCount() - 1
        if last >= 0:
            self._anchor = Place(self._model.message(0).id, 0)
            self._head = Place(self._model.message(last).id, END)

    @property
    def anchor_id(self) -> str:
        """The message in which the drag began, "" when there is none."""
        return self._anchor.message_id if self._anchor else ""

    @property
    def is_wide(self) -> bool:
        """Whether something is selected across messages."""
        return self._anchor is not None and self._head is not None

    def span(self, row: int) -> tuple[int, int] | None:
        """What is selected in a row, as start and end position; None when it is nothing."""
        ends = self._ends()
        if ends is None or not ends[0][0] <= row <= ends[1][0]:
            return None
        (first, start), (last, end) = ends
        return (start if row == first else 0), (end if row == last else END)

    def text(self, views: dict[int, RichText]) -> str:
        """The selection as plain text, messages parted by an empty line. `views` are the rows that are in view."""
        ends = self._ends()
        if ends is None:
            return ""
        (first, _), (last, _) = ends
        texts = self._model.texts(first, last)
        many = len(texts) > _RENDERED_ROWS_MAX
        pieces = []
        for row, text in enumerate(texts, first):
            if row in views:
                pieces.append(views[row].selected_text())
            else:
                pieces.append(text if many else plain_text(text))
        return "\n\n".join(piece for piece in pieces if piece)

    def _ends(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        if self._anchor is None or self._head is None:
            return None
        rows = [self._model.row_of(place.message_id) for place in (self._anchor, self._head)]
        if rows[0] is None or rows[1] is None:
            return None
        anchor, head = (rows[0], self._anchor.position), (rows[1], self._head.position)

        def order(end: tuple[int, int]) -> tuple[int, float]:
            return end[0], float("inf") if end[1] == END else end[1]

        return (anchor, head) if order(anchor) <= order(head) else (head, anchor)
