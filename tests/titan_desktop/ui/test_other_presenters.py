"""The list, the status and the sources, on a real bus."""

import asyncio
import os
import re
from pathlib import Path, PurePath

import msgspec
import pytest
from PySide6.QtCore import QObject, QProcessEnvironment, QUrl, Slot
from PySide6.QtGui import QDesktopServices

from tests.titan_desktop.ui.window_core import heard
from titan_bus import Bus, BusConfig, RequestRefused
from titan_desktop.contracts import chat, files, indexing, system
from titan_desktop.contracts.chat import State
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.chat.outbox import Outbox
from titan_desktop.ui.chat.presenter import ChatPresenter
from titan_desktop.ui.chat.source_opener import SourceOpener
from titan_desktop.ui.conversations.model import ID_ROLE
from titan_desktop.ui.conversations.presenter import ConversationsPresenter
from titan_desktop.ui.files.presenter import FilesPresenter
from titan_desktop.ui.files.reading_progress import QUIET_S, ReadingProgress
from titan_desktop.ui.shell.main_window import MainWindow
from titan_desktop.ui.status.presenter import StatusPresenter

from .window_core import WindowCore, answer, listed, question, until


@pytest.fixture
async def core(clean_redis_url):
    async with Bus(BusConfig(url=clean_redis_url, source="core@test", streams=STREAMS)) as bus:
        made = WindowCore(bus)
        made.conversations = [listed("c1", "one", "2026-03-01T11:00:00Z"), listed("c2", "two")]
        made.messages = [question(1), answer(1, "an answer", State.COMPLETE), question(2, "c2")]
        await made.serve()
        yield made


@pytest.fixture
async def shell(core, clean_redis_url, theme, qtbot):
    """A window, its presenters and a bridge that is connected."""
    faults: list = []
    tasks = Tasks(faults.append)
    window = MainWindow(theme, [Path("/home/anna/Downloads")])
    qtbot.addWidget(window)
    bridge = Bridge(window)
    open_chat = ChatPresenter(window.chat, bridge, tasks, lambda: "en", window)
    conversations = ConversationsPresenter(
        window.conversations, window.sidebar, lambda: open_chat.conversation_id, bridge, tasks, window
    )
    window.sidebar.conversation_opened.connect(open_chat.open)
    open_chat.opened.connect(window.sidebar.select)
    status = StatusPresenter(window.banner, bridge, tasks, window)
    reading = FilesPresenter(window.status_line, window, bridge, tasks, window)
    async with Bus(BusConfig(url=clean_redis_url, source="window@test", streams=STREAMS)) as bus:
        listed_now = asyncio.Event()
        conversations.listed.connect(listed_now.set)
        tasks.replace(bridge.serve(bus), "read along")
        await asyncio.wait_for(listed_now.wait(), 30)
        window.parts = (open_chat, conversations, status, bridge, reading)
        yield window
        await tasks.close(2)
    window.close_for_good()
    assert not faults


def titles(window: MainWindow) -> list[str]:
    model = window.conversations
    rows = [model.index(row) for row in range(model.rowCount())]
    return [str(row.data()) for row in rows if row.data(ID_ROLE)]


def rows(window: MainWindow):
    model = window.conversations
    return model.rowsInserted, model.rowsRemoved, model.rowsMoved, model.dataChanged


async def test_the_list_is_filled_and_opens(shell):
    """The core's conversations are listed, and choosing one shows its messages."""
    assert titles(shell) == ["one", "two"]
    shell.sidebar.conversation_opened.emit("c1")
    await until(lambda: shell.chat.model.rowCount() == 2, shell.chat.model.modelReset)


async def test_all_pages_are_listed(shell, core):
    """However many pages the core makes of them, every conversation can be reached; the best-used stand first."""
    core.page_max = 3
    core.conversations = [
        listed(f"x{number:02}", at=f"2026-03-01T10:{number:02}:00Z") for number in range(20)
    ]
    await core.say(system.CoreReady(pid=1, version="t"))
    await until(lambda: titles(shell) == [f"x{number:02}" for number in reversed(range(20))], *rows(shell))


