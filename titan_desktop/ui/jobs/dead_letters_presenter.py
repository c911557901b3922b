"""The failed jobs: counts them, lists them, and has them tried again or removed."""

import asyncio

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from titan_bus import BusError
from titan_desktop.contracts.dead_letters import (
    DeadLetterPage,
    DeadLettersChanged,
    DropDeadLetters,
    ListDeadLetters,
    RedriveDeadLetters,
)
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.jobs.dead_letters_dialog import DeadLettersDialog

RETRY_S = 2.0


class DeadLettersPresenter(QObject):
    """Owns the dialog and what it shows.

    Args:
        window: what the dialog stands over.
    """

    counted = Signal(int)
    """There are so many now."""

    def __init__(self, window: QWidget, bridge: Bridge, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._bridge = bridge
        self._tasks = tasks
        self._page = DeadLetterPage(count=0, letters=())
        self._dialog: DeadLettersDialog | None = None
        bridge.connected.connect(self._look)
        bridge.listen(DeadLettersChanged, lambda _changed: self._look())

    def open(self) -> None:
        """Open the list, or bring the open one to the front."""
        if self._dialog is None:
            self._dialog = DeadLettersDialog(self._window)
            self._dialog.retry_requested.connect(lambda ids: self._change(RedriveDeadLetters(letter_ids=ids)))
            self._dialog.more_wanted.connect(lambda: self._tasks.replace(self._learn_more(), "dead letters"))
            self._dialog.removal_confirmed.connect(lambda ids: self._change(DropDeadLetters(letter_ids=ids)))
        self._show()
        self._dialog.show()
        self._dialog.activateWindow()

    def _look(self) -> None:
        self._tasks.replace(self._learn(), "dead letters")

    async def _learn(self) -> None:
        """Ask until the core answers."""
        while self._bridge.is_connected:
            try:
                page = await self._bridge.ask(ListDeadLetters())
                while page.more and len(page.letters) < len(self._page.letters):  # as many as were shown
                    page = await self._follow(page)
            except BusError:
                await asyncio.sleep(RETRY_S)
            else:
                self._take(page)
                return

    async def _learn_more(self) -> None:
        try:
            self._take(await self._follow(self._page))
        except BusError:
            self._complain()

    async def _follow(self, page: DeadLetterPage) -> DeadLetterPage:
        """Return a page with the one that comes after it."""
        following = await self._bridge.ask(ListDeadLetters(cursor=page.cursor))
        return replace(following, letters=page.letters + following.letters)

    def _change(self, command: RedriveDeadLetters | DropDeadLetters) -> None:
        self._tasks.start(self._send(command), "change dead letters")

    async def _send(self, command: RedriveDeadLetters | DropDeadLetters) -> None:
        try:
            await self._bridge.send(command)  # and `dead_letters_changed` says when it is done
        except BusError:
            self._complain()

    def _complain(self) -> None:
        if self._dialog is not None:
            self._dialog.complain(self.tr("Titan's core does not answer. Try again in a moment."))

    def _take(self, page: DeadLetterPage) -> None:
        self._page = page
        self.counted.emit(page.count)
        self._show()

    def _show(self) -> None:
        if self._dialog is not None:
            self._dialog.set_letters(self._page.letters, self._page.count)
