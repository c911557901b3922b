"""The left side: find, begin, open, rename and delete conversations. It shows and emits; it knows no bus."""

from PySide6.QtCore import QEvent, QModelIndex, QSize, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from titan_desktop.ui.base.theme import Theme, set_tone
from titan_desktop.ui.conversations.conversation_list import ConversationList
from titan_desktop.ui.conversations.model import FIRST_ROW, ID_ROLE, ConversationModel


class Sidebar(QWidget):
    """Conversations, a field that filters them, and the button for a new one."""

    conversation_opened = Signal(str)
    conversation_settled = Signal()
    """The person has found the one they want, by a click or Enter; arrow keys only look."""
    new_requested = Signal()
    search_requested = Signal()
    memory_requested = Signal()
    delete_confirmed = Signal(str)
    settings_requested = Signal()

    def __init__(self, model: ConversationModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._model = model
        self._theme = theme
        self._selecting = False
        self._open_id = ""
        self._brand = QLabel("Titan", self)
        self._brand.setObjectName("brand")
        self.menu_button = QToolButton(self)
        self._new = QToolButton(self)
        self._pages = {name: self._page_button() for name in ("search", "memory")}
        self.filter = QLineEdit(self)
        self.filter.setClearButtonEnabled(True)
        self.list = ConversationList(self)
        # It filters nothing: it spares the list, which makes an index for each row at every change, the calls into
        # Python (QAbstractListModel.index asks rowCount), 8 ms for 5,000 rows.
        self._shown = QSortFilterProxyModel(self)
        self._shown.setSourceModel(model)
        # Before the list's own slot, which chooses a neighbour:
        self._shown.rowsAboutToBeRemoved.connect(self._hold)
        self.list.setModel(self._shown)
        self._nothing = QLabel(self)
        self._nothing.setProperty("tone", "muted")
        self._nothing.setWordWrap(True)
        self._nothing.setContentsMargins(20, 12, 20, 12)
        self._lay_out()
        self._connect()
        self._draw_icons()
        self._retranslate()
        self._refresh()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(20, 12, 12, 4)
        head.setSpacing(4)
        head.addWidget(self._brand, 1)
        head.addWidget(self._new)
        head.addWidget(self.menu_button)
        pages = QVBoxLayout()
        pages.setContentsMargins(12, 4, 12, 4)
        pages.setSpacing(2)
        for button in self._pages.values():
            pages.addWidget(button)
        search = QHBoxLayout()
        search.setContentsMargins(12, 4, 12, 8)
        search.addWidget(self.filter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addLayout(pages)
        column.addLayout(search)
        column.addWidget(self._nothing)
        column.addWidget(self.list, 1)
        for button in (self._new, self.menu_button):
            button.setIconSize(QSize(20, 20))
            button.setAutoRaise(True)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def _page_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("tone", "page")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setIconSize(QSize(18, 18))
        button.setAutoRaise(True)
        return button

    def _connect(self) -> None:
        self._pages["search"].clicked.connect(self.search_requested)
        self._pages["memory"].clicked.connect(self.memory_requested)
        self._new.clicked.connect(self.new_requested)
        self._theme.changed.connect(self._draw_icons)
        self.filter.textChanged.connect(self._filter)
        self.filter.returnPressed.connect(self._open_first)
        self.filter.installEventFilter(self)
        self.list.selectionModel().currentChanged.connect(self._open_current)
        for settled in (self.list.clicked, self.list.activated):
            settled.connect(self._settle)
        self.list.delete_pressed.connect(self.ask_to_delete)
        for signal in (self._shown.rowsInserted, self._shown.rowsRemoved, self._shown.modelReset):
            signal.connect(self._refresh)
        for signal in (self._shown.rowsRemoved, self._shown.modelReset):
            signal.connect(self._mark_again)

    # What the window and the presenter say

    def select(self, conversation_id: str) -> None:
        """Mark a conversation as the open one without opening it again; "" marks none."""
        self._selecting = True
        self._open_id = conversation_id
        row = self._model.row_of(conversation_id)
        index = self._shown.index(row, 0) if row is not None else QModelIndex()
        if index.isValid():
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)
        else:
            self.list.clearSelection()
            self.list.setCurrentIndex(QModelIndex())
        self._selecting = False

    def mark_page(self, name: str | None) -> None:
        """Mark the button of the page that is shown in place of the conversation; None: the conversation is."""
        for page, button in self._pages.items():
            button.setProperty("shown", page == name)
            button.style().unpolish(button)
            button.style().polish(button)

    def focus_filter(self) -> None:
        """Let the person type what to look for."""
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    def rename(self) -> None:
        """Edit the title of the marked conversation in its place."""
        if self.list.currentIndex().isValid():
            self.list.setFocus()
            self.list.edit(self.list.currentIndex())

    def ask_to_delete(self) -> None:
        """Delete the marked conversation once the person agrees: there is no way back."""
        index = self.list.currentIndex()
        if not index.isValid():
            return
        conversation_id = str(index.data(ID_ROLE))
        box = QMessageBox(self.window())
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle(self.tr("Delete conversation"))
        box.setText(self.tr("Delete “{title}” with all its messages?").format(title=index.data()))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText(self.tr("This cannot be undone. Your files stay as they are."))
        delete = box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        set_tone(delete, "danger")
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(QMessageBox.StandardButton.Cancel)
        delete.clicked.connect(lambda: self.delete_confirmed.emit(conversation_id))
        box.open()

    # What the person does

    def _open_current(self, current: QModelIndex) -> None:
        if current.isValid() and not self._selecting:
            self._open_id = str(current.data(ID_ROLE))
            self.conversation_opened.emit(self._open_id)

    def _settle(self, index: QModelIndex) -> None:
        if index.data(ID_ROLE):
            self.conversation_settled.emit()

    def _filter(self, text: str) -> None:
        self._model.look_for(text)

    def _hold(self) -> None:
        """Open nothing because a row goes: the person has not chosen the one that takes its place."""
        self._selecting = True

    def _mark_again(self) -> None:
        self.select(self._open_id)

    def _open_first(self) -> None:
        if self._model.rowCount():
            self.list.setCurrentIndex(self._shown.index(FIRST_ROW, 0))
            self.list.setFocus(Qt.FocusReason.TabFocusReason)

    def _refresh(self) -> None:
        self._nothing.setVisible(bool(self.filter.text()) and not self._model.rowCount())

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """In the filter: Down goes to the list, Esc clears the field first."""
        if watched is self.filter and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Down:
                self._open_first()
                return True
            if event.key() == Qt.Key.Key_Escape and self.filter.text():
                self.filter.clear()
                return True
        return False

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer to rename or delete the conversation beneath the pointer."""
        index = self.list.indexAt(self.list.viewport().mapFrom(self, event.pos()))
        if not index.data(ID_ROLE):
            return
        self.list.setCurrentIndex(index)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        rename = QAction(self.tr("Rename"), menu)
        rename.setShortcut("F2")
        rename.triggered.connect(self.rename)
        delete = QAction(self.tr("Delete…"), menu)
        delete.setShortcut("Del")
        delete.triggered.connect(self.ask_to_delete)
        menu.addActions([rename, delete])
        menu.popup(event.globalPos())

    # How it looks

    def _draw_icons(self) -> None:
        self._new.setIcon(self._theme.icon("new"))
        self.menu_button.setIcon(self._theme.icon("menu"))
        for name, button in self._pages.items():
            button.setIcon(self._theme.icon(name))

    def _retranslate(self) -> None:
        for button, words in (
            (self._new, self.tr("New conversation (Ctrl+N)")),
            (self.menu_button, self.tr("Menu")),
        ):
            button.setToolTip(words)
            button.setAccessibleName(words)
        for name, words, keys in (
            ("search", self.tr("Search"), "Ctrl+Shift+F"),
            ("memory", self.tr("Memory"), "Ctrl+Shift+M"),
        ):
            self._pages[name].setText(words)
            shown = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
            self._pages[name].setToolTip(f"{words} ({shown})")
        self._pages["search"].setAccessibleName(self.tr("Search files and conversations"))
        self.filter.setPlaceholderText(self.tr("Find a conversation"))
        self.filter.setAccessibleName(self.tr("Find a conversation"))
        self.list.setAccessibleName(self.tr("Conversations"))
        self._nothing.setText(self.tr("No conversation has these words in its title."))
        self.list.viewport().update()  # its headings

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
