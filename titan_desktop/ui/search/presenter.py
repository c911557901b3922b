"""Searches while a person types: the last question wins, and what is shown stays until its answer is there."""

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from titan_bus import BusError
from titan_desktop.contracts import indexing, recall, search, system
from titan_desktop.contracts.sources import MessageSource
from titan_desktop.system.paths import allowed_roots
from titan_desktop.ui.base import passage
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.search import results, words
from titan_desktop.ui.search.search_view import SearchView

PAUSE_MS = 150
"""Who types faster than this is not interrupted."""
AGAIN_MS = 2_000
"""Who has found nothing while files are read may find something in the next one; the core is asked no oftener."""
FILES_MAX = 30
MESSAGES_MAX = 8
TIMEOUT_S = 10.0
RECALL_TIMEOUT_S = 2.0


class SearchPresenter(QObject):
    """Decides what the page shows.

    Args:
        view: the page.
        reading: returns a sentence while files are still being read, else "".
    """

    def __init__(
        self,
        view: SearchView,
        bridge: Bridge,
        tasks: Tasks,
        reading: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._bridge = bridge
        self._tasks = tasks
        self._reading = reading
        self._query = ""
        self._shown: search.SearchResult | BusError | None = None
        """The answer to `_query` that is shown; None before it came."""
        self._said: tuple[MessageSource, ...] = ()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(AGAIN_MS)
        self._again.timeout.connect(self._look_again)
        view.query_changed.connect(self._on_typed)
        bridge.connected.connect(self._ask_again)
        bridge.listen(indexing.FileIndexed, self._on_indexed)
        bridge.listen(system.CoreReady, lambda _ready: self._ask_again())
        bridge.listen(system.StoreChanged, lambda said: self._ask_again() if said.store.ok else None)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything again in the current language; results stay as they are, and so does an open passage."""
        if isinstance(self._shown, search.SearchResult) and (self._shown.hits or self._said):
            self._note(self._shown)
        else:
            self._show()

    def _on_typed(self, text: str) -> None:
        query = " ".join(text.split())
        if query == self._query:
            return
        self._query = query
        if query:
            self._view.expect()
            self._pause.start()
        else:
            self._pause.stop()
            self._tasks.cancel("search")
            self._shown, self._said = None, ()
            self._show()

    def _ask(self) -> None:
        if self._query:
            self._tasks.replace(self._search(self._query), "search")

    def _ask_again(self) -> None:
        """What could not be answered may be by now."""
        if isinstance(self._shown, BusError):
            self._ask()

    def _on_indexed(self, _said: indexing.FileIndexed) -> None:
        if self._found_nothing and not self._again.isActive():
            self._again.start()

    def _look_again(self) -> None:
        if self._found_nothing:
            self._ask()

    @property
    def _found_nothing(self) -> bool:
        return isinstance(self._shown, search.SearchResult) and not (self._shown.hits or self._said)

    async def _search(self, query: str) -> None:
        try:
            found, said = await asyncio.gather(
                self._bridge.ask(search.Search(query=query, limit=FILES_MAX), TIMEOUT_S), self._recall(query)
            )
        except BusError as error:
            self._shown, self._said = error, ()
        else:
            self._shown, self._said = found, said
        self._show()

    async def _recall(self, query: str) -> tuple[MessageSource, ...]:
        """Return the best messages; files do not wait for them long."""
        try:
            found = await self._bridge.ask(
                recall.QueryMemory(query=query, limit=MESSAGES_MAX), RECALL_TIMEOUT_S
            )
        except BusError:
            return ()
        return tuple(hit for hit in found.hits if isinstance(hit, MessageSource))

    def _show(self) -> None:
        view, shown = self._view, self._shown
        if shown is None:
            if not self._query:
                view.set_note("")
                view.show_empty(*words.invitation(self._reading()))
        elif isinstance(shown, BusError):
            view.set_note("")
            view.show_empty(*words.failure(shown))
        elif not (shown.hits or self._said):
            view.set_note("", words.filters(shown))
            view.show_empty(*words.nothing(self._query, shown, self._reading()))
        else:
            self._show_found(shown)

    def _show_found(self, found: search.SearchResult) -> None:
        meant = found.instead.shown if found.instead is not None else ""
        pattern = passage.word_pattern(f"{self._query} {meant}")
        roots = allowed_roots()
        self._note(found)
        self._view.show_results(
            [results.hit(one, pattern, roots) for one in found.hits],
            [results.hit(one, pattern, roots) for one in self._said],
            pattern,
        )

    def _note(self, found: search.SearchResult) -> None:
        self._view.set_note(words.notes(found, self._reading()), words.filters(found))
