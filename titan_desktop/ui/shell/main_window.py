"""The main window: conversations, the open one, the strip above it and the line below. It shows and emits."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeyEvent, QKeySequence, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from titan_desktop.ui.base.banner import Banner, StatusLine
from titan_desktop.ui.base.theme import Theme
from titan_desktop.ui.chat.chat_view import ChatView
from titan_desktop.ui.chat.start_screen import StartScreen
from titan_desktop.ui.conversations.model import ConversationModel
from titan_desktop.ui.conversations.sidebar import Sidebar
from titan_desktop.ui.shell.shortcuts_dialog import ShortcutsDialog

_SIDEBAR_WIDTH = 264


class MainWindow(QMainWindow):
    """The window's widgets. `app` and the presenters control it."""

    first_painted = Signal()
    """Emitted once, after the first paint event."""
    close_requested = Signal()
    """The person closed the window. It stays open until `app` has finished."""
    settings_requested = Signal()
    failures_requested = Signal()
    dead_letters_requested = Signal()
    new_requested = Signal()
    search_requested = Signal()
    memory_requested = Signal()
    stop_requested = Signal()
    """Esc was pressed and not handled by another widget."""

    def __init__(self, theme: Theme, folders: Sequence[Path]) -> None:
        super().__init__()
        self.setObjectName("titan")
        self.setWindowTitle("Titan")
        self.setMinimumSize(560, 420)
        self.resize(1080, 720)
        self._painted = False
        self._leaving = False
        self.conversations = ConversationModel(self)
        self.sidebar = Sidebar(self.conversations, theme, self)
        self.banner = Banner(theme, self)
        self.chat = ChatView(self)
        self.pages = QStackedWidget(self)
        self.pages.setObjectName("pages")
        self.pages.addWidget(self.chat)
        self.status_line = StatusLine(self)  # after what stands above it: Tab goes by birth
        self.start_screen = StartScreen(folders, self.chat)
        self.chat.set_start_page(self.start_screen)
        self._shortcuts: ShortcutsDialog | None = None
        self._lay_out()
        self._make_actions()
        self._connect()
        self._retranslate()
        self.chat.focus_composer()

    def _lay_out(self) -> None:
        page = QWidget(self)
        page.setObjectName("page")
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.pages, 1)
        column.addWidget(self.status_line)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.sidebar)
        self.splitter.addWidget(page)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([_SIDEBAR_WIDTH, self.width() - _SIDEBAR_WIDTH])
        self.sidebar.setMinimumWidth(180)
        page.setMinimumWidth(340)
        self.setCentralWidget(self.splitter)

    def _make_actions(self) -> None:
        self.new_action = self._action("Ctrl+N", self.new_requested.emit)
        self.search_action = self._action("Ctrl+Shift+F", self.search_requested.emit)
        self.memory_action = self._action("Ctrl+Shift+M", self.memory_requested.emit)
        self.find_action = self._action("Ctrl+K", self.sidebar.focus_filter)
        self.ask_action = self._action("Ctrl+L", self.show_chat)
        self.failures_action = self._action("", self.failures_requested.emit)
        self.dead_letters_action = self._action("", self.dead_letters_requested.emit)
        self.settings_action = self._action("Ctrl+,", self.settings_requested.emit)
        self.settings_action.setMenuRole(QAction.MenuRole.PreferencesRole)
        self.shortcuts_action = self._action("F1", self.show_shortcuts)
        self.quit_action = self._action("Ctrl+Q", self.close)
        self.quit_action.setMenuRole(QAction.MenuRole.QuitRole)
        menu = QMenu(self)
        menu.addActions([self.new_action, self.find_action, self.ask_action])
        menu.addSeparator()
        menu.addActions([self.search_action, self.memory_action])
        menu.addSeparator()
        menu.addActions([self.failures_action, self.dead_letters_action])
        menu.addSeparator()
        menu.addActions([self.settings_action, self.shortcuts_action])
        menu.addSeparator()
        menu.addAction(self.quit_action)
        self.sidebar.menu_button.setMenu(menu)

    def _action(self, keys: str, do: Callable[[], object]) -> QAction:
        action = QAction(self)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda _checked=False: do())
        self.addAction(action)
        return action

    def _connect(self) -> None:
        self.sidebar.new_requested.connect(self.new_requested)
        self.sidebar.search_requested.connect(self.search_requested)
        self.sidebar.memory_requested.connect(self.memory_requested)
        self.sidebar.conversation_opened.connect(lambda _id: self.turn_to(self.chat))
        self.sidebar.conversation_settled.connect(self.show_chat)
        self.banner.focus_left.connect(self._focus_page)
        self.start_screen.example_chosen.connect(self.chat.set_draft)
        self.start_screen.example_chosen.connect(self.chat.focus_composer)
        self.status_line.failures_requested.connect(self.failures_requested)

    def turn_to(self, page: QWidget) -> None:
        """Show the conversation, or a page in its place."""
        if self.pages.indexOf(page) < 0:
            self.pages.addWidget(page)
        self.pages.setCurrentWidget(page)
        self.sidebar.mark_page(page.property("page"))

    def _focus_page(self) -> None:
        """Give the keyboard to what is shown."""
        page = self.pages.currentWidget()
        if page is None or page is self.chat:
            self.chat.focus_composer()
        else:
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_chat(self) -> None:
        """Show the conversation, ready to be written to."""
        self.turn_to(self.chat)
        self.chat.focus_composer()

    def show_shortcuts(self) -> None:
        """Open the overview of the keys."""
        if self._shortcuts is None:
            self._shortcuts = ShortcutsDialog(self)
        self._shortcuts.show()
        self._shortcuts.activateWindow()

    def bring_to_front(self) -> None:
        """Show the window above the others, also when it was minimised."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def layout_state(self) -> tuple[bytes, bytes]:
        """Return what `restore_layout` takes: the window's geometry and the splitter's."""
        return bytes(self.saveGeometry().data()), bytes(self.splitter.saveState().data())

    def restore_layout(self, geometry: bytes, splitter: bytes) -> None:
        """Restore the layout of the last time; Qt moves a window that would be off every screen."""
        self.restoreGeometry(QByteArray(geometry))
        self.splitter.restoreState(QByteArray(splitter))

    def close_for_good(self) -> None:
        """Close for good, without emitting `close_requested`."""
        self._leaving = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Hide at once, and let `app` end the rest in order."""
        if self._leaving:
            event.accept()
            return
        event.ignore()
        self.close_requested.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Stop the answer on Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.stop_requested.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Emit `first_painted` after the first paint."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.first_painted.emit)

    def _retranslate(self) -> None:
        self.new_action.setText(self.tr("New conversation"))
        self.search_action.setText(self.tr("Search files and conversations"))
        self.memory_action.setText(self.tr("Memory"))
        self.find_action.setText(self.tr("Find a conversation"))
        self.ask_action.setText(self.tr("Ask"))
        self.failures_action.setText(self.tr("Files that could not be read in full…"))
        self.dead_letters_action.setText(self.tr("Failed jobs…"))
        self.settings_action.setText(self.tr("Settings…"))
        self.shortcuts_action.setText(self.tr("Keyboard shortcuts"))
        self.quit_action.setText(self.tr("Quit"))

    def changeEvent(self, event: QEvent) -> None:
        """Update the texts when the language changes."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