async def test_a_reconnection_removes_only_what_is_gone(shell, core):
    """While the list comes again nothing leaves it; what was deleted elsewhere goes when the last page is there;
    what is said between two pages counts more than they do.
    """
    core.page_max = 1
    core.conversations = [listed(f"x{n}", at=f"2026-03-01T10:0{n}:00Z") for n in range(5)]
    await core.say(system.CoreReady(pid=1, version="t"))
    await until(lambda: titles(shell) == ["x4", "x3", "x2", "x1", "x0"], *rows(shell))
    del core.conversations[0]
    before: list[list[str]] = []
    make = core._page

    def page(request: chat.ListConversations) -> chat.ConversationPage:
        before.append(titles(shell))
        if len(before) == 2:  # from a page that is still to come it moves to one that has been
            core.conversations[0] = listed("x1", at="2026-03-01T10:30:00Z")
            said = chat.UserMessage(message=question(1, "x1"), conversation=core.conversations[0])
            going.append(asyncio.create_task(core.say(said)))
        return make(request)

    going: list[asyncio.Task[None]] = []
    core._page = page
    await core.say(system.CoreReady(pid=1, version="t"))
    await until(lambda: titles(shell) == ["x1", "x4", "x3", "x2"], *rows(shell))
    assert len(before) == 3
    assert all("x0" in shown for shown in before)


async def test_a_list_that_breaks_off_removes_nothing(shell, core):
    """When a page does not come, what is shown stays, and the person is told."""
    core.page_max = 1
    core.conversations = [listed("c3", at="2026-03-01T12:00:00Z")]
    failed = asyncio.Event()
    shell.parts[1].failed.connect(lambda _sentence: failed.set())
    make = core._page

    def page(request: chat.ListConversations) -> chat.ConversationPage:
        if request.cursor:
            raise RequestRefused("store_unavailable", "gone")
        return msgspec.structs.replace(make(request), more=True)

    core._page = page
    await core.say(system.CoreReady(pid=1, version="t"))
    await asyncio.wait_for(failed.wait(), 30)
    assert titles(shell) == ["c3", "one", "two"]


async def test_new_renamed_and_deleted_conversations_follow_events(shell, core):
    """The list changes from events alone, whoever caused them."""
    await core.say(chat.UserMessage(message=question(9, "c9"), conversation=listed("c9", "nine")))
    await until(lambda: "nine" in titles(shell), *rows(shell))
    await core.say(chat.ConversationChanged(conversation=listed("c1", "first")))
    await until(lambda: "first" in titles(shell), *rows(shell))
    await core.say(chat.ConversationChanged(conversation=listed("c2"), deleted=True))
    await until(lambda: "two" not in titles(shell), *rows(shell))


async def test_renaming_and_deleting_are_commands(shell, core):
    """What the person does to the list goes to the core."""
    shell.conversations.title_edited.emit("c1", "better")
    assert await asyncio.wait_for(core.heard.get(), 30) == chat.RenameConversation(
        conversation_id="c1", title="better"
    )
    shell.sidebar.delete_confirmed.emit("c2")
    assert await asyncio.wait_for(core.heard.get(), 30) == chat.DeleteConversation(conversation_id="c2")


async def test_a_first_question_marks_its_conversation(shell, core):
    """The conversation that a question makes is marked in the list."""
    open_chat = shell.parts[0]
    open_chat.submit("hello")
    sent = await asyncio.wait_for(core.heard.get(), 30)
    message = chat.Message(
        id=sent.message_id, conversation_id=sent.conversation_id, role=chat.Role.USER, text="hello",
        state=State.COMPLETE, created_at="2026-03-01T10:00:00Z",
    )  # fmt: skip
    await core.say(chat.UserMessage(message=message, conversation=listed(sent.conversation_id, "hello")))
    await until(lambda: "hello" in titles(shell), *rows(shell))
    current = shell.sidebar.list.currentIndex
    await until(lambda: current().data() == "hello", shell.sidebar.list.selectionModel().currentChanged)


async def test_a_missing_model_is_said_with_the_cure(shell, core):
    """Without a model the strip says so and offers the settings; with one it goes."""
    status = shell.parts[2]
    wanted = []
    status.model_needed.connect(lambda: wanted.append(1))
    core.status = system.Status(
        version="t", pid=1, ready=True, stores=(), model=system.ModelStatus(configured=False),
        embedder=system.ModelStatus(configured=False), roots=(),
    )  # fmt: skip
    learnt = asyncio.Event()
    take = status._take_status
    status._take_status = lambda found: (take(found), learnt.set())
    await core.say(system.SettingsChanged())
    await asyncio.wait_for(learnt.wait(), 30)
    assert "No model" in shell.banner.text
    shell.banner.action_requested.emit()
    assert wanted


