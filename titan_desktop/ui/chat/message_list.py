"""The messages, as a scroll area that holds real text widgets for the visible rows only.

The heights of all rows stand in a Fenwick tree: estimated at first, exact once a row was shown. The view
hangs on an anchor, a row and the pixel where it stands, and never on the scroll bar's value: so a height that
turns out different above, or an older page that comes in, moves nothing under the reader's eyes. At the end
the anchor is the last row's lower edge ("sticky"), until the person scrolls away. What the person unfolds or
folds stays under the pointer: where that leaves too little text below, the end stands higher for a while
("slack").
"""

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QMenu, QToolButton, QWidget

from titan_desktop.client import foreign
from titan_desktop.contracts.chat import OF_PASSAGES, State
from titan_desktop.ui.chat import styles
from titan_desktop.ui.chat.caption import Caption
from titan_desktop.ui.chat.colours import Colours
from titan_desktop.ui.chat.drag_selection import DragSelection
from titan_desktop.ui.chat.fenwick import Fenwick
from titan_desktop.ui.chat.focus_walk import FocusWalk
from titan_desktop.ui.chat.message_model import MessageModel
from titan_desktop.ui.chat.message_widget import MessageWidget
from titan_desktop.ui.chat.rich_text import RichText
from titan_desktop.ui.chat.sources import Unfolded
from titan_desktop.ui.chat.unseen import Unseen
from titan_desktop.ui.chat.widget_pool import WidgetPool

TEXT_WIDTH_MAX = 760
_MARGIN = 24
_TOP, _BOTTOM = 20, 12
_LINE = 20
_JUMP_SIDE = 32
_ARROWS = frozenset({Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right})
_OLDER_ROWS = 8
"""An older page is requested when only this many rows are left above."""


