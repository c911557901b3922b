"""The main job in the real window, against the real core, real stores, real files, and a model server."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests import documents, homes, servers
from tests.e2e.harness import Titan, cleaned, until
from tests.e2e.window import PATIENCE_S, open_window
from tests.openai_server import OpenAIServer
from titan_desktop import settings
from titan_desktop.contracts import chat
from titan_desktop.ui.conversations.model import FIRST_ROW, ID_ROLE
from titan_desktop.ui.jobs.dead_letters_dialog import DeadLettersDialog


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Where the person of all these tests lives; the index names files by this path."""
    with servers.short_folder() as folder:
        (folder / "place").mkdir()
        yield folder / "place"


@pytest.fixture
def titan_home(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.rmtree(place)
    return homes.settle(place / "home", place / "titan", monkeypatch)


@pytest.fixture
async def read(
    titan_home: Path, place: Path, new_cluster: Path | None, shared_data: Path
) -> AsyncIterator[Titan]:
    """A person's folders, full of documents of every kind, already in the index; nothing runs.

    They are read once. Every other test gets all of it as it was then.
    """
    kept = place.with_name("kept")
    with cleaned(titan_home) as titan:
        if kept.exists():
            homes.bring_back(kept, place)
        else:
            homes.install(titan.paths, new_cluster)
            documents.make_documents(titan.desktop)
            for path in (shared_data / "documents").iterdir():
                shutil.copy(path, titan.home / "Downloads" / path.name)
            done = titan.command("index", "--json")
            assert done.returncode == 0, done.stderr
            await titan.gone()
            homes.keep(place, kept)
        yield titan


def flush(app: QApplication) -> None:
    """Let Qt deliver what was posted, without running its loop inside the test's."""
    app.sendPostedEvents()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("Какой залог в договоре аренды?", "45 000"),
        ("What is the deposit in my rental agreement?", "1,200 euros"),
    ],
)
async def test_without_a_model_the_passages_are_the_answer(read: Titan, question: str, fact: str) -> None:
    """Typed into the window, a Russian and an English question find their file and its passage."""
    async with open_window(read.paths) as titan:
        titan.type(question)
        answer = await titan.answered()
        assert answer.kind is chat.AnswerKind.PASSAGES
        assert any(fact in source.passage for source in answer.sources[:3])
        assert {Path(source.path).parent for source in answer.sources} <= {
            read.desktop,
            read.home / "Downloads",
        }
    await read.gone()


async def test_a_document_is_shown_by_its_name_and_kind(read: Titan) -> None:
    """«покажи договор PDF» puts the PDF of the agreement first."""
    async with open_window(read.paths) as titan:
        titan.type("покажи договор PDF")
        answer = await titan.answered()
        assert answer.sources[0].title == "Договор аренды.pdf"


async def test_with_a_model_the_answer_grows_names_its_sources_and_is_found_again(
    model: OpenAIServer, read: Titan
) -> None:
    """The answer streams; its prompt held the fenced passages; after a restart the conversation is there."""
    model.text = "Залог составляет 45 000 рублей [1]. " * 30
    model.hold(after=8)
    async with open_window(read.paths) as titan:
        titan.type("Какой залог?")
        growing = await titan.answered(chat.State.STREAMING)
        model.release()
        answer = await titan.answered()
        assert answer.text == model.text
        assert answer.text.startswith(growing.text)
        assert len(growing.text) < len(answer.text)
        assert "Договор аренды.pdf" in {source.title for source in answer.sources}
        await titan.listed(1)
    prompt = json.dumps(model.chats[0].body, ensure_ascii=False)
    assert "Залог составляет 45 000 рублей" in prompt
    await read.gone()
    async with open_window(read.paths) as titan:
        await titan.listed(1)
        index = titan.window.conversations.index(FIRST_ROW, 0)
        assert index.data() == "Какой залог?"
        titan.window.sidebar.conversation_opened.emit(index.data(ID_ROLE))
        assert (await titan.answered()).text == model.text
    assert len(model.chats) == 1


async def test_stop_keeps_what_was_said(model: OpenAIServer, read: Titan) -> None:
    """Escape in mid-answer: the words so far stay, marked as stopped, and the model is let go."""
    model.hold(after=5)
    async with open_window(read.paths) as titan:
        titan.type("Какой залог?")
        growing = await titan.answered(chat.State.STREAMING)
        QTest.keyClick(titan.editor, Qt.Key.Key_Escape)
        stopped = await titan.answered(chat.State.STOPPED)
        assert stopped.text
        assert stopped.text.startswith(growing.text)
        assert await asyncio.to_thread(model.chats[0].left.wait, 10)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("invalid_api_key", chat.Fault.KEY_MISSING),
        ("model_not_found", chat.Fault.MODEL_NOT_FOUND),
        ("rate_limit", chat.Fault.RATE_LIMITED),
    ],
)
async def test_a_fault_is_said_and_retry_answers(
    titan: Titan, model: OpenAIServer, fault: str, expected: chat.Fault
) -> None:
    """The conversation says what is wrong; when it is mended, Retry answers the same question."""
    model.fault = fault
    async with open_window(titan.paths) as opened:
        opened.type("What is the deposit?")
        failed = await opened.answered(chat.State.FAILED)
        assert failed.fault is expected
        model.fault = ""
        opened.window.chat.retry_requested.emit(failed.question_id)
        answer = await opened.answered()
        assert answer.question_id == failed.question_id
        assert [m.role for m in opened.messages()] == [chat.Role.USER, chat.Role.ASSISTANT]


