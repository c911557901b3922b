"""The files: the progress of reading, how many can be searched, and which could not be read."""

import asyncio
import time
from datetime import datetime

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from titan_bus import BusError
from titan_desktop.client import sentences
from titan_desktop.client.pace import Pace
from titan_desktop.contracts import files, indexing, system
from titan_desktop.ui.base.banner import StatusLine
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.base.translator import language
from titan_desktop.ui.files.failures_dialog import FailuresDialog
from titan_desktop.ui.files.reading_progress import ReadingProgress

REFRESH_MS = 200
"""Files are read faster than an eye follows: the line changes five times a second at the most."""
STATUS_RETRY_S = 2.0


class FilesPresenter(QObject):
    """Decides what the line below the conversation shows, and owns the list of failures.

    Args:
        line: the status line.
        window: the parent of the list of failures.
    """

    index_learnt = Signal()
    """The index's figures are new."""
    emptiness_learnt = Signal(bool)
    """Whether there is no file, read or not."""

    def __init__(
        self, line: StatusLine, window: QWidget, bridge: Bridge, tasks: Tasks, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._line = line
        self._window = window
        self._bridge = bridge
        self._tasks = tasks
        self._index = indexing.IndexStatus(files=0, passages=0, failed=0, skipped=0)
        self._index_known = False
        self._embedding: indexing.EmbeddingProgress | None = None
        self._progress = ReadingProgress()
        self._reading_pace = Pace()
        self._meaning_pace = Pace()
        self._failures: FailuresDialog | None = None
        self._tick = QTimer(self)
        self._tick.setInterval(REFRESH_MS)
        self._tick.timeout.connect(self._show)
        bridge.connected.connect(self._look)
        bridge.listen(files.FileSeen, self._on_file_seen)
        bridge.listen(indexing.FileIndexed, self._on_file_indexed)
        bridge.listen(indexing.EmbeddingProgress, self._on_embedding)
        bridge.listen(system.CoreReady, lambda _ready: self._look())
        bridge.listen(system.StoreChanged, lambda said: self._look() if said.store.ok else None)
        self.retranslate()

    def show_failures(self) -> None:
        """Open the list of files that could not be read, and why."""
        if self._failures is None:
            self._failures = dialog = FailuresDialog(self._window)
            dialog.more_wanted.connect(lambda cursor: self._list(dialog, cursor))
        self._list(self._failures, "")
        self._failures.show()
        self._failures.activateWindow()

    def _list(self, dialog: FailuresDialog, cursor: str) -> None:
        self._tasks.replace(self._fill(dialog, cursor), "failures")

    async def _fill(self, dialog: FailuresDialog, cursor: str) -> None:
        try:
            page = await self._bridge.ask(indexing.ListFailures(cursor=cursor))
        except BusError:
            dialog.complain(self.tr("Titan's core does not answer. Try again in a moment."))
        else:
            dialog.take(page, after=cursor)

    def still_reading(self) -> str:
        """A sentence while files are being read, which a search cannot find yet; "" when all are."""
        done, total = self._progress.figures(time.monotonic())
        return self.tr("%n file(s) are still to be read.", "", total - done) if total else ""

    def retranslate(self) -> None:
        """Update the texts in the current language."""
        self._show()

    def _look(self) -> None:
        self._tasks.replace(self._learn(), "index status")

    async def _learn(self) -> None:
        """Ask until the core answers: its services start after its bus."""
        while self._bridge.is_connected:
            try:
                self._index = await self._bridge.ask(indexing.GetIndexStatus(failures_limit=0))
            except BusError:
                await asyncio.sleep(STATUS_RETRY_S)
            else:
                self._index_known, self._embedding = True, self._index.embedding
                self._progress.waiting(self._index.waiting, time.monotonic())
                if self._index.waiting:
                    self._tick_on()
                self._show()
                self.index_learnt.emit()
                return

    def _on_file_seen(self, said: files.FileSeen) -> None:
        self._progress.seen(said.path, time.monotonic())
        self._tick_on()

    def _on_file_indexed(self, said: indexing.FileIndexed) -> None:
        self._progress.dealt_with(said.path, time.monotonic())
        self._tick_on()

    def _on_embedding(self, said: indexing.EmbeddingProgress) -> None:
        self._embedding = said
        self._meaning_pace.note(said.done, time.monotonic())
        self._show()

    def _tick_on(self) -> None:
        if not self._tick.isActive():
            self._tick.start()

    def _show(self) -> None:
        now = time.monotonic()
        done, total = self._progress.figures(now)
        self._reading_pace.note(done, now)
        self._line.set_activity(self._activity(done, total, now), self._meaning(now))
        count = self._index.failed + self._index.partial + self._index.skipped  # as many as the list shows
        self.emptiness_learnt.emit(self._index_known and not (total or count or self._index.files))
        self._line.set_failures(self.tr("%n file(s) could not be read in full", "", count) if count else "")
        if self._tick.isActive() and not total:
            self._tick.stop()
            if self._bridge.is_connected:
                self._look()
        elif self._progress.is_unsure(now) and self._bridge.is_connected:
            self._progress.asked(now)
            self._look()

    def _activity(self, done: int, total: int, now: float) -> str:
        if total:
            said = self.tr("Reading files: {done} of {total}").format(done=done, total=total)
            return _joined(said, self._reading_pace.say(language(), total - done, now))
        if not self._index_known:
            return self.tr("Starting…")
        return self.tr("%n file(s) can be searched", "", self._index.files)

    def _meaning(self, now: float) -> str:
        """How far the index by meaning is, or why it does not go on; "" when it is complete or there is none."""
        embedding = self._embedding
        if embedding is None:
            return ""
        if embedding.fault:
            fault = sentences.degraded(language(), embedding.fault)
            return self.tr("Vectors are not being made. {fault} Next try at {time}.").format(
                fault=fault, time=_time_of_day(embedding.retry_at)
            )
        left = embedding.total - embedding.done
        if left <= 0:
            return ""
        said = self.tr("Search by meaning: {done} of {total} passages").format(
            done=embedding.done, total=embedding.total
        )
        return _joined(said, self._meaning_pace.say(language(), left, now))


def _joined(said: str, pace: str) -> str:
    return "  ·  ".join(filter(None, (said, pace)))


def _time_of_day(timestamp: str) -> str:
    """A contract's time as a person reads it off the clock; "…" for none."""
    return datetime.fromisoformat(timestamp).astimezone().strftime("%H:%M") if timestamp else "…"
