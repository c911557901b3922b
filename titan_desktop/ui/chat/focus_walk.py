"""Going through the conversation by keyboard: Tab from message to message, arrows to what can be pressed in one.

The list is one stop in the window's order of Tab; this decides where the focus goes inside it. What gets the focus
is always in view, and has a ring that only the keyboard brings: with the mouse nothing in a message but its text
takes the focus. So whatever is added to a message needs no place in the order of Tab (`Qt.FocusPolicy.NoFocus`):
buttons and links are found here by where they stand.
"""

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from titan_desktop.ui.chat.message_widget import MessageWidget
from titan_desktop.ui.chat.rich_text import RichText

_ARROWS = frozenset({Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right})
_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class Rows(Protocol):
    """What the walk needs of the list."""

    def rows(self) -> dict[int, MessageWidget]:
        """The widgets that are in view, by row."""

    def count(self) -> int:
        """How many messages there are."""

    def bring(self, row: int) -> MessageWidget:
        """Return the widget of a row, after scrolling to it if it was out of view."""

    def show_area(self, area: QRect) -> None:
        """Bring a part of the view, in the viewport's pixels, into it."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What the list does with a key."""

    def viewport(self) -> QWidget:
        """What the widgets stand on."""


@dataclass(frozen=True)
class Stop:
    """A button or a link in a message, and where it stands in the viewport."""

    widget: QWidget
    link: int | None
    area: QRect

    @property
    def has_focus(self) -> bool:
        """Whether the keyboard is here."""
        held = self.widget.focused_link if isinstance(self.widget, RichText) else None
        return self.widget.hasFocus() and held == self.link

    def take_focus(self) -> None:
        """Give the keyboard to it."""
        self.widget.setFocus(Qt.FocusReason.TabFocusReason)
        if isinstance(self.widget, RichText):
            self.widget.focus_link(self.link)


class FocusWalk(QObject):
    """Moves the focus among the messages that `rows` shows."""

    def __init__(self, rows: Rows, parent: QObject) -> None:
        super().__init__(parent)
        self._list = rows

    def enter(self, *, at_end: bool) -> bool:
        """Give the focus to the first message that begins in view, or to the last one: Tab came from outside."""
        rows = self._list.rows()
        if not rows:
            return False
        whole = [row for row, widget in rows.items() if widget.y() >= 0]
        self.to_row(max(rows) if at_end else min(whole or rows))
        return True

    def tab(self, step: int) -> bool:
        """Go to the message after (1) or before (-1) the one with the focus; False beyond the last one."""
        row = self._row()
        if row is None or not 0 <= row + step < self._list.count():
            return False
        self.to_row(row + step)
        return True

    def arrow(self, key: int) -> bool:
        """Go to another stop in the message. False: Up or Down finds none in view, and the list is to scroll."""
        widget = self._message()
        if widget is None:
            return False
        stops = self.stops(widget)
        held = next((number for number, stop in enumerate(stops) if stop.has_focus), -1)
        if held < 0 and not widget.hasFocus():
            return False  # a text that was clicked
        is_far = key in (Qt.Key.Key_Left, Qt.Key.Key_Right)
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Right):
            onward = stops[held + 1 :]
        else:
            onward = stops[: max(0, held)][::-1]
            if held >= 0 and not onward and (is_far or widget.y() >= 0):
                self._to_widget(widget)
                return True
        view = self._list.viewport().rect()
        found = next((stop for stop in onward if is_far or view.contains(stop.area)), None)
        if found is not None:
            self._to_stop(found)
        return is_far or found is not None

    def catch(self) -> bool:
        """Keep the focus in its message when the focused widget was hidden. False when there is nothing to do."""
        focused = QApplication.focusWidget()
        if focused is None or focused.isVisible():
            return False
        widget = self._message()
        if widget is None or not widget.isVisible():
            return False
        self._to_widget(widget)
        return True

    def stops(self, widget: MessageWidget) -> list[Stop]:
        """What can be pressed in a message, in reading order."""
        view = self._list.viewport()
        found = [
            Stop(button, None, QRect(button.mapTo(view, QPoint()), button.size()))
            for button in widget.findChildren(QAbstractButton)
            if button.isVisible() and button.isEnabled()
        ]
        for text in widget.parts().values():
            origin = text.mapTo(view, QPoint())
            found += (Stop(text, n, area.translated(origin)) for n, area in enumerate(text.link_areas()))
        return sorted(found, key=lambda stop: (stop.area.center().y(), stop.area.left()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle the keys of a focused button: to Qt arrows are Tab, and Enter is nothing."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() in _ARROWS:
                self._list.keyPressEvent(event)
                return True
            if event.key() in _ENTER and isinstance(watched, QAbstractButton):
                watched.click()
                return True
        return False

    def to_row(self, row: int) -> None:
        """Give the focus to a message, in view or not."""
        self._to_widget(self._list.bring(row))

    def _to_widget(self, widget: MessageWidget) -> None:
        self._list.show_area(widget.area())
        widget.describe()
        widget.setFocus(Qt.FocusReason.TabFocusReason)

    def _to_stop(self, stop: Stop) -> None:
        self._list.show_area(stop.area)
        stop.widget.installEventFilter(self)
        stop.take_focus()

    def _message(self) -> MessageWidget | None:
        """The message with the focus in it."""
        focused = QApplication.focusWidget()
        while focused is not None and not isinstance(focused, MessageWidget):
            focused = focused.parentWidget()
        return focused

    def _row(self) -> int | None:
        widget = self._message()
        return next((row for row, one in self._list.rows().items() if one is widget), None)
