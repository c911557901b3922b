"""The failed jobs, in the window, with the real service on a real bus."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from tests.titan_desktop.ui.window_core import until
from titan_bus import Bus, BusConfig, Event, FatalError
from titan_desktop.contracts import chat
from titan_desktop.contracts.dead_letters import DeadLetter
from titan_desktop.contracts.message import publish
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core import description
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.services import dead_letters as service
from titan_desktop.services.dead_letters import DeadLetterService
from titan_desktop.system.paths import bundled
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.base.translator import Translator
from titan_desktop.ui.jobs import dead_letter_words
from titan_desktop.ui.jobs.dead_letter_words import reason_of, task_of
from titan_desktop.ui.jobs.dead_letters_dialog import DeadLettersDialog
from titan_desktop.ui.jobs.dead_letters_presenter import DeadLettersPresenter
from titan_desktop.ui.shell.main_window import MainWindow
from titan_desktop.ui.status.presenter import StatusPresenter

pytestmark = pytest.mark.logs("goes to the dead letters")


def letter(number: int, **fields: str) -> DeadLetter:
    known = {
        "event_type": "send_prompt", "group": "chat", "subject": f"question {number}", "error": "ValueError",
        "message": "no room", "at": "2026-03-01T10:00:00.000Z", **fields,
    }  # fmt: skip
    return DeadLetter(letter_id=f"{number}-0", **known)


@pytest.fixture(autouse=True)
def translator(qapp) -> Translator:
    """English with its plurals, and English again afterwards."""
    made = Translator(qapp, bundled("i18n"))
    made.choose("en")
    yield made
    made.choose("en")
    for installed in made._installed:
        qapp.removeTranslator(installed)
    qapp.sendPostedEvents()


@pytest.fixture
def dialog(qtbot, theme) -> DeadLettersDialog:
    window = MainWindow(theme, [])
    qtbot.addWidget(window)
    made = DeadLettersDialog(window)
    made.show()
    yield made
    window.close_for_good()


class Shell:
    """A window with the two presenters, and a core whose chat service fails until it is mended."""

    def __init__(self, window: MainWindow, bus: Bus) -> None:
        self.window = window
        self.bus = bus
        self.broken = True
        self.answered: asyncio.Queue[str] = asyncio.Queue()
        self.bridge = Bridge(window)
        self.faults: list[BaseException] = []
        self.tasks = Tasks(self.faults.append)
        self.status = StatusPresenter(window.banner, self.bridge, self.tasks, window)
        self.letters = DeadLettersPresenter(window, self.bridge, self.tasks, window)
        window.dead_letters_requested.connect(self.letters.open)
        self.letters.counted.connect(self.status.dead_letters_counted)
        self.status.dead_letters_wanted.connect(self.letters.open)

    async def handle(self, event: Event) -> None:
        if self.broken:
            raise FatalError("no room")
        self.answered.put_nowait(event.payload_as(chat.SendPrompt).text)

    async def ask(self, text: str) -> None:
        prompt = chat.SendPrompt(conversation_id="c", message_id=text, text=text)
        await publish(self.bus, prompt)

    async def says(self, words: str) -> None:
        await until(lambda: words in self.window.banner.text, self.letters.counted)

    @property
    def dialog(self) -> DeadLettersDialog:
        assert self.letters._dialog is not None
        return self.letters._dialog


@pytest.fixture
async def shell(clean_redis_url, theme, qapp, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shell]:
    monkeypatch.setattr(service, "LOOK_S", 0.01)
    window = MainWindow(theme, [Path("/home/anna/Downloads")])
    window.show()
    async with (
        Bus(BusConfig(url=clean_redis_url, source="core@test", streams=STREAMS)) as core,
        serving(core, Chain(), DeadLetterService(core)),
        Bus(BusConfig(url=clean_redis_url, source="window@test", streams=STREAMS)) as bus,
    ):
        made = Shell(window, bus)
        await core.subscribe(chat.SendPrompt.topic, "chat", made.handle)
        made.tasks.replace(made.bridge.serve(bus), "read along")
        yield made
        await made.tasks.close(2)
    window.close_for_good()
    window.deleteLater()
    assert not made.faults


async def test_a_failed_task_is_said_shown_and_done_after_all(shell: Shell) -> None:
    """The strip counts it, its button opens the list, and `Try again` has it done; then the strip is empty."""
    await shell.ask("the deposit?")
    await shell.says("1 job failed.")
    shell.window.banner.action_requested.emit()
    dialog = shell.dialog
    assert dialog.isVisible()
    assert dialog.table.topLevelItem(0).text(0) == "Answer a question: the deposit?"
    shell.broken = False
    QTest.mouseClick(dialog.retry_button, Qt.MouseButton.LeftButton)
    async with asyncio.timeout(30):
        assert await shell.answered.get() == "the deposit?"
    await until(lambda: not shell.window.banner.text, shell.letters.counted)
    assert dialog.table.topLevelItemCount() == 0
    assert dialog.about == "No job has failed."
    assert not dialog.retry_button.isEnabled()


async def test_every_letter_can_be_reached(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scrolling to the end brings the next page, and what comes new takes none of what is shown away."""
    monkeypatch.setattr(service, "SHOWN_MAX", 30)
    for number in range(70):
        await shell.ask(f"question {number}")
    await shell.says("70 jobs")
    shell.letters.open()
    table, rows = shell.dialog.table, shell.dialog.table.topLevelItemCount
    bar = table.verticalScrollBar()
    for shown in (30, 60, 70):
        await until(lambda shown=shown: rows() == shown, shell.letters.counted)
        assert ("are shown" in shell.dialog.about) is (shown < 70)
        bar.setValue(0)
        bar.setValue(bar.maximum())
    await shell.ask("one more")
    await until(lambda: rows() == 71, shell.letters.counted)


