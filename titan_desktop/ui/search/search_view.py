"""The page on which a person searches: a field, what was found beneath it, and one passage when it is asked for.

It shows and emits; the presenter decides what is found and what is said.
"""

import re
from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from titan_desktop.client import foreign
from titan_desktop.contracts.sources import FilePassage
from titan_desktop.ui.base.empty_page import EmptyPage
from titan_desktop.ui.base.page_head import PAGE_WIDTH_MAX, PageHead
from titan_desktop.ui.base.page_list import FieldAbove
from titan_desktop.ui.base.theme import Theme, set_tone
from titan_desktop.ui.search.filter_chips import FilterChips
from titan_desktop.ui.search.passage_page import PassagePage
from titan_desktop.ui.search.result_list import ResultList
from titan_desktop.ui.search.results import Hit, ResultModel

_NOTE_HEIGHT = 26
"""That of a chip beside it."""


class SearchView(QWidget):
    """A field and its results."""

    query_changed = Signal(str)
    opened = Signal(object)
    """With the source that is to be opened."""
    file_wanted = Signal(object)
    """With the file passage whose file is to be opened: the person has seen the place."""
    folder_wanted = Signal(object)
    """With the source whose folder is to be shown."""
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._pattern: re.Pattern[str] | None = None
        self._expecting = False
        self._enter: bool | None = None
        self.head = PageHead(theme, self)
        self.field = QLineEdit(self)
        self.field.setClearButtonEnabled(True)
        self.field.setMaxLength(1_000)
        self._glass = QAction(self.field)
        self.field.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self._note = QLabel(self)
        self._note.setProperty("tone", "muted")
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._note.setWordWrap(True)
        self._note.setMinimumHeight(_NOTE_HEIGHT)
        self.chips = FilterChips(theme, self)
        self._complaint = QLabel(self)
        set_tone(self._complaint, "danger")
        self._complaint.setTextFormat(Qt.TextFormat.PlainText)
        self._complaint.setWordWrap(True)
        self._complaint.hide()
        self.results = ResultModel(self)
        self.list = ResultList(self.results, self)
        self._keys_between = FieldAbove(self.field, self.list, self)
        self.empty = EmptyPage(self)
        self.passage = PassagePage(self)
        self.passage.setFocusProxy(self.passage.open_button)
        self._keys = QLabel(self)
        self._keys.setProperty("tone", "muted")
        self.setFocusProxy(self.field)
        self._lay_out()
        self._connect()
        self._draw_icon()
        self._retranslate()

    def _lay_out(self) -> None:
        pages = QWidget(self)
        self._pages = QStackedLayout(pages)
        for page in (self.empty, self.list, self.passage):
            self._pages.addWidget(page)
        inner = QWidget(self)
        inner.setMaximumWidth(PAGE_WIDTH_MAX)
        inner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column = QVBoxLayout(inner)
        column.setContentsMargins(20, 12, 20, 8)
        column.setSpacing(8)
        column.addWidget(self.head)
        column.addWidget(self.field)
        said = QHBoxLayout()
        said.setSpacing(12)
        said.addWidget(self.chips)
        said.addWidget(self._note, 1)
        column.addLayout(said)
        column.addWidget(self._complaint)
        column.addWidget(pages, 1)
        column.addWidget(self._keys)
        centred = QHBoxLayout(self)
        centred.setContentsMargins(0, 0, 0, 0)
        centred.addStretch(1)
        centred.addWidget(inner, 1000)
        centred.addStretch(1)

    def _connect(self) -> None:
        self.field.textChanged.connect(self.query_changed)
        self.field.textChanged.connect(lambda _text: self.set_complaint(""))
        self._keys_between.entered.connect(lambda control: self._on_enter(folder=control))
        self.chips.removed.connect(self._drop)
        self.head.closed.connect(self.closed)
        self.list.opened.connect(self.opened)
        self.list.folder_wanted.connect(self.folder_wanted)
        self.passage.open_requested.connect(self.file_wanted)
        self.passage.folder_requested.connect(self.folder_wanted)
        self.passage.left.connect(self._leave_passage)
        self._theme.changed.connect(self._draw_icon)

    # What the presenter says

    @property
    def note(self) -> str:
        """What is said of the results."""
        return self._note.text()

    def set_note(self, text: str, filters: Sequence[str] = ()) -> None:
        """Say something of the results, "" for nothing, and which words of the question limit them.

        The line keeps its height, so that no result moves.
        """
        self._note.setText(foreign.sentence(text) or " ")
        self.chips.show_words(filters)

    @property
    def complaint(self) -> str:
        """What could not be done, "" when all could."""
        return "" if self._complaint.isHidden() else self._complaint.text()

    def set_complaint(self, text: str) -> None:
        """Say what could not be done; "" for nothing. Typing takes it away."""
        self._complaint.setText(foreign.sentence(text))
        self._complaint.setVisible(bool(text))

    def expect(self) -> None:
        """What is shown answers an older question: until the answer to this one is there, Enter waits for it."""
        self._expecting, self._enter = True, None

    def show_results(
        self, files: Sequence[Hit], messages: Sequence[Hit], pattern: re.Pattern[str] | None
    ) -> None:
        """Show what was found; the first result is the current one."""
        self._pattern = pattern
        self.results.show(files, messages)
        self._turn_to(self.list)
        enter, self._expecting, self._enter = self._enter, False, None
        if enter is not None:
            self.list.open_current(folder=enter)

    def show_empty(self, title: str, text: str) -> None:
        """Say in place of results why there are none."""
        self._expecting, self._enter = False, None
        self.results.show((), ())
        self.empty.say(title, text)
        self._turn_to(self.empty)

    def show_passage(self, passage: FilePassage) -> None:
        """Show one passage in place of the results."""
        self._turn_to(self.passage)
        self.passage.show_passage(passage, self._pattern)

    def focus_field(self) -> None:
        """Let the person type; what stands there is selected."""
        self._keys_between.focus()

    # What the person does

    def _turn_to(self, page: QWidget) -> None:
        former, focused = self._pages.currentWidget(), self.window().focusWidget()
        held_focus = (
            focused is not None and former is not None and (focused is former or former.isAncestorOf(focused))
        )
        self._pages.setCurrentWidget(page)
        self._keys.setVisible(page is self.list)
        if held_focus and page is not former:  # Qt would give it to whatever comes next
            (self.field if page is self.empty else page).setFocus(Qt.FocusReason.OtherFocusReason)

    def _drop(self, words: str) -> None:
        """Search without these words of the question."""
        before, _, after = self.field.text().partition(words)
        self.focus_field()
        self.field.setText(" ".join(f"{before} {after}".split()))

    def _leave_passage(self) -> None:
        self._turn_to(self.list)
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_enter(self, *, folder: bool) -> None:
        """Open the current result, with Ctrl its folder; the one of the answer to come, when that is awaited."""
        if self._expecting:
            self._enter = folder
        elif self._pages.currentWidget() is self.list:
            self.list.open_current(folder=folder)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go back to the conversation on Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    # How it looks

    def _draw_icon(self) -> None:
        self._glass.setIcon(self._theme.icon("search"))

    def _retranslate(self) -> None:
        self.head.set_title(self.tr("Search"))
        self.field.setPlaceholderText(self.tr("Words, a name, a number, “an exact phrase”"))
        self.field.setAccessibleName(self.tr("Search files and conversations"))
        self.list.setAccessibleName(self.tr("Found"))
        self._keys.setText(self.tr("Enter opens  ·  Ctrl+Enter shows in the folder  ·  Esc goes back"))
        self.list.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
