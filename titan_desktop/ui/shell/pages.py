"""The pages that stand in place of the conversation: made when they are first asked for, and what they lead to."""

from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject

from titan_desktop.contracts.memory import Fact, FromFile, FromMessage, Origin
from titan_desktop.contracts.sources import FactSource, FilePassage, MessageSource
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.base.theme import Theme
from titan_desktop.ui.chat.message_jump import MessageJump
from titan_desktop.ui.chat.source_opener import SourceOpener
from titan_desktop.ui.memory import words as memory_words
from titan_desktop.ui.memory.deciding import Deciding
from titan_desktop.ui.memory.memory_view import MemoryView
from titan_desktop.ui.memory.presenter import MemoryPresenter
from titan_desktop.ui.search.presenter import SearchPresenter
from titan_desktop.ui.search.search_view import SearchView
from titan_desktop.ui.shell.main_window import MainWindow


class Pages(QObject):
    """Owns the search page and the memory page.

    Args:
        jump: goes to a message in its conversation.
        opener: opens files.
        reading: returns a sentence while files are still being read, else "".
    """

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        bridge: Bridge,
        tasks: Tasks,
        jump: MessageJump,
        opener: SourceOpener,
        reading: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._theme = theme
        self._bridge = bridge
        self._tasks = tasks
        self._jump = jump
        self._opener = opener
        self._reading = reading
        self._search: tuple[SearchView, SearchPresenter] | None = None
        self._memory: tuple[MemoryView, MemoryPresenter] | None = None
        window.search_requested.connect(self.open_search)
        window.memory_requested.connect(self.open_memory)

    def retranslate(self) -> None:
        """Say what the presenters say in the current language."""
        for page in (self._search, self._memory):
            if page is not None:
                page[1].retranslate()

    def open_search(self) -> None:
        """Show the search page, ready to be typed into."""
        if self._search is None:
            self._search = self._make_search()
        view = self._search[0]
        self._window.turn_to(view)
        view.focus_field()

    def _make_search(self) -> tuple[SearchView, SearchPresenter]:
        view = SearchView(self._theme, self._window)
        view.setProperty("page", "search")
        presenter = SearchPresenter(view, self._bridge, self._tasks, self._reading, self)
        view.closed.connect(self._window.show_chat)
        view.folder_wanted.connect(self._show_folder)
        view.opened.connect(self._open)
        view.file_wanted.connect(self._open_file)
        return view, presenter

    def open_memory(self) -> None:
        """Show the memory page, ready to be typed into."""
        if self._memory is None:
            self._memory = self._make_memory()
        view = self._memory[0]
        self._window.turn_to(view)
        view.focus_field()

    def open_fact(self, source: FactSource) -> None:
        """Show the memory page with this fact: found by its words, as if they had been typed."""
        self.open_memory()
        if self._memory is not None:
            self._memory[0].tabs.setCurrentIndex(0)
            self._memory[0].field.setText(" ".join(source.passage.split()))

    def _make_memory(self) -> tuple[MemoryView, MemoryPresenter]:
        view = MemoryView(self._theme, self._details, self._window)
        view.setProperty("page", "memory")
        presenter = MemoryPresenter(view, self._bridge, self._tasks, self)
        Deciding(view, self._bridge, self._tasks, self._show_origin, self)
        presenter.retranslate()
        view.closed.connect(self._window.show_chat)
        return view, presenter

    def _details(self, fact: Fact) -> str:
        origin = fact.origin
        said_in = origin.conversation_id if isinstance(origin, FromMessage) else ""
        return memory_words.details(fact, self._window.conversations.title_of(said_in))

    def _show_origin(self, origin: Origin) -> None:
        match origin:
            case FromMessage(message_id=message_id, conversation_id=conversation_id):
                self.go_to_message(conversation_id, message_id)
            case FromFile():
                self._tasks.replace(self._open_origin(origin), "open found")

    async def _open_origin(self, origin: FromFile) -> None:
        """Open a file at its place; where its program cannot be told that, name the place."""
        said = None if origin.place is None else await self._opener.open_at(origin.path, origin.place)
        if said is None:
            said = await self._opener.open_file(origin.path) or memory_words.look_there(origin)
        if self._memory is not None:
            self._memory[0].set_complaint(said)

    def _open(self, source: object) -> None:
        if isinstance(source, MessageSource):
            self.go_to_message(source.conversation_id, source.message_id)
        elif isinstance(source, FilePassage):
            self._tasks.replace(self._open_at_place(source), "open found")

    def go_to_message(self, conversation_id: str, message_id: str) -> None:
        """Show the conversation, at this message."""
        self._window.turn_to(self._window.chat)
        self._jump.go(conversation_id, message_id)

    async def _open_at_place(self, source: FilePassage) -> None:
        """Open a file at its place; where its program cannot be told that, show the passage and name the place."""
        said = (
            await self._opener.open_file(source.path)
            if source.place is None
            else await self._opener.open_at(source.path, source.place)
        )
        if said is None and self._search is not None:
            self._search[0].show_passage(source)
        else:
            self._complain(said or "")

    def _open_file(self, source: FilePassage) -> None:
        self._tasks.replace(self._tell(self._opener.open_file(source.path)), "open found")

    def _show_folder(self, source: object) -> None:
        if isinstance(source, FilePassage):
            self._tasks.replace(self._tell(self._opener.show_in_folder(source.path)), "open found")
        elif isinstance(source, MessageSource):
            self.go_to_message(source.conversation_id, source.message_id)

    async def _tell(self, work: Awaitable[str]) -> None:
        self._complain(await work)

    def _complain(self, sentence: str) -> None:
        if self._search is not None:
            self._search[0].set_complaint(sentence)
