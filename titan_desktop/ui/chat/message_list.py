"""The list of messages that the window uses: `message_rows` with keys, focus, copying and its own words."""

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from titan_desktop.client import foreign
from titan_desktop.ui.chat.caption import Caption
from titan_desktop.ui.chat.focus_walk import FocusWalk
from titan_desktop.ui.chat.message_model import MessageModel
from titan_desktop.ui.chat.message_rows import LINE, MessageRows
from titan_desktop.ui.chat.message_widget import MessageWidget
from titan_desktop.ui.chat.rich_text import RichText
from titan_desktop.ui.chat.sentences import Searched

_ARROWS = frozenset({Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right})


class MessageList(MessageRows):
    """Shows a `MessageModel`, which can be read, walked through and copied from by keyboard."""

    def __init__(self, model: MessageModel, parent: QWidget | None = None) -> None:
        super().__init__(model, parent)
        self._walk = FocusWalk(self, self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._retranslate()

    # Keys and the focus

    def go_to(self, row: int) -> None:
        """Bring a message into view and give it the focus, with its ring: somebody has looked for it."""
        self._walk.to_row(row)

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
            bar.setValue(bar.value() + (2 * LINE if event.key() == Qt.Key.Key_Down else -2 * LINE))
        else:
            event.ignore()

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

    # Copying

    def _make(self) -> MessageWidget:
        widget = super()._make()
        widget.menu_requested.connect(self._open_menu)
        return widget

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

    def set_searched(self, searched: Searched) -> None:
        """Where Titan searches, for "nothing was found"."""
        if searched != self._searched:
            self._searched = searched
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
