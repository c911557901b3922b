"""The search page, as a person at the keyboard meets it."""

import asyncio

from msgspec.structs import replace
from PySide6.QtCore import QLocale, Qt

from tests.titan_desktop.ui.paged_window import PagedWindow
from tests.titan_desktop.ui.window_core import answer, listed, question, until
from titan_bus import RequestRefused
from titan_desktop.contracts import files, indexing, search, system
from titan_desktop.contracts.chat import State
from titan_desktop.contracts.sources import Cells, FilePassage, Member, MessageSource, Pages, Place
from titan_desktop.system.paths import bundled
from titan_desktop.ui.base.translator import Translator
from titan_desktop.ui.search.search_view import SearchView

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier


def passage(
    name: str, text: str = "The deposit is 45 000 roubles.", place: Place | None = None
) -> FilePassage:
    return FilePassage(
        path=f"/home/anna/Downloads/{name}", title=name, score=1.0, passage=text, place=place,
        kind=name.rpartition(".")[2], modified_ns=1_772_000_000_000_000_000,
    )  # fmt: skip


LEASE = passage("lease.pdf", place=Pages(first=3, last=4))
SHEET = passage("costs.xlsx", "deposit\t45 000", Cells(sheet="2026", first="B3", last="C9"))


def finds(opened: PagedWindow, query: str, *hits: FilePassage, **more: object) -> None:
    """Let the core find these files, all of which are there."""
    opened.core.found[query] = search.SearchResult(hits=hits, **more)  # type: ignore[arg-type]
    for hit in hits:
        opened.core.located[hit.path] = files.Located(path=hit.path, allowed=True, exists=True)


async def shown(view: SearchView, *titles: str) -> None:
    """Wait until these are the results."""
    model = view.results
    await until(
        lambda: [model.index(row).data() for row in range(1, model.rowCount())] == list(titles),
        model.modelReset,
    )


async def next_asked(opened: PagedWindow) -> tuple[object, ...]:
    return await asyncio.wait_for(opened.asked.get(), 30)


async def test_words_then_enter_open_the_best_file_at_its_place(opened, view):
    """No key more is needed; Down chooses another, and what its program cannot be told is shown with the place."""
    finds(opened, "deposit", LEASE, SHEET)
    opened.type("deposit")
    await shown(view, "lease.pdf", "costs.xlsx")
    opened.press(KEY.Key_Return)
    assert await next_asked(opened) == ("placed", LEASE.path, LEASE.place)
    opened.tells_places = False
    opened.press(KEY.Key_Down)
    assert opened.focused is view.list
    opened.press(KEY.Key_Down)
    opened.press(KEY.Key_Return)
    await until(view.passage.isVisible, view._pages.currentChanged)
    assert "45 000" in view.passage.text.toPlainText()
    assert "B3:C9" in view.passage._hint.text()
    opened.press(KEY.Key_Return)
    assert await next_asked(opened) == ("opened", SHEET.path)
    opened.press(KEY.Key_Escape)
    assert opened.focused is view.list
    opened.press(KEY.Key_Return, CONTROL)
    assert await next_asked(opened) == ("folder", SHEET.path)


async def test_what_is_in_an_archive_is_shown_with_its_place(opened, view):
    """No program opens an archive at a file in it."""
    member = Member(path="2024/letter.docx", place=Pages(first=2, last=2))
    finds(opened, "deposit", passage("post.zip", place=member))
    opened.type("deposit")
    await shown(view, "post.zip")
    opened.tells_places = False
    opened.press(KEY.Key_Return)
    await until(view.passage.isVisible, view._pages.currentChanged)
    assert view.passage._title.text() == "post.zip › 2024/letter.docx, p. 2"


async def test_enter_opens_what_was_typed_last(opened, view):
    """Whoever types on and presses Enter before the answer is there gets the first file of that answer."""
    finds(opened, "rent", SHEET)
    finds(opened, "rent deposit", LEASE)
    opened.type("rent")
    await shown(view, "costs.xlsx")
    opened.core.hold_search.clear()
    opened.type(" deposit")
    opened.press(KEY.Key_Return)
    opened.core.hold_search.set()
    assert await next_asked(opened) == ("placed", LEASE.path, LEASE.place)
    assert opened.asked.empty()


async def test_the_keyboard_goes_between_field_list_and_conversation(opened, view):
    """Up from the first result and any letter lead back to the field; Esc leads to the composer, and the page is
    found as it was left.
    """
    finds(opened, "deposit", LEASE)
    opened.type("deposit")
    await shown(view, "lease.pdf")
    opened.press(KEY.Key_Down)
    opened.press(KEY.Key_Up)
    assert opened.focused is view.field
    opened.press(KEY.Key_Down)
    finds(opened, "deposits", SHEET)
    opened.type("s")
    assert (opened.focused, view.field.text()) == (view.field, "deposits")
    await shown(view, "costs.xlsx")
    opened.press(KEY.Key_Escape)
    assert opened.window.chat.isAncestorOf(opened.focused)
    opened.window.search_action.trigger()
    assert (view.isVisible(), view.field.selectedText()) == (True, "deposits")


