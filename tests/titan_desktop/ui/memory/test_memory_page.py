"""The memory page, as a person at the keyboard meets it."""

from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from tests.titan_desktop.ui.paged_window import PagedWindow
from tests.titan_desktop.ui.window_core import answer, heard, listed, question, until
from titan_desktop.contracts import files, memory
from titan_desktop.contracts.chat import State
from titan_desktop.contracts.memory import Fact, FactState, FromFile, FromMessage
from titan_desktop.contracts.sources import FactSource, Pages
from titan_desktop.system.paths import bundled
from titan_desktop.ui.base.translator import Translator
from titan_desktop.ui.memory import deciding
from titan_desktop.ui.memory.deeds import Deed
from titan_desktop.ui.memory.fact_editor import FactEditor
from titan_desktop.ui.memory.memory_view import MemoryView
from titan_desktop.ui.memory.words import Kind

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier
LATE = "9999-12-31T00:00:00.000Z"


def fact(number: int, text: str = "", **how: object) -> Fact:
    return Fact(
        id=f"f{number:04}", text=text or f"fact {number}", subject="", subject_id=memory.ME,
        learned_at=f"2026-03-01T10:{number // 60 % 60:02}:{number % 60:02}.000Z", **how,
    )  # type: ignore[arg-type]  # fmt: skip


def texts(view: MemoryView) -> list[str]:
    return [view.facts.fact(row).text for row in range(view.facts.rowCount())]


async def shown(view: MemoryView, *wanted: str) -> None:
    """Wait until these are the facts."""
    model = view.facts
    await until(
        lambda: texts(view) == list(wanted),
        model.modelReset, model.rowsInserted, model.rowsRemoved, model.rowsMoved, model.dataChanged,
    )  # fmt: skip


async def fill(opened: PagedWindow, view: MemoryView, *facts: Fact) -> None:
    """Let the core have these, and the page show what it lists of them."""
    opened.core.memory.facts = list(facts)
    view.kind_changed.emit(view.kind)
    await opened.idle()


def editor(opened: PagedWindow) -> FactEditor:
    (found,) = [one for one in opened.window.findChildren(FactEditor) if one.isVisible()]
    return found


def box(opened: PagedWindow) -> QMessageBox:
    (found,) = [one for one in opened.window.findChildren(QMessageBox) if one.isVisible()]
    return found


async def test_a_fact_that_an_answer_names_is_shown(opened, view):
    """Among those of now, whatever was listed before."""
    view.tabs.setCurrentIndex(2)
    opened.pages.open_fact(
        FactSource(fact_id="f", title="", passage="The key is\nwith Anna.", learned_at="2026-03-03T10:00:00Z")
    )
    assert view.field.text() == "The key is with Anna."
    assert view.kind is Kind.HOLDS
    await opened.idle()


async def test_what_is_written_here_holds_at_once(opened, view):
    """An empty memory says how facts come to be; a new one is written by keys alone, and shown."""
    assert "remember that" in view.empty.text
    QTest.keyClick(view.new_button, KEY.Key_Space)
    QTest.keyClicks(editor(opened).edit, "Anna is allergic to nuts")
    QTest.keyClick(editor(opened).edit, KEY.Key_Return)
    await shown(view, "Anna is allergic to nuts")
    await opened.idle()
    assert not [one for one in opened.window.findChildren(FactEditor) if one.isVisible()]
    assert "You wrote it here" in view.list.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)


async def test_what_cannot_be_kept_stays_in_the_small_window(opened, view, monkeypatch):
    """What is known is said, and so is what is too long and a core that is away: no typed word is lost."""
    await fill(opened, view, fact(1, "Anna likes tea"))
    view.new_wanted.emit()
    small = editor(opened)
    small.edit.setPlainText("anna likes TEA!")
    QTest.keyClick(small.edit, KEY.Key_Return)
    await until(lambda: "already" in small.about, heard(opened.bridge, memory.MemoryVoid))
    small.edit.setPlainText("я" * 2_001)
    QTest.keyClick(small.edit, KEY.Key_Return)
    assert "4 KB" in small.about
    monkeypatch.setattr(opened.bridge, "_bus", None)
    small.edit.setPlainText("kept")
    QTest.keyClick(small.edit, KEY.Key_Return)
    await opened.idle()
    assert "does not answer" in small.about
    assert (small.isVisible(), small.edit.toPlainText(), small.save.isEnabled()) == (True, "kept", True)
    QTest.keyClick(small, KEY.Key_Escape)


