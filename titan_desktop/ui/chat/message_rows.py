"""The messages as a scroll area that holds real text widgets for the visible rows only.

`row_layout` says where they stand. This module makes, fills and moves the widgets, and follows the model. What the
person unfolds or folds stays under the pointer; where that leaves too little text below, the end of the
conversation stands higher for a while. `message_list`, the class that the window uses, adds keys and copying.
"""

from collections.abc import Iterator

from PySide6.QtCore import QModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolButton, QWidget

from titan_desktop.contracts.chat import OF_PASSAGES, State
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat import styles
from titan_desktop.ui.chat.drag_selection import DragSelection
from titan_desktop.ui.chat.message_model import MessageModel
from titan_desktop.ui.chat.message_widget import MessageWidget
from titan_desktop.ui.chat.offscreen import OffscreenTexts
from titan_desktop.ui.chat.row_layout import BOTTOM, TOP, RowLayout
from titan_desktop.ui.chat.sentences import Searched
from titan_desktop.ui.chat.sources import Unfolded
from titan_desktop.ui.chat.widget_pool import WidgetPool

TEXT_WIDTH_MAX = 760
LINE = 20
"""The height of a line of text, about, in pixels."""
_MARGIN = 24
_JUMP_SIDE = 32
_OLDER_ROWS = 8
"""An older page is requested when only this many rows are left above."""


