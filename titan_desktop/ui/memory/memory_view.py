"""The memory page: three lists of facts, a field that searches them, and what can be done with the chosen one.

It shows and emits; the presenters decide what is listed and what becomes of a wish.
"""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from titan_desktop.client import foreign
from titan_desktop.contracts.memory import Fact
from titan_desktop.ui.base.empty_page import EmptyPage
from titan_desktop.ui.base.page_head import PAGE_WIDTH_MAX, PageHead
from titan_desktop.ui.base.page_list import FieldAbove
from titan_desktop.ui.base.theme import Theme, set_tone
from titan_desktop.ui.memory.fact_bar import FactBar
from titan_desktop.ui.memory.fact_editor import FactEditor
from titan_desktop.ui.memory.fact_list import FactList
from titan_desktop.ui.memory.facts_model import FactModel
from titan_desktop.ui.memory.receipts import Receipts
from titan_desktop.ui.memory.words import Kind

KINDS = tuple(Kind)
_KEYS_ROOM = 480


class MemoryView(QWidget):
    """The page.

    Args:
        theme: draws the icons.
        details: words where a fact is from and its dates.
    """

    query_changed = Signal(str)
    kind_changed = Signal(object)
    """With the `Kind` that is to be listed."""
    wanted = Signal(object, object)
    """With a `Deed` and the fact that it is wanted of."""
    new_wanted = Signal()
    place_wanted = Signal(object)
    """With the origin that is to be shown."""
    closed = Signal()

    def __init__(self, theme: Theme, details: Callable[[Fact], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._waiting = ""
        self.head = PageHead(theme, self)
        self.field = QLineEdit(self)
        self.field.setClearButtonEnabled(True)
        self.field.setMaxLength(1_000)
        self._glass = QAction(self.field)
        self.field.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self.new_button = QPushButton(self)
        self.new_button.setAutoDefault(True)
        self.tabs = QTabBar(self)
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        for _ in KINDS:
            self.tabs.addTab("")
        self._complaint = QLabel(self)
        set_tone(self._complaint, "danger")
        self._complaint.setTextFormat(Qt.TextFormat.PlainText)
        self._complaint.setWordWrap(True)
        self._complaint.hide()
        self.facts = FactModel(details, self)
        self.list = FactList(self.facts, theme, self)
        self.list.setMinimumHeight(48)
        self.empty = EmptyPage(self)
        self.bar = FactBar(self)
        self.receipts = Receipts(theme, self)
        self._keys = QLabel(self)
        self._keys.setProperty("tone", "muted")
        self._keys_between = FieldAbove(self.field, self.list, self)
        self.setFocusProxy(self.field)
        self._lay_out()
        self._connect()
        self._draw_icon()
        self._retranslate()

    def _lay_out(self) -> None:
        pages = QWidget(self)
        self._pages = QStackedLayout(pages)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.list)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.field, 1)
        top.addWidget(self.new_button)
        inner = QWidget(self)
        inner.setMaximumWidth(PAGE_WIDTH_MAX)
        inner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column = QVBoxLayout(inner)
        column.setContentsMargins(20, 12, 20, 8)
        column.setSpacing(8)
        column.addWidget(self.head)
        column.addLayout(top)
        column.addWidget(self.tabs)
        column.addWidget(self._complaint)
        column.addWidget(self.receipts)
        column.addWidget(pages, 1)
        column.addWidget(self.bar)
        column.addWidget(self._keys)
        centred = QHBoxLayout(self)
        centred.setContentsMargins(0, 0, 0, 0)
        centred.addStretch(1)
        centred.addWidget(inner, 1000)
        centred.addStretch(1)

    def _connect(self) -> None:
        self.field.textChanged.connect(self.query_changed)
        self.field.textChanged.connect(lambda _text: self.set_complaint(""))
        self._keys_between.entered.connect(self.list.entered)
        self.head.closed.connect(self.closed)
        self.new_button.clicked.connect(self.new_wanted)
        self.tabs.currentChanged.connect(self._change_kind)
        self.list.wanted.connect(self.wanted)
        self.list.chosen.connect(self._show_bar)
        self.facts.dataChanged.connect(self._show_bar)
        self.facts.modelReset.connect(self._show_bar)
        self.bar.wanted.connect(self.wanted)
        self.bar.menu_wanted.connect(self._open_menu)
        self.bar.focus_left.connect(self._focus_list)
        self.receipts.place_wanted.connect(self.place_wanted)
        self.receipts.put_away.connect(self.focus_field)
        self._theme.changed.connect(self._draw_icon)

    # What the presenters say

    @property
    def kind(self) -> Kind:
        """Which facts are to be listed."""
        return KINDS[self.tabs.currentIndex()]

    @property
    def complaint(self) -> str:
        """What could not be done, "" when all could."""
        return "" if self._complaint.isHidden() else self._complaint.text()

    def set_complaint(self, text: str) -> None:
        """Say what could not be done; "" for nothing. Typing takes it away."""
        self._complaint.setText(foreign.sentence(text))
        self._complaint.setVisible(bool(text))

    def set_waiting(self, count: str) -> None:
        """Say how many proposals wait: "3", "99+"; "" for none."""
        self._waiting = count
        self._retranslate_tabs()

    def show_list(self) -> None:
        """Show the facts."""
        self._turn_to(self.list)

    def show_empty(self, title: str, text: str) -> None:
        """Say in place of the facts why there are none."""
        self.empty.say(title, text)
        self._turn_to(self.empty)

    def focus_field(self) -> None:
        """Let the person type; what stands there is selected."""
        self._keys_between.focus()

    def edit(self, fact: Fact | None) -> FactEditor:
        """Open the small window that writes a fact, or corrects this one."""
        editor = FactEditor(fact, self.window())
        editor.open()
        return editor

    def ask(
        self, question: str, consequence: str, answer: str, do: Callable[[], None], *, danger: bool
    ) -> None:
        """Ask before something is done. Nothing blocks meanwhile, and Cancel is what Enter means if `danger`."""
        box = QMessageBox(self.window())
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle(self.tr("Memory"))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(foreign.sentence(question))
        box.setInformativeText(consequence)
        button = box.addButton(
            answer, QMessageBox.ButtonRole.DestructiveRole if danger else QMessageBox.ButtonRole.AcceptRole
        )
        set_tone(button, "danger" if danger else "primary")
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(cancel if danger else button)
        button.clicked.connect(do)
        box.open()

    # What the person does

    def _change_kind(self) -> None:
        self._retranslate_tabs()
        self.kind_changed.emit(self.kind)

    def _turn_to(self, page: QWidget) -> None:
        focused = self.window().focusWidget()
        held_focus = focused is self.list
        self._pages.setCurrentWidget(page)
        self._show_keys()
        self._show_bar()
        if held_focus and page is self.empty:  # Qt would give it to whatever comes next
            self.focus_field()

    def _show_keys(self) -> None:
        """Say the keys, where there is room beside what matters more."""
        self._keys.setVisible(self._pages.currentWidget() is self.list and self.height() >= _KEYS_ROOM)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say the keys only in a window that is high enough."""
        super().resizeEvent(event)
        self._show_keys()

    def _show_bar(self) -> None:
        self.bar.show_fact(self.list.current if self._pages.currentWidget() is self.list else None)

    def _focus_list(self) -> None:
        if self._pages.currentWidget() is self.list:
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.focus_field()

    def _open_menu(self, fact: Fact) -> None:
        button = self.bar.menu_button
        menu = self.list.menu_of(fact)
        menu.popup(button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go back to the conversation on Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    # How it looks

    def _draw_icon(self) -> None:
        self._glass.setIcon(self._theme.icon("search"))
        self.list.viewport().update()

    def _retranslate(self) -> None:
        self.head.set_title(self.tr("Memory"))
        self.field.setPlaceholderText(self.tr("Find in memory"))
        self.field.setAccessibleName(self.tr("Find in memory"))
        self.new_button.setText(self.tr("New fact…"))
        self.tabs.setAccessibleName(self.tr("Which facts"))
        self.list.setAccessibleName(self.tr("Facts"))
        self._retranslate_tabs()
        self.list.viewport().update()

    def _retranslate_tabs(self) -> None:
        proposals = self.tr("Proposals")
        named = f"{proposals} ({self._waiting})" if self._waiting else proposals
        for tab, text in enumerate((self.tr("Now"), self.tr("Before"), named)):
            self.tabs.setTabText(tab, text)
        self._keys.setText(
            self.tr("Enter shows where it is from  ·  Ctrl+Enter accepts  ·  Del refuses")
            if self.kind is Kind.PROPOSED
            else self.tr("Enter shows where it is from  ·  F2 corrects  ·  Del forgets")
        )

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