async def test_a_locked_key_is_asked_for_once_and_can_be_asked_for_again(shell, core):
    """By itself when the window learns of it, and then by the strip's button, as long as it is locked."""
    status = shell.parts[2]
    wanted: list[int] = []
    status.unlock_wanted.connect(lambda: wanted.append(1))
    locked = msgspec.structs.replace(core.status, problems=(Problem(Code.KEYS_LOCKED),))
    status._take_status(locked)
    status._take_status(locked)
    assert wanted == [1]
    assert "locked" in shell.banner.text
    shell.banner.action_requested.emit()
    assert wanted == [1, 1]
    status._take_status(core.status)
    assert "locked" not in shell.banner.text


async def test_a_refused_folder_is_said_with_its_way_out(shell, core):
    """The strip tells why a folder is not read, and its button asks about exactly that folder."""
    status = shell.parts[2]
    wanted: list[tuple[str, str]] = []
    status.folder_wanted.connect(lambda path, real: wanted.append((path, real)))
    fields = {"path": "/home/anna/Desktop", "real": "/home/anna", "settings": "/s.toml"}
    refused = (
        Problem(Code.FOLDER_HOLDS_HOME, fields),
        Problem(Code.FOLDER_OF_SYSTEM, {**fields, "real": "/etc"}),
    )
    status._take_status(msgspec.structs.replace(core.status, problems=refused))
    assert "/home/anna/Desktop is not read, because /home/anna holds" in shell.banner.text
    shell.banner.action_requested.emit()
    shell.banner._close.click()
    shell.banner.action_requested.emit()
    assert wanted == [("/home/anna/Desktop", "/home/anna"), ("/home/anna/Desktop", "/etc")]


async def test_the_core_comes_before_everything(shell):
    """A core that is away is said first; what was put away stays away until it changes."""
    status = shell.parts[2]
    status.tell_fault("a fault")
    status.core_changed("restarting")
    assert shell.banner.text == "restarting"
    status.core_changed("")
    assert shell.banner.text == "a fault"
    shell.banner._close.click()
    assert shell.banner.text == ""


async def test_reading_is_counted(shell, core):
    """While files are read the line says how far; then how many failed."""
    core.index = indexing.IndexStatus(files=2, passages=5, failed=1, skipped=0)
    reading = shell.parts[4]
    said: list[bool] = []
    reading.emptiness_learnt.connect(said.append)
    for name in ("a", "b"):
        await core.say(files.FileSeen(path=name, size=1, mtime_ns=1))
    await core.say(indexing.FileIndexed(path="a", outcome=indexing.Outcome.INDEXED))
    await until(lambda: shell.status_line.activity == "Reading files: 1 of 2", reading._tick.timeout)
    await core.say(indexing.FileIndexed(path="b", outcome=indexing.Outcome.FAILED))
    await until(
        lambda: shell.status_line.failures, heard(shell.parts[3], indexing.FileIndexed), reading.index_learnt
    )
    assert said[-1] is False


async def test_that_there_is_no_file_is_told(shell, core):
    """Once the index is known; one that could not be read is a file, too."""
    reading = shell.parts[4]
    said: list[bool] = []
    reading.emptiness_learnt.connect(said.append)
    core.index = indexing.IndexStatus(files=0, passages=0, failed=0, skipped=0)
    await core.say(system.CoreReady(pid=1, version="t"))
    await until(lambda: said[-1:] == [True], reading.index_learnt)


async def test_vectors_in_the_making_cost_the_core_no_count(shell, core):
    """Their figures come with each event; the index is not counted anew for them."""
    reading = shell.parts[4]
    await until(lambda: reading._index_known, reading.index_learnt)
    for done in (1, 2):
        await core.say(indexing.EmbeddingProgress(model="m", done=done, total=9))
        await until(
            lambda done=done: shell.status_line.meaning == f"Search by meaning: {done} of 9 passages",
            heard(shell.parts[3], indexing.EmbeddingProgress),
        )
    assert not reading._tick.isActive()