async def test_a_file_that_is_gone_is_told_on_the_page(opened, view):
    """Its result stays, a line says what is wrong, and typing takes the line away."""
    finds(opened, "deposit", LEASE)
    opened.core.located[LEASE.path] = files.Located(path=LEASE.path, allowed=True, exists=False)
    opened.type("deposit")
    await shown(view, "lease.pdf")
    opened.press(KEY.Key_Return)
    await opened.idle()
    assert "no longer there" in view.complaint
    opened.type("s")
    assert not view.complaint


async def test_how_a_question_was_understood_is_said(opened, view):
    """What was read out of the words, to be taken away by a click; what was searched instead."""
    read = search.ReadFilters(filters=search.Filters(kinds=("pdf",)), words=("PDF",))
    finds(opened, "lease PDF 2024", LEASE, read=read)
    opened.type("lease PDF 2024")
    await shown(view, "lease.pdf")
    assert view.chips.words == ("PDF",)
    finds(opened, "lease 2024", LEASE, SHEET)
    opened.click(view.chips._chips["PDF"])
    await shown(view, "lease.pdf", "costs.xlsx")
    assert (view.field.text(), view.chips.words) == ("lease 2024", ())
    assert opened.focused is view.field
    finds(opened, "ljujdjh", LEASE, instead=search.Instead(written="ljujdjh", shown="«договор»"))
    view.field.clear()
    opened.type("ljujdjh")
    await until(lambda: "договор" in view.note, view.results.modelReset)
    finds(opened, "roof", LEASE, nearest_only=True)
    view.field.clear()
    opened.type("roof")
    await until(lambda: "Closest in meaning" in view.note, view.results.modelReset)


async def test_nothing_found_says_what_helps(opened, view):
    """Also that files are still being read, which may have it."""
    opened.reading = "12 files are still to be read."
    assert "still to be read" not in view.empty.text
    opened.type("zzz")
    await until(lambda: "zzz" in view.empty.text, view.results.modelReset)
    assert view.empty.isVisible()
    assert "Try other words" in view.empty.text
    assert "12 files" in view.empty.text
    assert opened.focused is view.field


async def test_what_is_read_meanwhile_is_found_by_itself(opened, view):
    """A search that came too early is made again when another file was read."""
    opened.type("deposit")
    await until(lambda: "Nothing was found" in view.empty.text, view.results.modelReset)
    finds(opened, "deposit", LEASE)
    await opened.core.say(indexing.FileIndexed(path=LEASE.path, outcome=indexing.Outcome.INDEXED))
    await shown(view, "lease.pdf")


async def test_a_search_that_failed_is_made_again_when_the_store_is_back(opened, view):
    """Nobody has to type it again."""
    opened.core.found["deposit"] = RequestRefused("index_unavailable", "gone")
    opened.type("deposit")
    await until(lambda: "cannot be used" in view.empty.text, view.results.modelReset)
    finds(opened, "deposit", LEASE)
    well = system.StoreStatus(name="postgres", place="embedded", ok=True, product="PostgreSQL", version="18")
    await opened.core.say(system.StoreChanged(store=well))
    await shown(view, "lease.pdf")


async def test_a_message_is_gone_to(opened, view):
    """What was said is found beside files; Enter shows its conversation there, with the keyboard on it."""
    opened.core.conversations = [listed("c1")]
    opened.core.messages = [
        m for n in range(30) for m in (question(n), answer(n, f"text {n}", State.COMPLETE))
    ]
    said = MessageSource(
        message_id="a3", conversation_id="c1", title="one", passage="text 3", role="assistant",
        said_at="2026-03-01T10:00:00Z",
    )  # fmt: skip
    opened.core.said["text 3"] = (said,)
    opened.type("text 3")
    await shown(view, "one")
    assert view.results.index(0, 0).data() == "Messages"
    opened.press(KEY.Key_Return)
    model = opened.window.chat.model
    await until(lambda: model.row_of("a3") is not None, model.modelReset, model.rowsInserted)
    await opened.idle()
    messages = opened.window.chat.messages
    row = opened.window.chat.model.row_of("a3")
    assert row is not None
    assert messages.isAncestorOf(opened.focused)
    assert messages._live[row].isAncestorOf(opened.focused)


async def test_every_word_of_the_page_is_russian_after_a_switch(opened, view, qapp):
    """Results stay where they are, and an open passage stays open."""
    opened.tells_places = False
    finds(opened, "deposit", replace(LEASE, modified_ns=0))
    opened.type("deposit")
    await shown(view, "lease.pdf")
    opened.press(KEY.Key_Return)
    await until(view.passage.isVisible, view._pages.currentChanged)
    translator = Translator(qapp, bundled("i18n"), lambda: QLocale("en_GB"))
    translator.choose("ru")
    qapp.sendPostedEvents()
    opened.pages.retranslate()
    try:
        assert view.passage.isVisible()
        assert "стр. 3" in view.passage._title.text()
        assert view.passage.open_button.text() == "Открыть файл"
        assert view.head._title.text() == "Поиск"
        assert view.results.index(0).data() == "Файлы"
    finally:
        translator.choose("en")