async def test_a_store_that_is_away_keeps_what_was_written(opened, view, monkeypatch):
    """The person is told, may close the small window, and the fact comes when it is stored."""
    monkeypatch.setattr(deciding, "PATIENCE_S", 0)
    view.new_wanted.emit()
    small = editor(opened)
    told = []
    small.tell = told.append
    QTest.keyClicks(small.edit, "later")
    QTest.keyClick(small.edit, KEY.Key_Return)
    await shown(view, "later")
    assert "as soon as the database is back" in told[0]


async def test_a_fact_is_corrected_pinned_and_ended_by_keys(opened, view):
    """The correction stands in its place; the pinned comes first; what is no longer so moves to the other list."""
    await fill(opened, view, fact(1, "Anna likes tea"), fact(2, "The key is under the mat"))
    opened.press(KEY.Key_Down)
    opened.press(KEY.Key_Down)
    opened.press(KEY.Key_F2)
    small = editor(opened)
    assert small.edit.textCursor().selectedText() == "Anna likes tea"
    QTest.keyClicks(small.edit, "Anna likes coffee")
    QTest.keyClick(small.edit, KEY.Key_Return)
    await shown(view, "Anna likes coffee", "The key is under the mat")
    await opened.idle()
    view.list.setFocus()
    view.list.setCurrentIndex(view.list.model().index(1, 0))
    view.bar.buttons[Deed.PIN].setFocus()
    opened.press(KEY.Key_Space)
    await shown(view, "The key is under the mat", "Anna likes coffee")
    await until(lambda: opened.focused is view.bar.buttons[Deed.UNPIN], view.facts.dataChanged)
    view.wanted.emit(Deed.CLOSE, view.list.current)
    await shown(view, "Anna likes coffee")
    view.tabs.setFocus()
    opened.press(KEY.Key_Right)
    await shown(view, "The key is under the mat")


async def test_forgetting_asks_and_shows_the_receipt(opened, view):
    """Cancel is what Enter means; then what is gone is said, each store's part, and where it stays."""
    said = FromMessage(message_id="m1", conversation_id="c1")
    await fill(opened, view, fact(1, "The code is 4711", origin=said))
    opened.press(KEY.Key_Down)
    opened.press(KEY.Key_Delete)
    assert "4711" in box(opened).text()
    assert "cannot be undone" in box(opened).informativeText()
    QTest.keyClick(box(opened), KEY.Key_Return)
    assert texts(view) == ["The code is 4711"]
    opened.press(KEY.Key_Delete)
    next(b for b in box(opened).buttons() if b.text() == "Forget").click()
    await shown(view)
    assert "being erased" in view.receipts.text
    assert "Nothing is remembered" in view.empty.text
    assert opened.focused is view.field
    receipt = memory.MemoryErased(
        subject_id="f0001",
        stores=(
            memory.StoreReceipt(store="postgres", erased=2),
            memory.StoreReceipt(store="archive", complete=False, reason="the disk is full"),
        ),
        kept_in=(said,),
    )
    await opened.core.say(receipt)
    await until(lambda: "archive" in view.receipts.text, heard(opened.bridge, memory.MemoryErased))
    assert "database (2)" in view.receipts.text
    assert "Something may be left in: archive of events (the disk is full)" in view.receipts.text
    assert "4711" not in view.receipts.text
    again = view.receipts.text
    await opened.core.say(memory.MemoryForgotten(subject_id="f0001", facts=1))
    await opened.core.say(memory.FactLearned(fact=fact(2)))
    await shown(view, "fact 2")
    assert view.receipts.text == again


async def test_an_origin_is_gone_to(opened, view):
    """Enter shows the message in its conversation, or opens the file at its place."""
    opened.core.conversations = [listed("c1")]
    opened.core.messages = [question(1), answer(1, "an answer", State.COMPLETE)]
    opened.core.located["/d/a.pdf"] = files.Located(path="/d/a.pdf", allowed=True, exists=True)
    place = Pages(first=3, last=3)
    await fill(
        opened, view,
        fact(1, origin=FromMessage(message_id="q1", conversation_id="c1")),
        fact(2, origin=FromFile(path="/d/a.pdf", place=place)),
    )  # fmt: skip
    opened.press(KEY.Key_Return)
    assert await opened.asked.get() == ("placed", "/d/a.pdf", place)
    opened.tells_places = False
    opened.press(KEY.Key_Return)
    assert await opened.asked.get() == ("opened", "/d/a.pdf")
    await opened.idle()
    assert "Look there for: p. 3" in view.complaint
    opened.press(KEY.Key_Down)
    opened.press(KEY.Key_Down)
    opened.press(KEY.Key_Return)
    await opened.idle()
    assert opened.window.chat.messages.isAncestorOf(opened.focused)
    assert opened.window.chat.model.conversation_id == "c1"


