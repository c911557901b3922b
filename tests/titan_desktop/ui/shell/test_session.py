"""The window's life: what goes wrong is said and survived, the core's state is shown, looks change at once."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, QTimer

from tests.responders import a_status
from tests.titan_desktop.ui.window_core import listed
from titan_bus import BusUnavailableError
from titan_desktop.client.watch import CoreState
from titan_desktop.contracts import chat
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.contracts.system import RootStatus
from titan_desktop.settings import Settings
from titan_desktop.system.paths import Paths, bundled
from titan_desktop.ui.base.exit_mark import ExitMark, FormerEnd
from titan_desktop.ui.base.translator import Translator
from titan_desktop.ui.chat import unsent
from titan_desktop.ui.chat.sentences import SETTINGS_URL
from titan_desktop.ui.shell.early_input import EarlyInput
from titan_desktop.ui.shell.main_window import MainWindow
from titan_desktop.ui.shell.session import Parts, Session, keep_unsent
from titan_desktop.ui.shell.startup import StartupReport


@pytest.fixture
async def session(theme, qtbot, qapp, titan_home):
    window = MainWindow(theme, [Path("/home/anna/Downloads")])
    qtbot.addWidget(window)
    translator = Translator(qapp, bundled("i18n"), lambda: QLocale("en_GB"))
    translator.choose("en")
    paths = Paths.from_environment()
    paths.create()
    mark = ExitMark(paths.run / "mark")
    mark.begin("unsent")
    parts = Parts(qapp, window, theme, translator, paths, Settings(), "", StartupReport(), None, mark=mark)
    hook = sys.excepthook
    made = Session(parts)
    yield made
    await made.close()
    sys.excepthook = hook
    asyncio.get_running_loop().set_exception_handler(None)
    mark.end()
    translator.choose("en")
    window.close_for_good()


def banner(session: Session) -> str:
    return session._parts.window.banner.text


def test_a_folder_that_may_not_be_read_is_not_told_as_read(session):
    """The start screen names what the core reads; it has nothing to name where it reads nothing."""
    where = session._parts.window.start_screen._where
    roots = tuple(RootStatus(path=f"/home/anna/{name}", exists=True) for name in ("Desktop", "Downloads"))
    refused = Problem(Code.FOLDER_HOLDS_HOME, {"path": "/home/anna/Desktop", "real": "/home/anna"})
    session.status._take_status(a_status(roots=roots, problems=(refused,)))
    assert where.text() == "It reads these folders and nothing else: Downloads."
    assert "Desktop" not in where.toolTip()
    session.status._take_status(a_status(roots=roots[:1], problems=(refused,)))
    assert where.isHidden()


async def test_a_fault_in_a_callback_is_said_and_survived(session, caplog):
    """An exception that nobody caught is logged and told in a sentence; the loop goes on."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(session._on_loop_fault)
    told = asyncio.Event()
    tell = session.status.tell_fault
    session.status.tell_fault = lambda sentence: (tell(sentence), told.set())
    loop.call_soon(lambda: 1 / 0)
    await asyncio.wait_for(told.wait(), 30)
    assert "window.log" in banner(session)
    assert "ZeroDivisionError" in caplog.text


async def test_a_fault_in_a_slot_is_said_and_survived(session, caplog):
    """What a Qt slot lets through reaches the same place by sys.excepthook, and is shown in a later turn: the slot
    may stand inside a model's reset, where the window must not change under Qt's feet.
    """
    session._on_uncaught(LookupError, LookupError("lost"), None)
    session._on_uncaught(LookupError, LookupError("again"), None)
    assert banner(session) == ""
    await asyncio.sleep(0)
    assert "window.log" in banner(session)
    assert "lost" in caplog.text
    assert "again" in caplog.text