async def test_vectors_that_wait_are_told(shell, core):
    """Whoever opens the window later learns it, too, with the time of the next try."""
    waiting = indexing.EmbeddingProgress(
        model="m",
        done=1,
        total=9,
        fault="rate_limited",
        detail="Too many.",
        retry_at="2026-01-01T12:00:00+00:00",
    )
    core.index = indexing.IndexStatus(files=2, passages=9, failed=0, skipped=0, embedding=waiting)
    reading = shell.parts[4]
    await core.say(indexing.FileIndexed(path="a", outcome=indexing.Outcome.INDEXED))
    await until(lambda: "Vectors are not being made" in shell.status_line.meaning, reading.index_learnt)
    assert re.search(r"Next try at \d\d:\d\d", shell.status_line.meaning)


async def test_the_failures_are_asked_for_when_they_are_wanted(shell, core):
    """The list comes from the core as it is now, and says so when the core does not answer."""
    failure = indexing.FileFailure(
        path="/d/a.pdf",
        outcome=indexing.Outcome.FAILED,
        reason=indexing.Reason.BROKEN,
        detail="",
        at="2026-03-01",
    )
    core.index = indexing.IndexStatus(files=0, passages=0, failed=1, skipped=0, failures=(failure,))
    reading = shell.parts[4]
    reading.show_failures()
    dialog = reading._failures
    assert dialog is not None
    await until(lambda: dialog.table.topLevelItemCount() == 1, dialog.table.model().rowsInserted)
    shell.parts[3]._bus = None
    told = asyncio.Event()
    complain = dialog.complain
    dialog.complain = lambda sentence: (complain(sentence), told.set())
    reading.show_failures()
    await asyncio.wait_for(told.wait(), 30)
    assert "does not answer" in dialog._about.text()
    assert dialog.table.topLevelItemCount() == 1
    dialog.close()


@pytest.mark.parametrize(
    ("allowed", "exists", "opens", "said"),
    [
        (True, True, True, ""),
        (True, True, False, "No program"),
        (True, False, True, "no longer there"),
        (False, True, True, "outside the folders"),
    ],
)
async def test_sources_open_only_when_the_core_agrees(shell, core, allowed, exists, opens, said):
    """A file outside the folders, or one that is gone, is not handed to the system; the person reads why."""
    core.located["/d/a.pdf"] = files.Located(path="/d/a.pdf", allowed=allowed, exists=exists)
    handed = []

    def open_url(url) -> bool:
        handed.append(url.toLocalFile())
        return opens

    sentence = await SourceOpener(shell.parts[3], open_url).open_file("/d/a.pdf")
    assert said in sentence
    assert bool(sentence) is bool(said)
    assert handed == (["/d/a.pdf"] if allowed and exists else [])


@pytest.mark.parametrize("manager", [True, False], ids=["shown", "no file manager"])
async def test_what_is_no_document_is_shown_and_not_opened(shell, core, manager):
    """It is selected in its folder; where there is no file manager to ask, the folder is opened."""
    core.located["/d/invoice.JS"] = files.Located(path="/d/invoice.JS", allowed=True, exists=True)
    handed, shown = [], []

    async def show_file(path):
        shown.append(path)
        return manager

    opener = SourceOpener(shell.parts[3], lambda url: handed.append(url.toLocalFile()) is None, show_file)
    assert not await opener.open_file("/d/invoice.JS")
    assert shown == [PurePath("/d/invoice.JS")]
    assert handed == ([] if manager else ["/d"])


class Opening(QObject):
    """Stands where Qt starts the person's program."""

    inherits_key: bool | None = None

    @Slot(QUrl)
    def open(self, _url):
        self.inherits_key = QProcessEnvironment.systemEnvironment().contains("OPENAI_API_KEY")