async def test_proposals_are_decided_one_by_one(opened, view):
    """They are counted on their tab; Ctrl+Enter accepts, Del refuses, and the next one is chosen."""
    waiting = [fact(n, state=FactState.PROPOSED) for n in range(3)]
    await fill(opened, view, *waiting)
    opened.bridge.connected.emit()
    await opened.idle()
    assert view.tabs.tabText(2) == "Proposals (3)"
    view.tabs.setCurrentIndex(2)
    await shown(view, "fact 2", "fact 1", "fact 0")
    view.list.setFocus()
    opened.press(KEY.Key_Return, CONTROL)
    await shown(view, "fact 1", "fact 0")
    opened.press(KEY.Key_Delete)
    await shown(view, "fact 0")
    assert view.list.current is not None
    states = {one.text: one.state for one in opened.core.memory.facts}
    assert states == {"fact 2": FactState.HOLDS, "fact 1": FactState.REFUSED, "fact 0": FactState.PROPOSED}


async def test_all_of_one_conversation_are_decided_at_once(opened, view, monkeypatch):
    """Also those that are on no page yet, and none of another one; how many is said before."""
    monkeypatch.setattr(deciding, "IDS_MAX", 2)
    ours, other = (FromMessage(message_id="m", conversation_id=name) for name in ("c1", "c2"))
    opened.core.memory.page_max = 2
    await fill(
        opened, view, *(fact(n, state=FactState.PROPOSED, origin=other if n % 3 else ours) for n in range(9))
    )
    view.tabs.setCurrentIndex(2)
    await until(lambda: view.facts.rowCount() == 2, view.facts.modelReset)
    view.wanted.emit(Deed.ACCEPT_ALL, opened.core.memory.facts[0])
    await opened.idle()
    assert "3 proposal" in box(opened).text()
    QTest.keyClick(box(opened), KEY.Key_Return)
    hearing = heard(opened.bridge, memory.FactLearned)
    await until(lambda: sum(f.state is FactState.HOLDS for f in opened.core.memory.facts) == 3, hearing)
    assert {f.id for f in opened.core.memory.facts if f.state is FactState.HOLDS} == {
        "f0000",
        "f0003",
        "f0006",
    }


async def test_words_find_and_pages_follow(opened, view):
    """The end of the list asks for more; words search in the list that is shown; letters in it are the field's."""
    opened.core.memory.page_max = 40
    await fill(opened, view, *(fact(n, "blue" if n == 7 else "") for n in range(60)))
    assert view.facts.rowCount() == 40
    view.list.setFocus()
    opened.press(KEY.Key_End)
    await until(lambda: view.facts.rowCount() == 60, view.facts.rowsInserted)
    opened.type("blue")
    assert opened.focused is view.field
    await shown(view, "blue")
    opened.type("s")
    await until(lambda: "Nothing here has “blues”" in view.empty.text, view.facts.modelReset)


async def test_what_is_told_meanwhile_is_shown(opened, view):
    """Another window's words: a fact that is learned, ended, corrected or forgotten there."""
    await fill(opened, view, fact(1), fact(2))
    for command in (
        memory.Remember(fact_id="new", text="said elsewhere"),
        memory.CloseFact(fact_id="f0001"),
        memory.ForgetFact(fact_id="f0002"),
        memory.CorrectFact(fact_id="newer", former_id="new", text="said better"),
    ):
        await opened.core.say(command)
    await shown(view, "said better")
    assert not view.receipts.text


async def test_a_memory_that_cannot_be_read_says_so(opened, view):
    """And is read by itself when the core is there again."""
    opened.core.memory.away = True
    await fill(opened, view, fact(1))
    assert "cannot be read now" in view.empty.text
    opened.core.memory.away = False
    opened.bridge.connected.emit()
    await shown(view, "fact 1")


async def test_every_word_of_the_page_is_russian_after_a_switch(opened, view, qapp):
    """Empty or full, with its small windows."""
    translator = Translator(qapp, bundled("i18n"), lambda: QLocale("en_GB"))
    translator.choose("ru")
    qapp.sendPostedEvents()
    opened.pages.retranslate()
    try:
        assert "Пока ничего не запомнено" in view.empty.text
        await fill(opened, view, fact(1, valid_to=LATE))
        assert [view.tabs.tabText(tab) for tab in range(3)] == ["Сейчас", "Раньше", "Предложения"]
        row = view.list.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
        assert "Вы записали это здесь" in row
        view.wanted.emit(Deed.FORGET, view.facts.fact(0))
        assert "Забыть" in box(opened).text()
        box(opened).reject()
    finally:
        translator.choose("en")