async def test_an_interrupt_in_a_slot_leaves(session):
    """Ctrl+C that Python raises inside a slot closes the window instead of being a fault."""
    session._on_uncaught(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert session._leaving.is_set()


async def test_a_failed_task_is_said(session, caplog):
    """A task that fails is told like any other fault."""

    async def fail() -> None:
        raise LookupError("task")

    told = asyncio.Event()
    session.tasks._on_fault = lambda error: (session._on_fault(error), told.set())
    session.tasks.start(fail(), "failing")
    await asyncio.wait_for(told.wait(), 30)
    await asyncio.sleep(0)
    assert "window.log" in banner(session)


async def test_the_core_s_states_are_shown(session):
    """The first start is no trouble; a core that is down or restarting is said; one that is up clears it."""
    session._on_core(CoreState("starting"))
    assert banner(session) == ""
    session._on_core(CoreState("down", sentence="No room on the disk."))
    assert banner(session) == "Titan's core cannot start: No room on the disk."
    session._on_core(CoreState("up"))
    assert banner(session) == ""
    session._on_core(CoreState("starting"))
    assert "restarting" in banner(session)


async def test_looks_change_at_once(session):
    """Choosing Russian and dark dresses the open window."""
    session.dress("ru", "dark")
    assert session._parts.translator.language == "ru"
    assert session._parts.theme.dark
    assert session._parts.window.status_line.activity == "Запуск…"
    session.dress("no such", "no such")
    assert session._parts.translator.language == "ru"


async def test_a_link_to_the_settings_opens_them(session):
    """The cure that an answer names leads to the settings."""
    session._open_link(SETTINGS_URL)
    assert session.settings._dialog is not None
    session.settings._dialog.reject()


async def test_leaving_ends_the_wait_and_every_task(session):
    """After leaving nothing runs any more, within the second that closing may take."""
    session.tasks.start(asyncio.Event().wait(), "endless")
    QTimer.singleShot(0, session.leave)
    await asyncio.wait_for(session._leaving.wait(), 30)
    begin = asyncio.get_running_loop().time()
    await session.close()
    assert asyncio.get_running_loop().time() - begin < 1
    assert not session.tasks._tasks


async def test_what_was_asked_too_early_and_what_was_left_is_taken_up(theme, qtbot, qapp, titan_home):
    """A question sent before the session, and one that an earlier window could not send, both stand in the outbox;
    the early one is shown, in a conversation of its own.
    """
    window = MainWindow(theme, [Path("/home/anna/Downloads")])
    qtbot.addWidget(window)
    paths = Paths.from_environment()
    paths.create()
    keep_unsent(paths, ["left behind"], "half a thou", "en")
    early_input = EarlyInput(window)
    window.chat.prompt_submitted.emit("too early")
    translator = Translator(qapp, bundled("i18n"), lambda: QLocale("en_GB"))
    parts = Parts(qapp, window, theme, translator, paths, Settings(), "", StartupReport(), None, early_input)
    session = Session(parts)
    await session._restore()
    kept = session.chat.unsent()
    assert [prompt.text for prompt in kept.prompts] == ["left behind", "too early"]
    assert kept.prompts[0].conversation_id != kept.prompts[1].conversation_id
    assert [window.chat.model.message(row).text for row in range(window.chat.model.rowCount())] == [
        "too early"
    ]
    assert window.chat.draft() == "half a thou"
    await session.close()
    assert unsent.read(paths.data / unsent.FILE_NAME) == kept
    window.close_for_good()


async def test_the_next_window_shows_what_was_not_sent(session, titan_home):
    """Without anything asked meanwhile, the conversation of the kept question is open again."""
    paths = session._parts.paths
    paths.create()
    keep_unsent(paths, ["left behind"], "", "en")
    await session._restore()
    model = session._parts.window.chat.model
    assert [model.message(row).text for row in range(model.rowCount())] == ["left behind"]
    assert model.is_pending(0)


def said_after_a_crash(session: Session) -> FormerEnd:
    """What a start would know if the window died now."""
    other = ExitMark(session._parts.paths.run / "mark")
    path = other._path
    left = path.read_bytes()
    other.begin()
    os.close(other._descriptor)
    path.write_bytes(left)
    return other.former


async def test_a_crash_is_told_at_the_next_start(session):
    """In the person's language, until it is put away; and that nothing was lost only when that is so."""
    session._parts.mark.former = FormerEnd.NOTHING_LOST
    await session._restore()
    assert banner(session) == "Titan closed unexpectedly. Nothing was lost."
    session.dress("ru", "light")
    assert banner(session) == "Titan неожиданно закрылся. Ничего не потеряно."
    session._parts.window.banner._close.click()
    session.dress("en", "light")
    assert banner(session) == ""
    session.status.tell_former_end(FormerEnd.UNKNOWN)
    assert banner(session) == "Titan closed unexpectedly. What you wrote last may be missing."


@pytest.mark.logs("what was unsent cannot be read")
async def test_unsent_text_that_could_not_be_read_was_lost(session):
    """Where the file of what was unsent is damaged, nobody claims that nothing was lost."""
    (session._parts.paths.data / unsent.FILE_NAME).write_bytes(b"{")
    session._parts.mark.former = FormerEnd.NOTHING_LOST
    await session._restore()
    assert "may be missing" in banner(session)


async def test_what_is_typed_counts_as_lost_until_it_is_written(session, qtbot):
    """From the key to the file, while a command is on its way, a title or the settings are being edited, a crash
    would be told without the claim.
    """
    window = session._parts.window
    assert said_after_a_crash(session) is FormerEnd.UNKNOWN  # nobody has kept anything yet
    await session._restore()
    await session._unsent.write()
    assert said_after_a_crash(session) is FormerEnd.NOTHING_LOST
    window.chat.set_draft("half a thou")
    assert said_after_a_crash(session) is FormerEnd.UNKNOWN
    await session._unsent.write()
    assert said_after_a_crash(session) is FormerEnd.NOTHING_LOST
    session.settings.open()
    assert said_after_a_crash(session) is FormerEnd.UNKNOWN
    session.settings._dialog.reject()
    assert said_after_a_crash(session) is FormerEnd.NOTHING_LOST
    window.conversations.put(listed("c1"))
    window.sidebar.select("c1")
    window.sidebar.rename()
    assert said_after_a_crash(session) is FormerEnd.UNKNOWN
    window.conversations.remove("c1")
    assert said_after_a_crash(session) is FormerEnd.NOTHING_LOST
    with contextlib.suppress(BusUnavailableError):
        session.bridge.sending_changed.connect(lambda busy: said.append((busy, said_after_a_crash(session))))
        said: list[tuple[bool, FormerEnd]] = []
        await session.bridge.send(chat.DeleteConversation(conversation_id="c1"))
    assert said == [(True, FormerEnd.UNKNOWN), (False, FormerEnd.NOTHING_LOST)]