class MessageList(QAbstractScrollArea):
    """Shows a `MessageModel`."""

    retry_requested = Signal(str)
    go_on_requested = Signal(str)
    thoughts_wanted = Signal(str)
    source_activated = Signal(str)
    link_activated = Signal(str)
    older_requested = Signal()

    def __init__(self, model: MessageModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._heights = Fenwick()
        self._live: dict[int, MessageWidget] = {}
        self._unfolded: dict[str, Unfolded] = {}
        self._anchor_row, self._anchor_y = 0, _TOP
        self._sticky = True
        self._slack = 0
        self._older_asked = False
        self._following = False
        self._folders = ""
        self._colours = Colours.of(self.palette())
        self._pool = WidgetPool(self._make)
        self._walk = FocusWalk(self, self)
        self._selection = DragSelection(self, model, lambda: self._live, Unseen(model, self._unfolded))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.jump = QToolButton(self)
        self.jump.setText("↓")
        self.jump.setFixedSize(_JUMP_SIDE, _JUMP_SIDE)
        self.jump.clicked.connect(self.scroll_to_end)
        self.jump.hide()
        model.modelReset.connect(self._reset)
        model.rowsInserted.connect(self._insert)
        model.dataChanged.connect(self._change)
        model.page_added.connect(self._allow_older)
        self._retranslate()
        self._renew()
        self._reset()

    # What the model says

    def _reset(self) -> None:
        for widget in self._live.values():
            self._park(widget)
        self._live.clear()
        self._unfolded.clear()
        self._selection.clear()
        self._heights = Fenwick(self._estimates(0, self._model.rowCount() - 1))
        self._anchor_row, self._anchor_y = 0, _TOP  # the former row may not be there
        self._sticky, self._older_asked = True, False
        self._lay_out()

    def _insert(self, _parent: QModelIndex, first: int, last: int) -> None:
        count = last - first + 1
        self._heights.insert(first, self._estimates(first, last))
        self._live = {row + count * (row >= first): widget for row, widget in self._live.items()}
        if first <= self._anchor_row and self._live:
            self._anchor_row += count
        if first and last == self._model.rowCount() - 1 and self._model.is_pending(last):
            self._sticky = True  # the person asked: they want to see it
        self._lay_out()

    def _change(self, top: QModelIndex, bottom: QModelIndex) -> None:
        for row in range(top.row(), bottom.row() + 1):
            if row not in self._live:
                self._heights[row] = self._estimate(self._model.message(row).text)
        if self._sticky and self._came_whole(bottom.row()):
            self._sticky = False  # it is read from its best passage down
            self._anchor_row, self._anchor_y = bottom.row() - 1, _TOP
        self._lay_out()

    def _came_whole(self, row: int) -> bool:
        """Whether the last answer, which was awaited, is now a list of passages."""
        widget, message = self._live.get(row), self._model.message(row)
        return (
            0 < row == len(self._heights) - 1
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
        return 44 + _LINE * (len(text) * 8 // self._text_width() + text.count("\n"))

    # Layout

    def _text_width(self) -> int:
        return max(120, min(TEXT_WIDTH_MAX, self.viewport().width() - 2 * _MARGIN))

    def _lay_out(self) -> None:
        """Fill the view from the anchor, downwards and upwards, with exact heights; the scroll bar follows."""
        count, view = len(self._heights), self.viewport().height()
        old, self._live = self._live, {}
        if count:
            self._anchor_row = min(self._anchor_row, count - 1)
            row, y = self._anchor_row, self._anchor_y
            if self._sticky:
                self._slack = 0
                row = count - 1
                y = view - _BOTTOM - self._measure(row, old)
            first, top = self._fill(row, y, view, old)
            self._anchor_row, self._anchor_y = self._place(first, top, view)
        for widget in old.values():
            self._park(widget)
        self._follow()
        if any(widget.hasFocus() for widget in self._live.values()):
            self.viewport().update()  # the ring goes along

    def _fill(self, row: int, y: int, view: int, old: dict[int, MessageWidget]) -> tuple[int, int]:
        """Measure what is visible when `row` stands at `y`; the first visible row and where it has to stand."""
        last, bottom = row, y + self._measure(row, old)
        while bottom < view and last + 1 < len(self._heights):
            last += 1
            bottom += self._measure(last, old)
        blank = view - _BOTTOM - bottom if last + 1 == len(self._heights) else 0
        self._slack = max(0, min(self._slack, blank))
        y += max(0, blank - self._slack)  # nothing below: the last row goes down to the edge
        first, top = row, y
        while top > 0 and first > 0:
            first -= 1
            top -= self._measure(first, old)
        return (first, _TOP) if first == 0 and top > _TOP else (first, top)

    def _place(self, first: int, top: int, view: int) -> tuple[int, int]:
        """Put the widgets where they belong; the first row that is seen becomes the anchor."""
        left = (self.viewport().width() - self._text_width()) // 2
        y, anchor = top, (first, top)
        for row in sorted(self._live):
            widget, height = self._live[row], self._heights[row]
            if row >= first and y < view:
                widget.move(left, y)
                if widget.isHidden():
                    widget.wake()
                if y + height <= 0:
                    anchor = (row + 1, y + height)
            if row >= first:
                y += height
        return anchor if anchor[0] < len(self._heights) else (first, top)

    def _measure(self, row: int, old: dict[int, MessageWidget]) -> int:
        """Create the widget of a row if there is none, and return its exact height."""
        message = self._model.message(row)
        widget = self._live.get(row) or old.pop(row, None)
        is_new = widget is None
        if widget is None:
            widget = self._pool.take(message.id)
        self._live[row] = widget
        held = widget.unfolded if widget.message is message else Unfolded()
        self._heights[row] = widget.show_message(
            message,
            self._model.question_of(row),
            self._unfolded.setdefault(message.id, held),
            self._text_width(),
            pending=self._model.is_pending(row),
        )
        if is_new:
            self._selection.show_in(row, widget)
        return self._heights[row]

    def _follow(self) -> None:
        """Set the scroll bar to the position of the anchor."""
        bar, view = self.verticalScrollBar(), self.viewport().height()
        self._following = True
        bar.setPageStep(view)
        bar.setSingleStep(3 * _LINE)
        bar.setRange(0, max(0, _TOP + self._heights.total + _BOTTOM + self._slack - view))
        bar.setEnabled(bar.maximum() > 0)  # disabled, it keeps its place and shows no handle
        value = _TOP + self._heights.before(self._anchor_row) - self._anchor_y
        bar.setValue(bar.maximum() if self._sticky else value)
        self._following = False
        self._sticky = self._sticky or self._is_at_bottom()
        # It covers some text, so it is there only when the end is well out of sight.
        self.jump.setVisible(not self._sticky and bar.maximum() - bar.value() > view // 2)
        if self._anchor_row >= _OLDER_ROWS:
            self._older_asked = False  # a page that never came is requested again when the person comes back
        elif self._model.more and not self._older_asked and len(self._heights):
            self._older_asked = True
            self.older_requested.emit()

    def _make(self) -> MessageWidget:
        widget = MessageWidget(self.viewport())
        widget.set_look(self._colours, self._folders)
        widget.hide()
        widget.retry_requested.connect(self.retry_requested)
        widget.go_on_requested.connect(self.go_on_requested)
        widget.thoughts_wanted.connect(self.thoughts_wanted)
        widget.source_activated.connect(self.source_activated)
        widget.link_activated.connect(self.link_activated)
        widget.height_changed.connect(self._remeasure)
        widget.toggled.connect(self._hold)
        widget.focus_changed.connect(self.viewport().update)
        widget.menu_requested.connect(self._open_menu)
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
            self._sticky, self._slack = False, self.viewport().height()
            self._anchor_row, self._anchor_y = row, widget.y()
            self._lay_out()
            self._selection.show_in(row, widget)

    # Scrolling

    def _is_at_bottom(self) -> bool:
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() and not self._slack

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: ARG002  # Qt's signature
        """The person scrolled: a short way moves what is seen, a long way looks the row up."""
        if self._following:
            return
        bar, view = self.verticalScrollBar(), self.viewport().height()
        self._sticky = self._is_at_bottom()
        if bar.value() == 0:
            self._anchor_row, self._anchor_y = 0, _TOP
        elif abs(dy) < view and self._live:
            self._anchor_y += dy
        elif len(self._heights):
            position = max(0, bar.value() - _TOP)
            self._anchor_row = self._heights.find(position)
            self._anchor_y = self._heights.before(self._anchor_row) - position
        self._lay_out()

    def scroll_to_end(self) -> None:
        """Show the newest message, and stay with it."""
        self._sticky = True
        self._lay_out()

    def scroll_pages(self, pages: float) -> None:
        """Scroll by so many views, downwards when positive."""
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + int(pages * (self.viewport().height() - 2 * _LINE)))

    @property
    def is_at_end(self) -> bool:
        """Whether the newest text is in view and stays there."""
        return self._sticky

    def widget_of(self, row: int) -> MessageWidget | None:
        """Return the widget of a row, None while it is out of view."""
        return self._live.get(row)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Pixels from a touchpad, three lines a notch from a wheel."""
        pixels = event.pixelDelta().y() or event.angleDelta().y() * 3 * _LINE // 120
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() - pixels)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that scroll, copy, and select all."""
        bar = self.verticalScrollBar()
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_selection()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self._selection.select_all()
        elif event.key() in _ARROWS and self._walk.arrow(event.key()):
            pass
        elif event.key() == Qt.Key.Key_PageUp:
            self.scroll_pages(-1)
        elif event.key() in (Qt.Key.Key_PageDown, Qt.Key.Key_Space):
            self.scroll_pages(1)
        elif event.key() == Qt.Key.Key_Home:
            bar.setValue(0)
        elif event.key() == Qt.Key.Key_End:
            self.scroll_to_end()
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            bar.setValue(bar.value() + (2 * _LINE if event.key() == Qt.Key.Key_Down else -2 * _LINE))
        else:
            event.ignore()

    # The keyboard's focus

    def rows(self) -> dict[int, MessageWidget]:
        """The widgets of the rows in view."""
        return self._live

    def count(self) -> int:
        """How many messages are loaded."""
        return len(self._heights)

    def bring(self, row: int) -> MessageWidget:
        """Return the widget of a row, after scrolling to its beginning if it was out of view."""
        if row not in self._live:
            self._sticky = False
            self._anchor_row, self._anchor_y = row, _TOP
            self._lay_out()
        return self._live[row]

    def show_area(self, area: QRect) -> None:
        """Scroll as little as shows a part of the viewport whole, or what is higher than it from its beginning."""
        above, below = area.top() - _TOP, area.bottom() + _BOTTOM - self.viewport().height()
        if area.height() + _TOP + _BOTTOM <= self.viewport().height():
            way = above if above < 0 else max(0, below)
        else:
            way = 0 if above <= 0 <= below else above
        if way:
            self._sticky = False
            self._anchor_y -= way
            self._lay_out()

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, FBT001  # Qt's signature
        """Tab goes from message to message; also called when what has the focus is hidden."""
        focused = QApplication.focusWidget()
        if not self.isVisible():
            return super().focusNextPrevChild(next)
        if focused is not None and not focused.isVisible():
            if not self._walk.catch():
                self.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        if self._walk.tab(1 if next else -1) or (next and self.hasFocus() and self._walk.enter(at_end=False)):
            return True
        if focused is not self.jump:
            # Qt goes on from what has the focus, and the messages, which are made late, are at its order's end.
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        return super().focusNextPrevChild(next)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tab came here: pass it on to a message."""
        super().focusInEvent(event)
        if event.reason() is Qt.FocusReason.TabFocusReason:
            self._walk.enter(at_end=False)
        elif event.reason() is Qt.FocusReason.BacktabFocusReason:
            self._walk.enter(at_end=True)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # Qt's signature
        """A ring around the message that has the keyboard's focus."""
        focused = next((widget for widget in self._live.values() if widget.hasFocus()), None)
        if focused is not None:
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self._colours.accent), 2))
            painter.drawRoundedRect(focused.area().adjusted(-8, -6, 8, 6), 10, 10)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Only what is visible is laid out anew; the other heights are mended when they come into view."""
        super().resizeEvent(event)
        self.jump.move((self.viewport().width() - _JUMP_SIDE) // 2, self.height() - _JUMP_SIDE - 10)
        self._lay_out()

    # Copying

    def copy_selection(self) -> None:
        """Put the selection on the clipboard; nothing selected leaves the clipboard alone."""
        if text := self._selection.text():
            QGuiApplication.clipboard().setText(text)

    def _open_menu(self, widget: MessageWidget, text: RichText | Caption, place: QPoint) -> None:
        menu = self.message_menu(widget, text)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def message_menu(self, widget: MessageWidget, text: RichText | Caption) -> QMenu:
        """The menu of a text in a message: copy the selection or this text, and an answer as Markdown."""
        menu = QMenu(self)
        message = widget.message
        selected = self._selection.text()
        clipboard = QGuiApplication.clipboard()
        plain = selected or (text.text() if isinstance(text, Caption) else text.plain_text())
        copy = menu.addAction(self.tr("Copy selection") if selected else self.tr("Copy"))
        copy.triggered.connect(lambda: clipboard.setText(plain))
        if message is not None and text is widget.body:
            markdown = menu.addAction(self.tr("Copy as Markdown"))
            markdown.triggered.connect(lambda: clipboard.setText(foreign.text(message.text)))
        return menu

    # Look and language

    def set_folders(self, folders: str) -> None:
        """The readable list of folders that Titan reads, for "nothing was found"."""
        self._folders = folders
        self._renew()

    def changeEvent(self, event: QEvent) -> None:
        """Show everything again when the palette, the font or the language changes."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
            self._renew()
        elif event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._renew()

    def _retranslate(self) -> None:
        words = self.tr("Jump to latest")
        self.jump.setToolTip(words)
        self.jump.setAccessibleName(words)
        self.setAccessibleName(self.tr("Conversation"))

    def _renew(self) -> None:
        self._colours = Colours.of(self.palette())
        self.verticalScrollBar().setStyleSheet(styles.scroll_bar(self._colours))
        self.jump.setStyleSheet(styles.jump_button(self._colours, _JUMP_SIDE))
        self._pool.clear()
        for widget in self._live.values():
            widget.set_look(self._colours, self._folders)
        self._lay_out()
