"""Selecting with the mouse, within a text and across messages: there is one selection in the whole conversation.

Within one text the text widget's own selection serves, with its double clicks and its cursor. This takes over as
soon as the pointer enters another text, and scrolls when it leaves the view.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QAbstractScrollArea

from titan_desktop.ui.chat.caption import Caption
from titan_desktop.ui.chat.message_model import MessageModel
from titan_desktop.ui.chat.message_widget import MessageWidget
from titan_desktop.ui.chat.offscreen import OffscreenTexts
from titan_desktop.ui.chat.rich_text import RichText
from titan_desktop.ui.chat.selection import Place, Selection

_SCROLL_MS = 30
_STEP_MAX = 60


class DragSelection(QObject):
    """The list's selection, shown in the widgets that are in view.

    Args:
        area: the list; it is scrolled when a drag leaves it.
        rows: the widgets that are in view, by row.
        offscreen: what stands in the other rows.
    """

    def __init__(
        self,
        area: QAbstractScrollArea,
        model: MessageModel,
        rows: Callable[[], dict[int, MessageWidget]],
        offscreen: OffscreenTexts,
    ) -> None:
        super().__init__(area)
        self._area = area
        self._model = model
        self._rows = rows
        self._offscreen = offscreen
        self._selection = Selection(model)
        self._caption: Caption | None = None
        self._is_wide = False
        self._showing = False
        self._timer = QTimer(self)
        self._timer.setInterval(_SCROLL_MS)
        self._timer.timeout.connect(self._scroll)

    def watch(self, widget: MessageWidget) -> None:
        """Follow drags that begin in this widget."""
        self._watch_text(widget, widget.body)
        widget.text_made.connect(self._watch_text)
        for caption in widget.captions:
            caption.drag_began.connect(lambda caption=caption: self._begin_in_caption(caption))

    def _watch_text(self, widget: MessageWidget, text: RichText) -> None:
        text.drag_began.connect(lambda pointer: self._begin(widget, text, pointer))
        text.dragged.connect(self._extend)
        text.selectionChanged.connect(lambda: self._take(widget, text))

    def clear(self) -> None:
        """Select nothing."""
        self._selection.clear()
        self._caption, self._is_wide = None, False
        self._show()

    def select_all(self) -> None:
        """Select everything that is loaded."""
        self.clear()
        self._selection.select_all()
        self._is_wide = True
        self._show()

    def show_in(self, row: int, widget: MessageWidget) -> None:
        """A row came into view, or another text in it: show its part of the selection."""
        with self._quietly():
            for part, text in widget.parts().items():
                text.select(*(self._selection.span(row, part) or (0, 0)))
            for caption in widget.captions:
                if caption is not self._caption:
                    caption.select_nothing()

    def text(self) -> str:
        """What is selected, as plain text."""
        if self._caption is not None:
            return self._caption.selectedText()
        self._show()  # an answer that was parsed again has lost its part
        return self._selection.text(
            {row: live.parts() for row, live in self._rows().items()}, self._offscreen
        )

    def _begin(self, widget: MessageWidget, text: RichText, pointer: QPoint) -> None:
        self.clear()
        if (place := _place(widget, text, text.position_at(pointer))) is not None:
            self._selection.begin(place)

    def _begin_in_caption(self, caption: Caption) -> None:
        self.clear()
        self._caption = caption

    def _take(self, widget: MessageWidget, text: RichText) -> None:
        """The person selected something within a text, by dragging or with a double click."""
        cursor = text.textCursor()
        anchor = _place(widget, text, cursor.anchor())
        if self._showing or self._is_wide or anchor is None or not anchor.is_beside(self._selection.anchor):
            return
        self._selection.begin(anchor)
        if cursor.hasSelection():
            self._selection.extend(Place(anchor.message_id, anchor.part, cursor.position()))

    def _extend(self, pointer: QPoint) -> None:
        place = self._place_at(pointer)
        if place is None or (not self._is_wide and place.is_beside(self._selection.anchor)):
            return
        self._is_wide = True
        self._selection.extend(place)
        self._show()
        if self._beyond(pointer) and not self._timer.isActive():
            self._timer.start()

    def _show(self) -> None:
        for row, widget in self._rows().items():
            self.show_in(row, widget)

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """What we select ourselves is not the person's doing."""
        self._showing, before = True, self._showing
        try:
            yield
        finally:
            self._showing = before

    def _place_at(self, pointer: QPoint) -> Place | None:
        y = self._area.viewport().mapFromGlobal(pointer).y()
        rows = self._rows()
        if not rows:
            return None
        widget = rows[next((row for row in sorted(rows) if y < rows[row].geometry().bottom()), max(rows))]
        texts = list(widget.parts().values())
        if not texts:
            return None
        text = next((one for one in texts if one.mapFromGlobal(pointer).y() < one.height()), texts[-1])
        return _place(widget, text, text.position_at(pointer))

    def _beyond(self, pointer: QPoint) -> int:
        """How many pixels above (negative) or below the view the pointer is."""
        view = self._area.viewport()
        y = view.mapFromGlobal(pointer).y()
        return min(0, y) + max(0, y - view.height())

    def _scroll(self) -> None:
        pointer = QCursor.pos()
        beyond = self._beyond(pointer)
        if not beyond or not QGuiApplication.mouseButtons() & Qt.MouseButton.LeftButton:
            self._timer.stop()
            return
        bar = self._area.verticalScrollBar()
        bar.setValue(bar.value() + max(-_STEP_MAX, min(_STEP_MAX, beyond)))
        self._extend(pointer)


def _place(widget: MessageWidget, text: RichText, position: int) -> Place | None:
    part = next((number for number, one in widget.parts().items() if one is text), None)
    return None if part is None or widget.message is None else Place(widget.message.id, part, position)