async def test_an_endpoint_that_is_down_is_said(
    titan: Titan, model: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at the base URL: the conversation says that it is unreachable, and keeps the question."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    async with open_window(titan.paths) as opened:
        opened.type("What is the deposit?")
        failed = await opened.answered(chat.State.FAILED)
        assert failed.fault is chat.Fault.UNREACHABLE
        assert opened.messages()[0].text == "What is the deposit?"


async def test_what_is_typed_before_the_core_is_there_is_answered(titan: Titan) -> None:
    """A question typed at the first paint waits for the stores and is answered once."""
    (titan.desktop / "Rental agreement.txt").write_text("\n".join(documents.ENGLISH), "utf-8")
    async with open_window(titan.paths) as opened:
        assert not titan.paths.core_file.exists()
        opened.type("What is the security deposit?")
        await opened.answered()
        assert len(opened.messages()) == 2


@pytest.mark.logs("the core has gone; starting another")
async def test_a_core_killed_under_the_window_comes_back_and_answers(
    titan: Titan, model: OpenAIServer
) -> None:
    """kill -9 of the core in mid-answer: the window stays, starts another, and shows one whole answer."""
    model.text = "The deposit is 1,200 euros. " * 10
    model.hold(after=4)
    async with open_window(titan.paths) as opened:
        opened.type("What is the deposit?")
        await opened.answered(chat.State.STREAMING)
        dead = titan.kill_core()
        model.release()
        answer = await opened.answered()
        assert answer.text == model.text
        assert len(opened.messages()) == 2
        await until(lambda: titan.core_pid() != dead, "another core")
    await titan.gone()


async def test_a_new_file_is_found_without_asking_for_it(titan: Titan) -> None:
    """A document saved while Titan runs can be asked about a moment later."""
    async with open_window(titan.paths) as opened:
        opened.type("hello")
        await opened.answered()
        documents.make_pdf(titan.desktop / "Счёт за июль.pdf", ("Счёт за июль: электричество 1 234 рубля.",))

        def found() -> bool:
            done = titan.command("search", "электричество", "--json")
            return done.returncode == 0 and bool(json.loads(done.stdout))

        async with asyncio.timeout(30):
            while not await asyncio.to_thread(found):
                pass
        opened.type("Сколько за электричество?")
        await opened.until(
            lambda: (
                (a := opened.answer()) is not None and bool(a.sources) and "1 234" in a.sources[0].passage
            ),
            "the bill",
        )


async def test_russian_and_dark_without_a_restart(titan: Titan) -> None:
    """Language and theme change in the open window."""
    async with open_window(titan.paths, settings.Settings(language="en", theme="light")) as opened:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        light = opened.window.palette().window().color().lightness()
        english = opened.editor.placeholderText()
        opened.session.dress("ru", "dark")
        flush(app)
        assert opened.editor.placeholderText() != english
        assert any("а" <= letter <= "я" for letter in opened.editor.placeholderText().lower())
        assert opened.window.palette().window().color().lightness() < light


async def test_what_cannot_be_done_is_told_in_the_window_and_by_the_doctor(titan: Titan) -> None:
    """A command that nobody understands is no silent loss: the strip counts it, the list names and removes it."""
    async with open_window(titan.paths) as opened:
        counted: asyncio.Queue[int] = asyncio.Queue()
        opened.session.dead_letters.counted.connect(counted.put_nowait)
        opened.type("hello")
        await opened.answered()
        opened.session.bridge._open_bus().publish(
            chat.RenameConversation.topic, "rename_conversation", {"title": "Rent"}
        )
        async with asyncio.timeout(PATIENCE_S):
            while await counted.get() != 1:
                pass
        opened.window.banner.action_requested.emit()
        dialog = opened.window.findChild(DeadLettersDialog)
        assert dialog is not None
        item = dialog.table.topLevelItem(0)
        assert item is not None
        assert item.text(0) == "Rename a conversation: Rent"
        assert "another version" in item.text(1)
        done = await asyncio.to_thread(titan.command, "doctor")
        assert "1 job failed." in done.stdout
        dialog.removal_confirmed.emit(dialog.marked())
        async with asyncio.timeout(PATIENCE_S):
            while await counted.get() != 0:
                pass
        assert dialog.table.topLevelItemCount() == 0
        done = await asyncio.to_thread(titan.command, "doctor")
        assert "job failed" not in done.stdout