def test_a_program_that_shows_a_source_does_not_inherit_the_key(qapp, monkeypatch):
    """Qt lets it inherit the window's environment, which holds what the person's shell had."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    opening = Opening()
    QDesktopServices.setUrlHandler("https", opening, "open")
    try:
        assert not SourceOpener(Bridge()).open_link("https://example.org/")
    finally:
        QDesktopServices.unsetUrlHandler("https")
    assert opening.inherits_key is False
    assert os.environ["OPENAI_API_KEY"] == "sk-secret"  # for a core that is started again


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd", "FILE:/etc/passwd", "javascript:alert(1)", "smb://x/y", "titan:x", "", "http:",
        "//x/y", "vbscript:x", "data:text/html,x", "ms-msdt:/id", "mailto:", "mailto:?attach=/etc/passwd",
    ],
)  # fmt: skip
def test_links_that_are_no_web_or_mail_are_not_opened(qapp, address):
    """An answer cannot make the system open a file or run something."""
    handed = []
    assert SourceOpener(Bridge(), lambda url: handed.append(url) is None).open_link(address)
    assert not handed


async def test_a_window_that_opens_late_counts_what_was_seen_before(shell, core):
    """The core says how many files wait; each that is read is one of them, and their number is asked for again."""
    reading = shell.parts[4]
    await until(lambda: reading._index_known, reading.index_learnt)
    core.index = indexing.IndexStatus(files=2, passages=5, failed=0, skipped=0, waiting=3)
    await core.say(system.CoreReady(pid=1, version="t"))
    await until(lambda: shell.status_line.activity == "Reading files: 0 of 3", reading.index_learnt)
    core.index = indexing.IndexStatus(files=5, passages=5, failed=0, skipped=0)
    await core.say(indexing.FileIndexed(path="a", outcome=indexing.Outcome.INDEXED))
    await until(lambda: shell.status_line.activity == "Reading files: 1 of 3", reading._tick.timeout)
    assert not reading._progress.is_unsure(reading._progress._last_step_s + 1)
    assert reading._progress.is_unsure(reading._progress._last_step_s + 6)
    reading._progress._last_step_s -= 6
    await until(lambda: "can be searched" in shell.status_line.activity, reading.index_learnt)


def test_progress_forgets_what_never_comes():
    """A file whose event was dead-lettered does not keep the line up for ever."""
    progress = ReadingProgress()
    progress.seen("a", 0.0)
    progress.seen("b", 1.0)
    progress.dealt_with("a", 2.0)
    assert progress.figures(3.0) == (1, 2)
    assert progress.figures(3.0 + QUIET_S) == (0, 0)


def test_the_outbox_keeps_the_order():
    """Questions go out in the order in which they were written, until each is confirmed."""
    outbox = Outbox()
    prompts = [
        chat.SendPrompt(conversation_id=conversation, message_id=name, text=name)
        for name, conversation in (("1", "a"), ("2", "b"), ("3", "a"))
    ]
    for prompt in prompts:
        outbox.add(prompt)
    assert outbox.waiting("a") == (prompts[0], prompts[2])
    assert outbox.confirm("1")
    assert not outbox.confirm("1")
    assert outbox.waiting() == (prompts[1], prompts[2])


async def test_a_failed_task_is_told_and_the_others_go_on(caplog):
    """A fault in one task reaches the supervisor's listener; cancelling tells nobody."""
    told = asyncio.Queue()
    tasks = Tasks(told.put_nowait)
    finished = asyncio.Event()

    async def fail() -> None:
        raise LookupError("gone")

    async def go_on() -> None:
        await asyncio.to_thread(lambda: None)
        finished.set()

    tasks.start(fail(), "failing")
    tasks.start(go_on(), "going on")
    assert isinstance(await asyncio.wait_for(told.get(), 30), LookupError)
    await asyncio.wait_for(finished.wait(), 30)
    tasks.replace(asyncio.Event().wait(), "newest")
    tasks.replace(asyncio.Event().wait(), "newest")
    await tasks.close(5)
    assert told.empty()
    assert "gone" in caplog.text


async def test_a_store_that_goes_is_shown_until_it_is_back(core, shell):
    """The strip says so at once, and an answer of before does not take it away; back again, it is gone."""
    banner = shell.banner
    well = system.StoreStatus(name="postgres", place="external", ok=True, product="PostgreSQL", version="18")
    ill = system.StoreStatus(
        name="postgres",
        place="external",
        ok=False,
        problem=Problem(Code.SILENT, {"product": "PostgreSQL", "seconds": "1"}),
    )
    core.status = msgspec.structs.replace(core.status, stores=(ill,))
    await core.say(system.StoreChanged(store=ill))
    await until(lambda: "not answered" in banner.text, heard(shell.parts[3], system.StoreChanged))
    core.status = msgspec.structs.replace(core.status, stores=(well,))
    await core.say(system.StoreChanged(store=well))
    await until(lambda: "not answered" not in banner.text, heard(shell.parts[3], system.StoreChanged))
