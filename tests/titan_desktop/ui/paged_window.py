"""The window with its pages, beside a core on a real bus, and a person's keys on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path, PurePath

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tests.titan_desktop.ui.window_core import WindowCore
from titan_bus import Bus, BusConfig
from titan_desktop.contracts.sources import Place
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.base.theme import Theme
from titan_desktop.ui.chat.message_jump import MessageJump
from titan_desktop.ui.chat.presenter import ChatPresenter
from titan_desktop.ui.chat.source_opener import SourceOpener
from titan_desktop.ui.shell.main_window import MainWindow
from titan_desktop.ui.shell.pages import Pages

_READING = "read along"


class PagedWindow:
    """What a person sees and does, and what the system was asked for.

    Attributes:
        asked: what became of files: ("opened", path), ("folder", path) or ("placed", path, place).
        tells_places: whether the person's programs can be told a place.
        reading: what is said of files that are still to be read.
    """

    def __init__(self, theme: Theme, core: WindowCore) -> None:
        self.core = core
        self.asked: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
        self.tells_places = True
        self.reading = ""
        self.faults: list[BaseException] = []
        self.tasks = Tasks(self.faults.append)
        self.window = MainWindow(theme, [Path("/home/anna/Downloads")])
        self.bridge = Bridge(self.window)
        self.chat = ChatPresenter(self.window.chat, self.bridge, self.tasks, lambda: "en", self.window)
        self.pages = Pages(
            self.window,
            theme,
            self.bridge,
            self.tasks,
            MessageJump(self.window.chat, self.chat.open, self.bridge, self.tasks, self.window),
            SourceOpener(self.bridge, self._open_url, self._show_file, self._open_at),
            lambda: self.reading,
            self.window,
        )

    def _open_url(self, url: QUrl) -> bool:
        self.asked.put_nowait(("opened", url.toLocalFile()))
        return True

    async def _show_file(self, path: PurePath) -> bool:
        self.asked.put_nowait(("folder", str(path)))
        return True

    async def _open_at(self, path: PurePath, place: Place) -> bool:
        if self.tells_places:
            self.asked.put_nowait(("placed", str(path), place))
        return self.tells_places

    @property
    def focused(self) -> QWidget:
        """What the keys go to."""
        found = self.window.focusWidget()
        assert found is not None
        assert found.isVisible()
        return found

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key where the keyboard is."""
        QTest.keyClick(self.focused, key, modifier)

    def type(self, text: str) -> None:
        """Type where the keyboard is, letter by letter: QTest knows Latin keys alone."""
        for letter in text:
            if letter.isascii():
                QTest.keyClicks(self.focused, letter)
            else:
                event = QInputMethodEvent()
                event.setCommitString(letter)
                QApplication.sendEvent(self.focused, event)

    @staticmethod
    def click(widget: QWidget) -> None:
        """Click in the middle of something that can be seen."""
        assert widget.isVisible()
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    async def idle(self) -> None:
        """Wait until the window has done everything that it has begun."""
        async with asyncio.timeout(30):
            while running := [task for name, task in self.tasks._tasks.items() if name != _READING]:
                await asyncio.wait(running)


@contextlib.asynccontextmanager
async def paged_window(theme: Theme, redis_url: str) -> AsyncIterator[PagedWindow]:
    """Open it, and wait until it reads along."""
    config = BusConfig(url=redis_url, source="core@test", streams=STREAMS)
    async with Bus(config) as bus, Bus(BusConfig(url=redis_url, source="w@test", streams=STREAMS)) as own:
        core = WindowCore(bus)
        await core.serve()
        made = PagedWindow(theme, core)
        made.window.show()
        connected = asyncio.Event()
        made.bridge.connected.connect(connected.set)
        made.tasks.replace(made.bridge.serve(own), _READING)
        await asyncio.wait_for(connected.wait(), 30)
        try:
            yield made
        finally:
            await made.tasks.close(2)
            made.window.close_for_good()
            made.window.deleteLater()
    assert not made.faults