class MessageRows(QAbstractScrollArea):
    """Shows the rows of a `MessageModel`."""

    retry_requested = Signal(str)
    go_on_requested = Signal(str)
    thoughts_wanted = Signal(str)
    fact_activated = Signal(object)
    source_activated = Signal(str)
    link_activated = Signal(str)
    older_requested = Signal()

    def __init__(self, model: MessageModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._layout = RowLayout()
        self._live: dict[int, MessageWidget] = {}
        self._unfolded: dict[str, Unfolded] = {}
        self._older_asked = False
        self._following = False
        self._searched = Searched()
        self._colours = Colours.of(self.palette())
        self._pool = WidgetPool(self._make)
        self._selection = DragSelection(
            self, model, lambda: self._live, OffscreenTexts(model, self._unfolded)
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.jump = QToolButton(self)
        self.jump.setText("↓")
        self.jump.setFixedSize(_JUMP_SIDE, _JUMP_SIDE)
        self.jump.clicked.connect(self.scroll_to_end)
        self.jump.hide()
        model.modelReset.connect(self._reset)
        model.rowsInserted.connect(self._insert)
        model.dataChanged.connect(self._change)
        model.page_added.connect(self._allow_older)
        self._renew()
        self._reset()

    # What the model says

    def _reset(self) -> None:
        for widget in self._live.values():
            self._park(widget)
        self._live.clear()
        self._unfolded.clear()
        self._selection.clear()
        self._layout = RowLayout(self._estimates(0, self._model.rowCount() - 1))
        self._older_asked = False
        self._lay_out()

    def _insert(self, _parent: QModelIndex, first: int, last: int) -> None:
        count = last - first + 1
        self._layout.insert(first, self._estimates(first, last))
        self._live = {row + count * (row >= first): widget for row, widget in self._live.items()}
        if first and last == self._model.rowCount() - 1 and self._model.is_pending(last):
            self._layout.sticky = True  # the person asked: they want to see it
        self._lay_out()

    def _change(self, top: QModelIndex, bottom: QModelIndex) -> None:
        for row in range(top.row(), bottom.row() + 1):
            if row not in self._live:
                self._layout.heights[row] = self._estimate(self._model.message(row).text)
        if self._layout.sticky and self._came_whole(bottom.row()):
            self._layout.hold(bottom.row() - 1, TOP)  # it is read from its best passage down
        self._lay_out()

    def _came_whole(self, row: int) -> bool:
        """Whether the last answer, which was awaited, is now a list of passages."""
        widget, message = self._live.get(row), self._model.message(row)
        return (
            0 < row == self.count() - 1
            and message.kind in OF_PASSAGES
            and message.state is State.COMPLETE
            and widget is not None
            and widget.message is not None
            and widget.message.state is not State.COMPLETE
        )

    def _allow_older(self) -> None:
        self._older_asked = False

    def _estimates(self, first: int, last: int) -> Iterator[int]:
        return (self._estimate(text) for text in self._model.texts(first, last))

    def _estimate(self, text: str) -> int:
        """A row's probable height, from its number of characters and lines."""
        return 44 + LINE * (len(text) * 8 // self._text_width() + text.count("\n"))

    # Layout

    def _text_width(self) -> int:
        return max(120, min(TEXT_WIDTH_MAX, self.viewport().width() - 2 * _MARGIN))

    def _lay_out(self) -> None:
        """Show what is in view, and no other widget; the scroll bar follows."""
        old, self._live = self._live, {}
        left = (self.viewport().width() - self._text_width()) // 2
        for row, y in self._layout.fill(self.viewport().height(), lambda row: self._measure(row, old)):
            widget = self._live[row]
            widget.move(left, y)
            if widget.isHidden():
                widget.wake()
        for widget in old.values():
            self._park(widget)
        self._follow()
        if any(widget.hasFocus() for widget in self._live.values()):
            self.viewport().update()  # the ring goes along

    def _measure(self, row: int, old: dict[int, MessageWidget]) -> int:
        """Create the widget of a row if there is none, and return its exact height."""
        message = self._model.message(row)
        widget = self._live.get(row) or old.pop(row, None)
        is_new = widget is None
        if widget is None:
            widget = self._pool.take(message.id)
        self._live[row] = widget
        held = widget.unfolded if widget.message is message else Unfolded()
        self._layout.heights[row] = widget.show_message(
            message,
            self._model.question_of(row),
            self._unfolded.setdefault(message.id, held),
            self._text_width(),
            pending=self._model.is_pending(row),
        )
        if is_new:
            self._selection.show_in(row, widget)
        return self._layout.heights[row]

    def _follow(self) -> None:
        """Set the scroll bar to the position of the layout."""
        bar, view = self.verticalScrollBar(), self.viewport().height()
        self._following = True
        bar.setPageStep(view)
        bar.setSingleStep(3 * LINE)
        bar.setRange(0, max(0, self._layout.extent - view))
        bar.setEnabled(bar.maximum() > 0)  # disabled, it keeps its place and shows no handle
        bar.setValue(bar.maximum() if self._layout.sticky else self._layout.position)
        self._following = False
        self._layout.sticky = self._layout.sticky or self._is_at_bottom()
        # It covers some text, so it is there only when the end is well out of sight.
        self.jump.setVisible(not self._layout.sticky and bar.maximum() - bar.value() > view // 2)
        if self._layout.row >= _OLDER_ROWS:
            self._older_asked = False  # a page that never came is requested again when the person comes back
        elif self._model.more and not self._older_asked and self.count():
            self._older_asked = True
            self.older_requested.emit()

    def _make(self) -> MessageWidget:
        widget = MessageWidget(self.viewport())
        widget.set_look(self._colours, self._searched)
        widget.hide()
        widget.retry_requested.connect(self.retry_requested)
        widget.go_on_requested.connect(self.go_on_requested)
        widget.thoughts_wanted.connect(self.thoughts_wanted)
        widget.source_activated.connect(self.source_activated)
        widget.fact_activated.connect(self.fact_activated)
        widget.link_activated.connect(self.link_activated)
        widget.height_changed.connect(self._remeasure)
        widget.toggled.connect(self._hold)
        widget.focus_changed.connect(self.viewport().update)
        self._selection.watch(widget)
        return widget

    def _park(self, widget: MessageWidget) -> None:
        if widget.message is not None and self._unfolded.get(widget.message.id) == Unfolded():
            del self._unfolded[widget.message.id]
        self._pool.give(widget)

    def show_thoughts(self, message_id: str, text: str | None) -> None:
        """Show the thoughts that were unfolded and have come. None: they could not be had, and are folded."""
        unfolded = self._unfolded.get(message_id)
        if unfolded is None or not unfolded.thoughts:
            return
        if text is None:
            unfolded.thoughts, unfolded.thoughts_of = False, (0, 0)
        else:
            unfolded.thoughts_text = text
        row = self._model.row_of(message_id)
        if row is not None and (widget := self._live.get(row)) is not None:
            widget.refresh_thoughts()

    def _remeasure(self, widget: MessageWidget) -> None:
        if widget in self._live.values():
            self._lay_out()

    def _hold(self, widget: MessageWidget) -> None:
        """Something was unfolded or folded: what was clicked stays where it is, and the text below it moves."""
        row = next((row for row, live in self._live.items() if live is widget), None)
        if row is not None:
            self._layout.hold(row, widget.y(), self.viewport().height())
            self._lay_out()
            self._selection.show_in(row, widget)

    def _renew(self) -> None:
        """Show everything again: colours, font or language are others now."""
        self._colours = Colours.of(self.palette())
        self.verticalScrollBar().setStyleSheet(styles.scroll_bar(self._colours))
        self.jump.setStyleSheet(styles.jump_button(self._colours, _JUMP_SIDE))
        self._pool.clear()
        for widget in self._live.values():
            widget.set_look(self._colours, self._searched)
        self._lay_out()

    # Scrolling

    def _is_at_bottom(self) -> bool:
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() and not self._layout.slack

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: ARG002  # Qt's signature
        """The person scrolled: a short way moves what is seen, a long way looks the row up."""
        if self._following:
            return
        bar, view = self.verticalScrollBar(), self.viewport().height()
        self._layout.sticky = self._is_at_bottom()
        if bar.value() == 0:
            self._layout.row, self._layout.y = 0, TOP
        elif abs(dy) < view and self._live:
            self._layout.y += dy
        elif self.count():
            self._layout.go_to(bar.value())
        self._lay_out()

    def scroll_to_end(self) -> None:
        """Show the newest message, and stay with it."""
        self._layout.sticky = True
        self._lay_out()

    def scroll_pages(self, pages: float) -> None:
        """Scroll by so many views, downwards when positive."""
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + int(pages * (self.viewport().height() - 2 * LINE)))

    @property
    def is_at_end(self) -> bool:
        """Whether the newest text is in view and stays there."""
        return self._layout.sticky

    def widget_of(self, row: int) -> MessageWidget | None:
        """Return the widget of a row, None while it is out of view."""
        return self._live.get(row)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Pixels from a touchpad, three lines a notch from a wheel."""
        pixels = event.pixelDelta().y() or event.angleDelta().y() * 3 * LINE // 120
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() - pixels)
        event.accept()

    def rows(self) -> dict[int, MessageWidget]:
        """The widgets of the rows in view."""
        return self._live

    def count(self) -> int:
        """How many messages are loaded."""
        return len(self._layout.heights)

    def bring(self, row: int) -> MessageWidget:
        """Return the widget of a row, after scrolling to its beginning if it was out of view."""
        if row not in self._live:
            self._layout.hold(row, TOP)
            self._lay_out()
        return self._live[row]

    def show_area(self, area: QRect) -> None:
        """Scroll as little as shows a part of the viewport whole, or what is higher than it from its beginning."""
        above, below = area.top() - TOP, area.bottom() + BOTTOM - self.viewport().height()
        if area.height() + TOP + BOTTOM <= self.viewport().height():
            way = above if above < 0 else max(0, below)
        else:
            way = 0 if above <= 0 <= below else above
        if way:
            self._layout.hold(self._layout.row, self._layout.y - way)
            self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Only what is visible is laid out anew; the other heights are mended when they come into view."""
        super().resizeEvent(event)
        self.jump.move((self.viewport().width() - _JUMP_SIDE) // 2, self.height() - _JUMP_SIDE - 10)
        self._lay_out()
