"""The view of a conversation: messages above, notice and composer below.

The chat presenter updates `model` from events and handles the signals; this module decides nothing.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat import sentences
from titan_desktop.ui.chat.composer import Composer
from titan_desktop.ui.chat.message_list import MessageList
from titan_desktop.ui.chat.message_model import MessageModel
from titan_desktop.ui.chat.message_rows import TEXT_WIDTH_MAX

_MARGIN = 16


class ChatView(QWidget):
    """One conversation and its composer."""

    prompt_submitted = Signal(str)
    draft_changed = Signal()
    stop_requested = Signal(str)
    """With the id of the question whose answer is to stop."""
    retry_requested = Signal(str)
    """With the id of the question that is to be answered again."""
    go_on_requested = Signal(str)
    """With the id of the question whose answer broke off, and is to go on."""
    thoughts_wanted = Signal(str)
    """With the id of an answer: `messages.show_thoughts` is to show what the model thought."""
    source_activated = Signal(str)
    """With the path of a file to open."""
    fact_activated = Signal(object)
    """With the `FactSource` to show in the memory."""
    link_activated = Signal(str)
    """With an http, https or mailto address, or `sentences.SETTINGS_URL`. Nothing has been opened yet."""
    older_requested = Signal()
    """The person is near the oldest loaded message and the model knows of `more`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = MessageModel(self)
        self.messages = MessageList(self.model, self)
        self.composer = Composer(self)
        self._busy_with: str | None = None
        self._notice_kind = "info"
        self._searched = sentences.Searched()
        self._start_page: QWidget | None = None
        self._notice = QLabel(self)
        self._notice.setWordWrap(True)
        self._notice.setTextFormat(Qt.TextFormat.PlainText)
        self._notice.hide()
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAutoFillBackground(True)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        pages = QWidget(self)
        self._pages = QStackedLayout(pages)
        self._pages.addWidget(self.messages)
        column = QWidget(self)
        column.setMaximumWidth(TEXT_WIDTH_MAX + 2 * (_MARGIN + 8))
        column.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        below = QVBoxLayout(column)
        below.setContentsMargins(_MARGIN + 8, 4, _MARGIN + 8, _MARGIN)
        below.addWidget(self._notice)
        below.addWidget(self.composer)
        centred = QHBoxLayout()
        # The messages have a scroll bar at their right; so that both columns stand in one line:
        centred.setContentsMargins(0, 0, self.messages.verticalScrollBar().sizeHint().width(), 0)
        centred.addStretch(1)
        centred.addWidget(column, 1000)
        centred.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(pages, 1)
        outer.addLayout(centred)

    def _connect(self) -> None:
        self.messages.retry_requested.connect(self.retry_requested)
        self.messages.go_on_requested.connect(self.go_on_requested)
        self.messages.thoughts_wanted.connect(self.thoughts_wanted)
        self.messages.source_activated.connect(self.source_activated)
        self.messages.fact_activated.connect(self.fact_activated)
        self.messages.link_activated.connect(self.link_activated)
        self.messages.older_requested.connect(self.older_requested)
        self.composer.prompt_submitted.connect(self.prompt_submitted)
        self.composer.edit.textChanged.connect(self.draft_changed)
        self.composer.stop_requested.connect(self._stop)
        self.composer.page_pressed.connect(self.messages.scroll_pages)
        self.composer.recall_requested.connect(lambda: self.composer.recall(self.model.last_question()))
        self.model.modelReset.connect(self._choose_page)
        self.model.rowsInserted.connect(self._choose_page)

    # What the shell and the presenter say

    def set_busy(self, question_id: str | None) -> None:
        """Show that the answer to this question is being written: Send becomes Stop. None: no answer is."""
        self._busy_with = question_id
        self.composer.set_busy(question_id is not None)

    def set_notice(self, text: str, kind: str = "info") -> None:
        """Show a sentence above the composer; "" hides it. `kind` is "info", "warning" or "error"."""
        self._notice_kind = kind
        self._notice.setText(text)
        self._notice.setVisible(bool(text))
        self._restyle()

    def set_folders(self, folders: Sequence[str]) -> None:
        """The paths of the folders that Titan reads, for the answer "nothing was found"."""
        self._searched = self._searched._replace(folders=sentences.folder_list(folders))
        self.messages.set_searched(self._searched)

    def set_empty(self, is_empty: bool) -> None:  # noqa: FBT001  # a slot
        """Whether there are no files in these folders."""
        self._searched = self._searched._replace(is_empty=is_empty)
        self.messages.set_searched(self._searched)

    def set_start_page(self, widget: QWidget) -> None:
        """Show this widget while the conversation is empty; the view owns it."""
        if self._start_page is not None:
            self._pages.removeWidget(self._start_page)
            self._start_page.deleteLater()
        self._start_page = widget
        self._pages.addWidget(widget)
        self._choose_page()

    def focus_composer(self) -> None:
        """Focus the text field."""
        self.composer.edit.setFocus()

    def draft(self) -> str:
        """Return the text that is not sent."""
        return self.composer.draft()

    def set_draft(self, text: str) -> None:
        """Replace the text."""
        self.composer.set_draft(text)

    def _stop(self) -> None:
        if self._busy_with is not None:
            self.stop_requested.emit(self._busy_with)

    def _choose_page(self) -> None:
        empty = self._start_page is not None and self.model.rowCount() == 0
        page = self._start_page if empty else self.messages
        if page is not None:
            self._pages.setCurrentWidget(page)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Who types or pastes among the messages means the composer; the keys that they use do not come here."""
        held = event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        is_text = not held and bool(event.text()) and event.text().isprintable()
        is_elsewhere = not self.composer.edit.hasFocus()
        if is_elsewhere and (is_text or event.matches(QKeySequence.StandardKey.Paste)):
            self.focus_composer()
            QApplication.sendEvent(self.composer.edit, event)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._restyle()

    def _restyle(self) -> None:
        colours = Colours.of(self.palette())
        background, text = {
            "error": (colours.danger_page, colours.danger),
            "warning": (colours.mark, colours.text),
        }.get(self._notice_kind, (colours.code, colours.text))
        self._notice.setStyleSheet(
            f"background:{background}; color:{text}; border-radius:8px; padding:7px 12px;"
        )