async def test_what_was_put_away_stays_away_until_there_is_more(shell: Shell) -> None:
    """The strip that was closed comes back with the next task that fails, and the menu always opens the list."""
    await shell.ask("one")
    await shell.says("1 job")
    QTest.mouseClick(shell.window.banner._close, Qt.MouseButton.LeftButton)
    assert not shell.window.banner.text
    await shell.ask("two")
    await shell.says("2 jobs failed.")
    shell.window.dead_letters_action.trigger()
    assert len(shell.dialog.marked()) == 2


async def test_removing_is_asked_first(shell: Shell) -> None:
    """A task is removed for good only when the person agrees."""
    await shell.ask("one")
    await shell.says("1 job")
    shell.letters.open()
    QTest.mouseClick(shell.dialog.remove_button, Qt.MouseButton.LeftButton)
    box = shell.dialog.findChild(QMessageBox)
    assert "Remove 1 job for good?" in box.text()
    box.button(QMessageBox.StandardButton.Cancel).click()
    assert shell.dialog.table.topLevelItemCount() == 1
    shell.dialog.ask_to_remove()
    [remove] = [
        button
        for found in shell.dialog.findChildren(QMessageBox)
        for button in found.buttons()
        if button.text() == "Remove" and found.isVisible()
    ]
    remove.click()
    await until(lambda: not shell.window.banner.text, shell.letters.counted)
    assert shell.dialog.table.topLevelItemCount() == 0


async def test_a_core_that_is_away_is_said_in_the_list(shell: Shell) -> None:
    """A command that was not sent changes nothing and is reported; the list stays."""
    await shell.ask("one")
    await shell.says("1 job")
    shell.letters.open()
    shell.tasks.replace(asyncio.Event().wait(), "read along")
    await until(lambda: not shell.bridge.is_connected, shell.bridge.disconnected)
    finished = asyncio.Event()
    complain = shell.dialog.complain
    shell.dialog.complain = lambda sentence: (complain(sentence), finished.set())
    shell.dialog.retry_button.click()
    await asyncio.wait_for(finished.wait(), 30)
    assert "does not answer" in shell.dialog.about
    assert shell.dialog.table.topLevelItemCount() == 1


