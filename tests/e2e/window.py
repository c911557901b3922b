"""The real window in the test's own process, and a person's hands on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from titan_desktop.contracts import chat
from titan_desktop.settings import Settings
from titan_desktop.system.paths import Paths, allowed_roots, bundled
from titan_desktop.ui.base.theme import Theme
from titan_desktop.ui.base.translator import Translator
from titan_desktop.ui.chat.composer import PromptEdit
from titan_desktop.ui.shell.main_window import MainWindow
from titan_desktop.ui.shell.session import Parts, Session
from titan_desktop.ui.shell.startup import StartupReport

PATIENCE_S = 40


def type_into(editor: PromptEdit, text: str) -> None:
    """Type letter by letter: Latin by keys, the rest as an input method does, for QTest knows Latin keys alone."""
    for letter in text:
        if letter.isascii():
            QTest.keyClicks(editor, letter)
        else:
            event = QInputMethodEvent()
            event.setCommitString(letter)
            QApplication.sendEvent(editor, event)


class OpenWindow:
    """A window at work. What it shows is read from its widgets and models, what it does comes from keys."""

    def __init__(self, window: MainWindow, session: Session) -> None:
        self.window = window
        self.session = session
        self.model = window.chat.model

    @property
    def editor(self) -> PromptEdit:
        found = self.window.findChild(PromptEdit)
        assert isinstance(found, PromptEdit)
        return found

    def type(self, text: str) -> None:
        """Type into the composer and press Enter."""
        type_into(self.editor, text)
        QTest.keyClick(self.editor, Qt.Key.Key_Return)

    def messages(self) -> list[chat.Message]:
        return [self.model.message(row) for row in range(self.model.rowCount())]

    def answer(self) -> chat.Message | None:
        """The newest answer that is shown."""
        answers = [message for message in self.messages() if message.role is chat.Role.ASSISTANT]
        return answers[-1] if answers else None

    async def until(self, fact: Callable[[], bool], what: str) -> None:
        """Wait until the conversation shows a fact; it is looked at whenever the model says that it changed."""
        changed = asyncio.Event()
        signals = (
            self.model.rowsInserted,
            self.model.dataChanged,
            self.model.modelReset,
            self.model.rowsRemoved,
        )
        slot = lambda *_: changed.set()  # noqa: E731 - one slot for signals of four shapes
        for signal in signals:
            signal.connect(slot)
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not fact():
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            raise AssertionError(f"never shown: {what}; now {self.messages()}") from None
        finally:
            for signal in signals:
                signal.disconnect(slot)

    async def answered(self, state: chat.State = chat.State.COMPLETE) -> chat.Message:
        """Wait until the newest answer has a state."""
        await self.until(
            lambda: (found := self.answer()) is not None and found.state is state, f"an answer {state}"
        )
        answer = self.answer()
        assert answer is not None
        return answer

    async def listed(self, count: int) -> None:
        """Wait until so many conversations stand on the left."""
        conversations = self.window.conversations
        changed = asyncio.Event()
        conversations.rowsInserted.connect(lambda *_: changed.set())
        conversations.modelReset.connect(changed.set)
        async with asyncio.timeout(PATIENCE_S):
            while conversations.count < count:
                changed.clear()
                await changed.wait()


@contextlib.asynccontextmanager
async def open_window(paths: Paths, chosen: Settings | None = None) -> AsyncIterator[OpenWindow]:
    """Open the window as `ui.app` does, on the loop that runs already."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    wanted = chosen or Settings(language="en", theme="light")
    theme = Theme(app, bundled("resources"))
    theme.choose(wanted.theme)
    translator = Translator(app, bundled("i18n"))
    translator.choose(wanted.language)
    window = MainWindow(theme, allowed_roots())
    window.show()
    parts = Parts(app, window, theme, translator, paths, wanted, "", StartupReport(), None)
    session = Session(parts)
    living = asyncio.create_task(session.live(), name="window")
    try:
        yield OpenWindow(window, session)
    finally:
        session.leave()
        await living
        await session.close()
        window.close_for_good()
        translator.choose("en")
        theme.close()
        app.setStyleSheet("")
        app.setPalette(app.style().standardPalette())
