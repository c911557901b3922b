"""The window after its first paint: the event loop, the presenters, the core, and an orderly end.

`app` imports it after the first paint, because it imports the bus.
"""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, assert_never, get_args

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtWidgets import QApplication

from titan_bus import new_ulid
from titan_desktop import __version__
from titan_desktop.client.watch import CoreState, watch
from titan_desktop.contracts.chat import SendPrompt
from titan_desktop.settings import Settings
from titan_desktop.system import logs
from titan_desktop.system.paths import Paths
from titan_desktop.ui.base import qt_messages
from titan_desktop.ui.base import theme as themes
from titan_desktop.ui.base import translator as translators
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.event_loop import AppLoop
from titan_desktop.ui.base.exit_mark import ExitMark, FormerEnd
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.chat import markdown, sentences, unsent
from titan_desktop.ui.chat.message_jump import MessageJump
from titan_desktop.ui.chat.presenter import ChatPresenter
from titan_desktop.ui.chat.remembered import Remembered
from titan_desktop.ui.chat.source_opener import SourceOpener
from titan_desktop.ui.conversations.presenter import ConversationsPresenter
from titan_desktop.ui.files.presenter import FilesPresenter
from titan_desktop.ui.jobs.dead_letters_presenter import DeadLettersPresenter
from titan_desktop.ui.settings.presenter import SettingsPresenter
from titan_desktop.ui.settings.unlock import UnlockPresenter
from titan_desktop.ui.shell.early_input import EarlyInput
from titan_desktop.ui.shell.main_window import MainWindow
from titan_desktop.ui.shell.pages import Pages
from titan_desktop.ui.shell.startup import StartupReport
from titan_desktop.ui.status.presenter import StatusPresenter

log = logging.getLogger(__name__)

GOODBYE_S = 0.8
"""The time limit of closing, whatever the core does; the window is hidden at once anyway."""


@dataclass(frozen=True)
class Parts:
    """The objects that `app` created before the first paint."""

    app: QApplication
    window: MainWindow
    theme: themes.Theme
    translator: translators.Translator
    paths: Paths
    settings: Settings
    complaint: str
    report: StartupReport
    report_file: Path | None
    early_input: EarlyInput | None = None
    mark: ExitMark | None = None


def run(parts: Parts, *, quit_after_ready: bool = False) -> int:
    """Run until the window is closed; return the exit status."""
    try:
        logs.start(parts.paths.logs / "window.log", logging.WARNING)
    except OSError as error:
        log.warning("no log in %s: %s", parts.paths.logs, error)  # to standard error
    gc.freeze()  # what was imported stays: looking through it for garbage would be a pause of 13 ms each time
    with qt_messages.in_log(), asyncio.Runner(loop_factory=lambda: AppLoop(parts.app)) as runner:
        return runner.run(_live(parts, quit_after_ready=quit_after_ready))


def keep_unsent(paths: Paths, questions: Sequence[str], draft: str, language: str) -> None:
    """Store for the next start what was written in a window that was closed before its session began."""
    path = paths.data / unsent.FILE_NAME
    kept = unsent.read(path)
    conversation_id = new_ulid()
    prompts = [
        SendPrompt(conversation_id=conversation_id, message_id=new_ulid(), text=text, language=language)
        for text in questions
    ]
    drafts = {**kept.drafts, "": draft} if draft.strip() else kept.drafts
    try:
        unsent.write(path, unsent.Unsent((*kept.prompts, *prompts), drafts))
    except OSError as error:
        log.warning("what is unsent cannot be kept in %s: %s", path, error)


async def _live(parts: Parts, *, quit_after_ready: bool) -> int:
    session = Session(parts, quit_after_ready=quit_after_ready)
    try:
        await session.live()
    finally:
        await session.close()
    return 0


