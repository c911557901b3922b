"""Decides which facts the memory page lists: page by page from the core, and then by what the core tells."""

from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import QObject, QTimer

from titan_bus import BusError
from titan_desktop.contracts import memory, system
from titan_desktop.contracts.memory import Fact, FactState, ListFacts
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.memory import words
from titan_desktop.ui.memory.memory_view import MemoryView
from titan_desktop.ui.memory.words import Kind

PAUSE_MS = 150
"""Who types faster than this is not interrupted; and what is told in a row is asked about once."""
PAGE = 100
TIMEOUT_S = 10.0


class MemoryPresenter(QObject):
    """Lists facts, and counts the proposals that wait."""

    def __init__(self, view: MemoryView, bridge: Bridge, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._bridge = bridge
        self._tasks = tasks
        self._kind = Kind.HOLDS
        self._query = ""
        self._cursor = ""
        self._answer: memory.FactPage | BusError | None = None
        """The latest to the question for the first page; None before there was one."""
        self._pause = self._timer(self._list)
        self._counting = self._timer(self._count)
        view.query_changed.connect(self._on_typed)
        view.kind_changed.connect(self._on_kind)
        view.facts.more_wanted.connect(self._ask_for_more)
        self._listen()
        if bridge.is_connected:
            self._look()

    def _timer(self, do: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(PAUSE_MS)
        timer.timeout.connect(do)
        return timer

    def _listen(self) -> None:
        bridge = self._bridge
        bridge.connected.connect(self._look)
        bridge.listen(system.CoreReady, lambda _ready: self._look())
        bridge.listen(system.StoreChanged, self._on_store)
        bridge.listen(memory.FactLearned, lambda said: self._take(said.fact))
        bridge.listen(memory.FactProposed, lambda said: self._take(said.fact))
        bridge.listen(memory.FactClosed, lambda said: self._take(said.fact))
        bridge.listen(memory.FactChanged, lambda said: self._take(said.fact, said.former_id))
        bridge.listen(memory.MemoryForgotten, self._on_forgotten)
        bridge.listen(memory.EntitiesMerged, lambda _said: self._look())

    def retranslate(self) -> None:
        """Say everything again in the current language."""
        if self._view.facts.rowCount() == 0:
            self._say_why_empty()

    # Asking

    def _look(self) -> None:
        self._list()
        self._count()

    def _on_typed(self, text: str) -> None:
        query = " ".join(text.split())
        if query != self._query:
            self._query = query
            self._pause.start()

    def _on_kind(self, kind: Kind) -> None:
        self._kind = kind
        self._view.set_complaint("")
        self._list()

    def _on_store(self, said: system.StoreChanged) -> None:
        if said.store.ok and isinstance(self._answer, BusError):
            self._look()

    def _list(self) -> None:
        self._tasks.cancel("more facts")
        self._tasks.replace(self._ask_first(), "facts")

    def _ask_for_more(self) -> None:
        self._tasks.replace(self._ask_next(self._cursor), "more facts")

    def _wanted(self, cursor: str = "") -> ListFacts:
        return ListFacts(
            words=self._query,
            state=FactState.PROPOSED if self._kind is Kind.PROPOSED else FactState.HOLDS,
            ended=self._kind is Kind.ENDED,
            limit=PAGE,
            cursor=cursor,
        )

    async def _ask_first(self) -> None:
        try:
            self._answer = answer = await self._bridge.ask(self._wanted(), TIMEOUT_S)
        except BusError as error:
            self._answer = error
            self._view.facts.show((), more=False)
        else:
            self._cursor = answer.cursor
            self._view.facts.show(answer.facts, more=answer.more)
        self._show()

    async def _ask_next(self, cursor: str) -> None:
        try:
            answer = await self._bridge.ask(self._wanted(cursor), TIMEOUT_S)
        except BusError:
            self._view.facts.give_up()
        else:
            self._cursor = answer.cursor
            self._view.facts.append(answer.facts, more=answer.more)

    def _count(self) -> None:
        self._tasks.replace(self._ask_how_many(), "proposals")

    async def _ask_how_many(self) -> None:
        try:
            waiting = await self._bridge.ask(ListFacts(state=FactState.PROPOSED, limit=PAGE), TIMEOUT_S)
        except BusError:
            return
        count = len(waiting.facts)
        self._view.set_waiting(f"{count}+" if waiting.more else str(count or ""))

    # What is told

    def _take(self, fact: Fact, former_id: str = "") -> None:
        """A fact is new, or other than it was."""
        facts = self._view.facts
        if former_id and facts.row_of(fact.id) is None:
            facts.replace(former_id, fact)
        if not self._belongs(fact):
            facts.remove((fact.id, former_id))
        elif not self._query:
            facts.put(fact)
        elif facts.row_of(fact.id) is not None:
            facts.replace(fact.id, fact)
        else:
            self._pause.start()  # the core knows whether it has the words
        self._counting.start()
        self._show()

    def _belongs(self, fact: Fact) -> bool:
        if self._kind is Kind.PROPOSED:
            return fact.state is FactState.PROPOSED
        return fact.state is FactState.HOLDS and _has_ended(fact) is (self._kind is Kind.ENDED)

    def _on_forgotten(self, said: memory.MemoryForgotten) -> None:
        facts = self._view.facts
        all_facts = map(facts.fact, range(facts.rowCount()))
        gone = [f.id for f in all_facts if said.subject_id in (f.id, f.subject_id, f.object_id)]
        facts.remove(gone)
        self._counting.start()
        self._show()

    # Showing

    def _show(self) -> None:
        if self._view.facts.rowCount():
            self._view.show_list()
        elif self._view.facts.more:
            self._list()
        else:
            self._say_why_empty()

    def _say_why_empty(self) -> None:
        if isinstance(self._answer, BusError):
            self._view.show_empty(*words.failure(self._answer))
        elif self._answer is not None:
            self._view.show_empty(*words.empty(self._kind, self._query))
        elif not self._bridge.is_connected:
            self._view.show_empty(*words.starting())
        else:
            self._view.show_empty("", "")  # the answer is on its way


def _has_ended(fact: Fact) -> bool:
    if not fact.valid_to:
        return False
    end = datetime.fromisoformat(fact.valid_to)
    return (end if end.tzinfo is not None else end.replace(tzinfo=UTC)) <= datetime.now(UTC)
