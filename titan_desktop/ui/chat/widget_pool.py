"""The message widgets that are out of view, kept for the messages to come.

A row that scrolls back into view gets its own widget back, still filled; otherwise the one that has been out
of view for the longest is filled anew.
"""

from collections import OrderedDict
from collections.abc import Callable

from titan_desktop.ui.chat.message_widget import MessageWidget

_REUSED_FROM = 24
"""With fewer widgets in the pool a new one is made, so that scrolling back and forth fills nothing anew."""
_KEPT_MAX = 48


class WidgetPool:
    """Widgets by the message that they showed last.

    Args:
        make: makes one more.
    """

    def __init__(self, make: Callable[[], MessageWidget]) -> None:
        self._make = make
        self._idle: OrderedDict[str, MessageWidget] = OrderedDict()

    def take(self, message_id: str) -> MessageWidget:
        """A hidden widget for this message."""
        if message_id in self._idle:
            return self._idle.pop(message_id)
        if len(self._idle) >= _REUSED_FROM:
            return self._idle.popitem(last=False)[1]
        return self._make()

    def give(self, widget: MessageWidget) -> None:
        """Hide a widget whose row went out of view, and keep it for later."""
        widget.park()
        key = widget.message.id if widget.message else f"-{id(widget)}"
        if key in self._idle:
            self._idle.pop(key).deleteLater()
        self._idle[key] = widget
        while len(self._idle) > _KEPT_MAX:
            self._idle.popitem(last=False)[1].deleteLater()

    def clear(self) -> None:
        """Throw all away: what they show is in former colours or another language."""
        for widget in self._idle.values():
            widget.deleteLater()
        self._idle.clear()