class Session(QObject):
    """The presenters of a window, and the core they use."""

    def __init__(self, parts: Parts, *, quit_after_ready: bool = False) -> None:
        super().__init__(parts.window)
        self._parts = parts
        self._quit_after_ready = quit_after_ready
        self._loop = asyncio.get_running_loop()
        self._leaving = asyncio.Event()
        self._was_up = self._is_telling = False
        window = parts.window
        self.tasks = Tasks(self._on_fault)
        self.bridge = Bridge(self)
        self.chat = ChatPresenter(
            window.chat, self.bridge, self.tasks, lambda: parts.translator.language, self
        )
        self.conversations = ConversationsPresenter(
            window.conversations,
            window.sidebar,
            lambda: self.chat.conversation_id,
            self.bridge,
            self.tasks,
            self,
        )
        self.status = StatusPresenter(window.banner, self.bridge, self.tasks, self)
        Remembered(window.chat, self.bridge, self)
        self.files = FilesPresenter(window.status_line, window, self.bridge, self.tasks, self)
        self.dead_letters = DeadLettersPresenter(window, self.bridge, self.tasks, self)
        self.settings = SettingsPresenter(parts.paths, parts.settings, window, self.bridge, self.tasks)
        self.unlock = UnlockPresenter(parts.paths, window, self.tasks)
        self._opener = SourceOpener(self.bridge)
        self.pages = Pages(
            window,
            parts.theme,
            self.bridge,
            self.tasks,
            MessageJump(window.chat, self.chat.open, self.bridge, self.tasks, self),
            self._opener,
            self.files.still_reading,
            self,
        )
        self._unsent = unsent.UnsentFile(
            parts.paths.data / unsent.FILE_NAME, self.chat.unsent, self.tasks, self._noting("unsent")
        )
        self._connect()

    def _connect(self) -> None:
        window = self._parts.window
        window.new_requested.connect(self._begin)
        window.settings_requested.connect(self.settings.open)
        window.sidebar.conversation_opened.connect(self.chat.open)
        self.chat.opened.connect(window.sidebar.select)
        window.stop_requested.connect(self.chat.stop_open)
        window.close_requested.connect(self.leave)
        window.chat.source_activated.connect(self._open_source)
        window.chat.fact_activated.connect(self.pages.open_fact)
        window.chat.link_activated.connect(self._open_link)
        self.files.emptiness_learnt.connect(window.chat.set_empty)
        window.failures_requested.connect(self.files.show_failures)
        window.dead_letters_requested.connect(self.dead_letters.open)
        self.status.roots_learnt.connect(window.chat.set_folders)
        self.status.roots_learnt.connect(window.start_screen.set_folders)
        self.status.model_needed.connect(self.settings.open_model)
        self.status.unlock_wanted.connect(self.unlock.open)
        self.status.folder_wanted.connect(self.settings.ask_for_folder)
        self.settings.failed.connect(self.status.tell_fault)
        self.status.dead_letters_wanted.connect(self.dead_letters.open)
        self.dead_letters.counted.connect(self.status.dead_letters_counted)
        self.settings.appearance_changed.connect(self.dress)
        self.conversations.listed.connect(self._on_ready)
        self.conversations.failed.connect(lambda sentence: window.chat.set_notice(sentence, "warning"))
        for what, changed in (
            ("a command", self.bridge.sending_changed),
            ("settings", self.settings.editing_changed),
            ("a title", window.sidebar.list.editing_changed),
        ):
            note = self._noting(what)
            changed.connect(lambda busy, note=note: note(not busy))

    def _noting(self, what: str) -> Callable[[bool], None]:
        """Return a callback that records in the exit mark whether this is stored."""
        mark = self._parts.mark
        return (lambda kept: mark.note(what, kept=kept)) if mark is not None else lambda _kept: None

    async def live(self) -> None:
        """Keep the core running until the window is closed."""
        self._take_over_faults_and_signals()
        if self._parts.complaint:
            self.status.tell_fault(self._parts.complaint)
        await self._restore()
        watching = watch(
            self._parts.paths,
            source=f"titan-window@v{__version__}",
            client_id=new_ulid(),
            on_state=self._on_core,
        )
        self.tasks.start(watching, "watch over the core")
        await self._leaving.wait()

    async def _restore(self) -> None:
        """Restore what an earlier window left, then the input from before the session."""
        left, early_input = await self._unsent.read(), self._parts.early_input
        self.chat.restore(left, show=early_input is None or not early_input.questions)
        self.chat.unsent_changed.connect(self._unsent.note_change)
        if early_input is not None:
            early_input.replay()
        self._unsent.note_change()  # typed before the session
        if self._parts.mark is not None:
            self._tell_former_end(self._parts.mark.former)

    def _tell_former_end(self, former: FormerEnd) -> None:
        damaged = former is FormerEnd.NOTHING_LOST and self._unsent.was_damaged
        self.status.tell_former_end(FormerEnd.UNKNOWN if damaged else former)

    def leave(self) -> None:
        """Hide at once and end in order."""
        self._parts.window.hide()
        self._leaving.set()

    async def close(self) -> None:
        """Leave the core and end every task, in less than a second."""
        sys.excepthook = sys.__excepthook__
        await self.tasks.close(GOODBYE_S)
        await self._unsent.write()

    def dress(self, language: str, theme: str) -> None:
        """Apply another language and theme."""
        if language in get_args(translators.Choice):
            self._parts.translator.choose(language)  # type: ignore[arg-type]  # just checked
        if theme in get_args(themes.Choice):
            self._parts.theme.choose(theme)  # type: ignore[arg-type]
        self.status.retranslate()
        self.files.retranslate()
        self.pages.retranslate()

    def _begin(self) -> None:
        self.chat.begin()
        self._parts.window.show_chat()

    # The core

    def _on_core(self, state: CoreState) -> None:
        match state.phase:
            case "starting":
                restarting = self.tr("Titan's core is restarting. Your questions are kept.")
                self.status.core_changed(restarting if self._was_up else "")
            case "up":
                self._parts.report.mark("core_up_ms")
                self._was_up = True
                self.status.core_changed("")
                if state.link is not None:
                    self.tasks.replace(self.bridge.serve(state.link.bus), "read along")
            case "down":
                trouble = self.tr("Titan's core cannot start: {detail}")
                self.status.core_changed(trouble.format(detail=state.sentence), "danger")
            case never:
                assert_never(never)

    def _on_ready(self) -> None:
        self.tasks.replace(asyncio.to_thread(markdown.warm_up), "warm up")
        report = self._parts.report
        report.mark("ready_ms")
        if self._parts.report_file is not None:
            try:
                report.write(self._parts.report_file)
            except OSError as error:
                log.warning("the startup report cannot be written: %s", error)
        if self._quit_after_ready:
            self.leave()

    # Files and links

    def _open_source(self, path: str) -> None:
        self.tasks.start(self._open_file(path), "open source")

    async def _open_file(self, path: str) -> None:
        self._notice(await self._opener.open_file(path))

    def _open_link(self, address: str) -> None:
        if address == sentences.SETTINGS_URL:
            self.settings.open_model()
        else:
            self._notice(self._opener.open_link(address))

    def _notice(self, sentence: str) -> None:
        self._parts.window.chat.set_notice(sentence, "warning")

    # Faults and signals

    def _take_over_faults_and_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_loop_fault)
        sys.excepthook = self._on_uncaught
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self.leave)
            except NotImplementedError:  # Windows: a Ctrl+C arrives between two of Python's steps
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self.leave))

    def _on_loop_fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        log.error("%s", context.get("message"), exc_info=error)
        self._on_fault(error)

    def _on_uncaught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Log and report an exception of a Qt slot, and continue."""
        if issubclass(kind, (KeyboardInterrupt, SystemExit)):
            self.leave()
            return
        log.error("an uncaught exception", exc_info=(kind, error, trace))
        self._on_fault(error)

    def _on_fault(self, _error: BaseException | None) -> None:
        """Report a fault in its own turn of the loop, from any thread.

        It may have come up inside a model's reset or a paint event, where what is shown must not change.
        """
        if not self._is_telling:  # a fault may come with every paint
            self._is_telling = True
            self._loop.call_soon_threadsafe(self._tell_fault)

    def _tell_fault(self) -> None:
        self._is_telling = False
        sentence = QCoreApplication.translate(
            "Session", "Something went wrong inside the window. Titan goes on; the details are in {path}."
        )
        self.status.tell_fault(sentence.format(path=self._parts.paths.logs / "window.log"))
