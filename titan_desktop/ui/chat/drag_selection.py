"""Selecting with the mouse across messages: from the text where the button went down to wherever the pointer is.

Within one message the text widget's own selection serves, with its double clicks and its cursor. This takes
over as soon as the pointer enters another message, and scrolls when it leaves the view.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QAbstractScrollArea

from titan_desktop.ui.chat.message_model import MessageModel
from titan_desktop.ui.chat.message_widget import MessageWidget
from titan_desktop.ui.chat.selection import Place, Selection

_SCROLL_MS = 30
_STEP_MAX = 60


class DragSelection(QObject):
    """The list's selection, shown in the widgets that are in view.

    Args:
        area: the list; it is scrolled when a drag leaves it.
        rows: the widgets that are in view, by row.
    """

    def __init__(
        self,
        area: QAbstractScrollArea,
        model: MessageModel,
        rows: Callable[[], dict[int, MessageWidget]],
    ) -> None:
        super().__init__(area)
        self._area = area
        self._model = model
        self._rows = rows
        self._selection = Selection(model)
        self._timer = QTimer(self)
        self._timer.setInterval(_SCROLL_MS)
        self._timer.timeout.connect(self._scroll)

    def watch(self, widget: MessageWidget) -> None:
        """Follow drags that begin in this widget."""
        widget.body.drag_began.connect(lambda pointer: self._begin(widget, pointer))
        widget.body.dragged.connect(self._extend)

    def clear(self) -> None:
        """Select nothing."""
        self._selection.clear()
        for widget in self._rows().values():
            widget.body.select(0, 0)

    def select_all(self) -> None:
        """Select everything that is loaded."""
        self._selection.select_all()
        self._show()

    def show_in(self, row: int, widget: MessageWidget) -> None:
        """A row came into view: show its part of the selection."""
        span = self._selection.span(row)
        is_own = widget.message is not None and widget.message.id == self._selection.anchor_id
        if span is not None or not is_own:
            widget.body.select(*(span or (0, 0)))

    def text(self) -> str:
        """What is selected, as plain text."""
        rows = self._rows()
        if self._selection.is_wide:
            return self._selection.text({row: widget.body for row, widget in rows.items()})
        return next((w.body.selected_text() for w in rows.values() if w.body.textCursor().hasSelection()), "")

    def _begin(self, widget: MessageWidget, pointer: QPoint) -> None:
        self.clear()
        if widget.message is not None:
            self._selection.begin(Place(widget.message.id, widget.body.position_at(pointer)))

    def _extend(self, pointer: QPoint) -> None:
        place = self._place_at(pointer)
        if place is None or (place.message_id == self._selection.anchor_id and not self._selection.is_wide):
            return
        self._selection.extend(place)
        self._show()
        if self._beyond(pointer) and not self._timer.isActive():
            self._timer.start()

    def _show(self) -> None:
        for row, widget in self._rows().items():
            widget.body.select(*(self._selection.span(row) or (0, 0)))

    def _place_at(self, pointer: QPoint) -> Place | None:
        y = self._area.viewport().mapFromGlobal(pointer).y()
        rows = self._rows()
        if not rows:
            return None
        row = next((row for row in sorted(rows) if y < rows[row].geometry().bottom()), max(rows))
        return Place(self._model.message(row).id, rows[row].body.position_at(pointer))

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
