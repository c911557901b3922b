"""The status of core, stores and model. Chooses the one problem to show first."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple, assert_never

from PySide6.QtCore import QObject, Signal

from titan_bus import BusError
from titan_desktop.client import problems
from titan_desktop.contracts import system
from titan_desktop.contracts.problem import REFUSED_FOLDERS, Code, Problem
from titan_desktop.ui.base.banner import Banner
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.exit_mark import FormerEnd
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.base.translator import language

STATUS_RETRY_S = 2.0


class _Said(NamedTuple):
    """The strip's sentence, its tone, and the text of its button; "" for no button."""

    text: str = ""
    tone: str = "info"
    action: str = ""


class StatusPresenter(QObject):
    """Decides what the strip above the conversation shows."""

    model_needed = Signal()
    """The person wants to connect a model."""
    unlock_wanted = Signal()
    """A key is locked: said once by itself, and again when the person wants it."""
    folder_wanted = Signal(str, str)
    """The person wants a folder to be read that is refused: its path, and where that leads."""
    dead_letters_wanted = Signal()
    """The person wants to see the failed jobs."""
    roots_learnt = Signal(list)
    """The paths of the folders that are read."""

    def __init__(self, banner: Banner, bridge: Bridge, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._banner = banner
        self._bridge = bridge
        self._tasks = tasks
        self._core_trouble = _Said()
        self._starting = True
        self._stores: dict[str, system.StoreStatus] = {}
        self._problems: tuple[Problem, ...] = ()
        self._has_model: bool | None = None
        self._unlock_asked = False
        self._dead_letters = 0
        self._fault = ""
        self._former = FormerEnd.IN_ORDER
        self._put_away: set[str] = set()
        self._connect()
        self.retranslate()

    def _connect(self) -> None:
        bridge, banner = self._bridge, self._banner
        bridge.connected.connect(self._on_connected)
        bridge.listen(system.StoreChanged, self._on_store_changed)
        bridge.listen(system.CoreReady, self._on_news)
        bridge.listen(system.SettingsChanged, self._on_news)
        banner.closed.connect(self._on_put_away)
        banner.action_requested.connect(self._on_action)

    # What is known

    def core_changed(self, sentence: str, tone: str = "warning") -> None:
        """The core is starting, restarting or cannot start; "" when it runs."""
        self._core_trouble = _Said(sentence, tone)
        self._show_banner()

    def tell_fault(self, sentence: str) -> None:
        """Show a fault of the window, without interrupting the person."""
        self._fault = sentence
        self._put_away.clear()
        self._show_banner()

    def tell_former_end(self, former: FormerEnd) -> None:
        """Show how the last window ended."""
        self._former = former
        self._show_banner()

    def dead_letters_counted(self, count: int) -> None:
        """Show the number of failed jobs."""
        self._dead_letters = count
        self._show_banner()

    def _on_connected(self) -> None:
        self._tasks.replace(self._learn(), "status")

    async def _learn(self) -> None:
        """Ask until the core answers: its services start after its bus."""
        while self._bridge.is_connected:
            try:
                self._take_status(await self._bridge.ask(system.GetStatus()))
            except BusError:
                await asyncio.sleep(STATUS_RETRY_S)
            else:
                return

    def _take_status(self, status: system.Status) -> None:
        self._starting = False
        self._has_model = status.model.configured
        self._stores = {store.name: store for store in status.stores}
        self._problems = status.problems
        if not self._unlock_asked and any(problem.code == Code.KEYS_LOCKED for problem in status.problems):
            self._unlock_asked = True
            self.unlock_wanted.emit()
        refused = {problem.fields["path"] for problem in status.problems if problem.code in REFUSED_FOLDERS}
        read = [root.path for root in status.roots if root.path not in refused]
        self.roots_learnt.emit(read)
        self._show_banner()

    def _on_store_changed(self, said: system.StoreChanged) -> None:
        self._stores[said.store.name] = said.store
        self._put_away.clear()
        self._show_banner()
        if said.store.ok:
            self._tasks.replace(self._learn(), "status")

    def _on_news(self, _said: system.CoreReady | system.SettingsChanged) -> None:
        self._tasks.replace(self._learn(), "status")

    # What is shown

    def retranslate(self) -> None:
        """Update the texts in the current language."""
        self._show_banner()

    def _on_put_away(self) -> None:
        said = self._sentence()
        self._put_away.add(said.text)
        if said == self._about_former_end():
            self._former = FormerEnd.IN_ORDER
        self._fault = ""
        self._show_banner()

    def _on_action(self) -> None:
        if self._sentence() == self._about_dead_letters():
            self.dead_letters_wanted.emit()
        elif self._sentence() == self._about_problem(Problem(Code.KEYS_LOCKED)):
            self.unlock_wanted.emit()
        elif folder := next(filter(self._is_shown, self._problems), None):
            self.folder_wanted.emit(folder.fields["path"], folder.fields["real"])
        else:
            self.model_needed.emit()

    def _is_shown(self, problem: Problem) -> bool:
        """Say whether the strip tells of this folder."""
        return problem.code in REFUSED_FOLDERS and self._sentence() == self._about_problem(problem)

    def _sentence(self) -> _Said:
        """Choose the most important problem that was not dismissed."""
        return next((s for s in self._all() if s.text and s.text not in self._put_away), _Said())

    def _all(self) -> Iterator[_Said]:
        if self._core_trouble.text:
            yield self._core_trouble
        if self._fault:
            yield _Said(self._fault, "danger")
        yield self._about_former_end()
        failed = [store.problem for store in self._stores.values() if not store.ok and not store.opening]
        for problem in (*failed, *self._problems):
            if problem is not None:
                yield self._about_problem(problem)
        if self._dead_letters:
            yield self._about_dead_letters()
        if self._has_model is False:
            yield _Said(
                self.tr("No model is connected: answers show the passages that were found."),
                action=self.tr("Connect a model…"),
            )

    def _about_former_end(self) -> _Said:
        match self._former:
            case FormerEnd.IN_ORDER:
                return _Said()
            case FormerEnd.NOTHING_LOST:
                return _Said(self.tr("Titan closed unexpectedly. Nothing was lost."))
            case FormerEnd.UNKNOWN:
                return _Said(self.tr("Titan closed unexpectedly. What you wrote last may be missing."))
            case never:
                assert_never(never)

    def _about_problem(self, problem: Problem) -> _Said:
        action = ""
        if problem.code == Code.KEYS_LOCKED:
            action = self.tr("Unlock…")
        elif problem.code in REFUSED_FOLDERS:
            action = self.tr("Read it…")
        return _Said(problems.say(language(), problem), "warning", action)

    def _about_dead_letters(self) -> _Said:
        words = self.tr("%n job(s) failed.", "", self._dead_letters)
        return _Said(words, "warning", self.tr("Show…"))

    def _show_banner(self) -> None:
        self._banner.say(*self._sentence())