def test_marks_survive_a_new_list(dialog: DeadLettersDialog) -> None:
    """All are marked at first, and so is what comes while all are; an unmarked one stays so."""
    dialog.set_letters([letter(1)], 1)
    dialog.set_letters([letter(2), letter(1)], 2)
    assert dialog.marked() == ("2-0", "1-0")
    dialog.table.topLevelItem(0).setSelected(False)
    dialog.set_letters([letter(3), letter(2), letter(1)], 300)
    assert dialog.marked() == ("1-0",)
    assert "The newest 3 of 300 are shown." in dialog.about
    dialog.table.clearSelection()
    assert not dialog.remove_button.isEnabled()


def test_the_list_speaks_the_language(dialog: DeadLettersDialog, qapp, translator: Translator) -> None:
    """A change of language changes the rows, too, and unmarks nothing."""
    dialog.set_letters([letter(1, error="DeliveredTooOftenError")], 1)
    translator.choose("ru")
    qapp.sendPostedEvents()
    assert dialog.table.topLevelItem(0).text(0) == "Ответить на вопрос: question 1"
    assert "несколько раз завершалось" in dialog.table.topLevelItem(0).text(1)
    assert dialog.marked() == ("1-0",)


@pytest.mark.parametrize(
    ("found", "task", "reason"),
    [
        (letter(1), "Answer a question: question 1", "An error inside Titan: ValueError: no room"),
        (
            letter(1, event_type="file_seen", subject="/d/a.pdf"),
            "Read a file: a.pdf",
            "An error inside Titan",
        ),
        (letter(1, event_type="odd", subject=""), "odd", "An error inside Titan"),
        (letter(1, event_type="", subject=""), "Something that Titan cannot read", "An error inside Titan"),
        (letter(1, error="PayloadMismatchError"), "Answer a question", "another version"),
        (letter(1, error="E", message="{x} {0}"), "Answer a question", "E: {x} {0}"),
    ],
)
def test_every_letter_has_its_words(qapp, found: DeadLetter, task: str, reason: str) -> None:
    """Known tasks and errors have sentences, unknown ones their own names, and braces in them mean nothing."""
    assert task in task_of(found)
    assert reason in reason_of(found)


def test_what_comes_while_the_person_chooses_is_not_marked(dialog: DeadLettersDialog) -> None:
    """Nobody removes what they have not seen; place and current row stay as they were."""
    dialog.set_letters([letter(n) for n in range(200, 0, -1)], 200)
    dialog.table.clearSelection()
    chosen = dialog.table.topLevelItem(150)
    dialog.table.setCurrentItem(chosen)
    dialog.table.scrollToItem(chosen)
    scrolled, marked = dialog.table.verticalScrollBar().value(), dialog.marked()
    assert scrolled
    dialog.set_letters([letter(n) for n in range(201, 1, -1)], 201)
    assert dialog.marked() == marked == ("50-0",)
    assert dialog.table.currentItem().data(0, Qt.ItemDataRole.UserRole) == "50-0"
    assert dialog.table.verticalScrollBar().value() == scrolled


def test_a_long_message_stays_on_its_line(dialog: DeadLettersDialog) -> None:
    """An error of many lines makes no row higher than others; the tooltip has its lines."""
    dialog.set_letters([letter(1)], 1)
    height = dialog.table.visualItemRect(dialog.table.topLevelItem(0)).height()
    dialog.set_letters([letter(2, message="line\n" * 60)], 1)
    row = dialog.table.topLevelItem(0)
    assert dialog.table.visualItemRect(row).height() == height
    assert row.toolTip(1).count("<br>") == 60


async def test_each_sentence_of_the_strip_is_put_away_for_itself(shell: Shell) -> None:
    """Putting one away shows the next, and it does not bring the one before back."""
    shell.status._has_model = False
    await shell.ask("one")
    await shell.says("1 job")
    QTest.mouseClick(shell.window.banner._close, Qt.MouseButton.LeftButton)
    assert "No model" in shell.window.banner.text
    QTest.mouseClick(shell.window.banner._close, Qt.MouseButton.LeftButton)
    assert not shell.window.banner.text


def test_whatever_a_handler_may_fail_at_has_words() -> None:
    """A new command or event of a service is not shown by its name on the bus."""
    for declared in description.handlers():
        for event_type, bound in declared.routes.items():
            if bound.returns is None:
                assert event_type in dead_letter_words._TASKS
