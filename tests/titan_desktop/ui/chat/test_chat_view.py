import random
from itertools import pairwise

import pytest
from PySide6.QtCore import QLocale, QPoint, Qt, QTranslator, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QPalette, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from tests.titan_desktop.ui.chat.samples import CONVERSATION, answer, delta, exchange, hit, question
from titan_desktop.contracts.chat import AnswerKind, Fault, State
from titan_desktop.ui.base.tooltip import tip
from titan_desktop.ui.chat.chat_view import ChatView
from titan_desktop.ui.chat.links import shown_address
from titan_desktop.ui.chat.message_widget import MessageWidget
from titan_desktop.ui.chat.sentences import SETTINGS_URL, fault_sentence


@pytest.fixture
def view(qtbot) -> ChatView:
    view = ChatView()
    qtbot.addWidget(view)
    view.resize(860, 720)
    view.show()
    view.model.set_conversation(CONVERSATION, [], more=False)
    return view


def widget(view: ChatView, message_id: str) -> MessageWidget:
    row = view.model.row_of(message_id)
    assert row is not None
    found = view.messages.widget_of(row)
    assert found is not None
    return found


def tops(view: ChatView) -> dict[str, int]:
    """Where the messages in view stand."""
    rows = range(view.model.rowCount())
    shown = {view.model.message(row).id: view.messages.widget_of(row) for row in rows}
    return {id_: w.y() for id_, w in shown.items() if w and w.y() + w.height() > 0}


def bottom_gap(view: ChatView) -> int:
    last = view.messages.widget_of(view.model.rowCount() - 1)
    assert last is not None
    return view.messages.viewport().height() - last.geometry().bottom() - 1


def show_answer(view: ChatView, **fields) -> MessageWidget:
    view.model.set_conversation(CONVERSATION, [question(1), answer(1, **fields)], more=False)
    return widget(view, "a1")


# The list


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_shorter_conversation_may_follow(view: ChatView, count: int):
    """After a conversation longer than the view an empty or short one is shown from its own beginning."""
    view.model.set_conversation(CONVERSATION, exchange(60), more=False)
    view.model.set_conversation("c2", exchange(60)[:count], more=False)
    assert view.messages.verticalScrollBar().maximum() == 0
    assert len(tops(view)) == count


@pytest.mark.parametrize("seed", range(20))
def test_the_end_is_the_end(view: ChatView, seed: int):
    """Whatever the true heights are, the newest message's lower edge is in view, at every width."""
    chance = random.Random(seed)
    messages = exchange(150)
    chance.shuffle(messages)
    view.resize(chance.randint(320, 1400), chance.randint(300, 1000))
    view.model.set_conversation(CONVERSATION, messages, more=False)
    assert bottom_gap(view) == 12
    bar = view.messages.verticalScrollBar()
    bar.setValue(chance.randint(0, bar.maximum()))
    bar.setValue(bar.maximum())
    assert bottom_gap(view) == 12


def test_the_beginning_is_the_beginning(view: ChatView):
    """Home and wheel both come to the first message's upper edge."""
    view.model.set_conversation(CONVERSATION, exchange(60), more=False)
    QTest.keyClick(view.messages, Qt.Key.Key_Home)
    assert tops(view)["q0"] == 20
    view.messages.scroll_to_end()
    bar = view.messages.verticalScrollBar()
    for _ in range(2000):
        bar.setValue(bar.value() - 60)
        if bar.value() == 0:
            break
    assert tops(view)["q0"] == 20


def test_rows_in_view_touch_and_do_not_overlap(view: ChatView):
    """Each message stands right below the one before it, after any scrolling."""
    view.model.set_conversation(CONVERSATION, exchange(100), more=False)
    bar, chance = view.messages.verticalScrollBar(), random.Random(1)
    for _ in range(60):
        bar.setValue(chance.choice((bar.value() - 60, bar.value() + 200, chance.randint(0, bar.maximum()))))
        rows = [r for r in range(view.model.rowCount()) if view.messages.widget_of(r)]
        shown = [view.messages.widget_of(row) for row in rows]
        assert rows == list(range(rows[0], rows[-1] + 1))
        for above, below in pairwise(shown):
            assert below.y() == above.y() + above.height()
        assert shown[0].y() <= 20
        assert shown[-1].geometry().bottom() >= view.messages.viewport().height() - 13


def test_scrolling_up_into_unknown_heights_moves_by_the_wheels_step(view: ChatView):
    """What is seen moves by exactly what the wheel says, though the rows above are measured only now."""
    view.model.set_conversation(CONVERSATION, exchange(100), more=False)
    bar = view.messages.verticalScrollBar()
    for _ in range(50):
        before = tops(view)
        bar.setValue(bar.value() - 60)
        after = tops(view)
        moved = {after[id_] - before[id_] for id_ in before.keys() & after.keys()}
        assert moved == {60}


def test_an_older_page_moves_nothing(qtbot, view: ChatView):
    """The list asks near the top, once; the page comes in above what is read."""
    messages = exchange(100)
    with qtbot.waitSignal(view.older_requested):
        view.model.set_conversation(CONVERSATION, messages[150:], more=True)
        view.messages.verticalScrollBar().setValue(0)
    before = tops(view)
    with qtbot.assertNotEmitted(view.older_requested):
        view.messages.verticalScrollBar().setValue(10)
        view.messages.verticalScrollBar().setValue(0)
    view.model.prepend(messages[50:150], more=True)
    assert {id_: y for id_, y in tops(view).items() if id_ in before} == before


def test_while_at_the_end_the_answer_is_followed(view: ChatView):
    """Its newest line stays in view as it grows."""
    view.model.set_conversation(CONVERSATION, exchange(20), more=False)
    view.model.put(question(50))
    view.model.put(answer(50, state=State.WAITING))
    offset = 0
    for number in range(60):
        piece = f"слово {number} " * 5
        assert view.model.append_delta(delta(50, offset, piece))
        offset += len(piece)
        assert bottom_gap(view) == 12
    assert view.messages.jump.isHidden()


def test_while_reading_above_nothing_moves(qtbot, view: ChatView):
    """The answer grows out of view; a button leads to it."""
    view.model.set_conversation(CONVERSATION, exchange(20), more=False)
    view.model.put(question(50))
    view.model.put(answer(50, state=State.WAITING))
    view.messages.verticalScrollBar().setValue(view.messages.verticalScrollBar().value() - 500)
    before = tops(view)
    for number in range(40):
        view.model.append_delta(delta(50, number * 12, "слово слово\n"))
    view.model.put(answer(50, "слово слово\n" * 50))
    assert tops(view) == before
    QTest.mouseClick(view.messages.jump, Qt.MouseButton.LeftButton)
    assert bottom_gap(view) == 12
    assert view.messages.jump.isHidden()


def test_the_way_to_the_end_is_offered_when_it_is_out_of_sight(view: ChatView):
    """A few lines above the end no button covers the text; half a page above it there is one."""
    view.model.set_conversation(CONVERSATION, exchange(20), more=False)
    bar, page = view.messages.verticalScrollBar(), view.messages.viewport().height()
    bar.setValue(bar.maximum() - page // 4)
    assert view.messages.jump.isHidden()
    bar.setValue(bar.maximum() - page)
    assert not view.messages.jump.isHidden()


def test_asking_goes_to_the_end(view: ChatView):
    """The person's own question is shown wherever they were reading."""
    view.model.set_conversation(CONVERSATION, exchange(30), more=False)
    view.messages.verticalScrollBar().setValue(100)
    view.model.add_pending(question(70))
    assert bottom_gap(view) == 12


def test_few_widgets_serve_many_messages(view: ChatView):
    """Scrolling through everything does not make a widget for each."""
    view.model.set_conversation(CONVERSATION, exchange(300), more=False)
    bar = view.messages.verticalScrollBar()
    while bar.value():
        bar.setValue(bar.value() - 500)
    assert len(view.messages.viewport().findChildren(MessageWidget)) < 80


def test_resizing_keeps_the_place(view: ChatView):
    """The message that stands at the top stays there."""
    view.model.set_conversation(CONVERSATION, exchange(60), more=False)
    view.messages.verticalScrollBar().setValue(3000)
    first = min(tops(view), key=tops(view).get)
    for width in (500, 900, 1300, 860):
        view.resize(width, 720)
        assert first in tops(view)


# Growing


def test_tokens_are_seen_at_once_and_markdown_soon(qtbot, view: ChatView):
    """A word is in the text when it has come; what begins with a mark, within the next parse and without it."""
    body = show_answer(view, state=State.WAITING).body
    view.model.append_delta(delta(1, 0, "Депозит"))
    view.model.append_delta(delta(1, 7, " всего **45"))
    assert body.toPlainText() == "Депозит всего "
    view.model.append_delta(delta(1, 18, " 000** рублей"))
    assert "*" not in body.toPlainText()
    qtbot.waitUntil(lambda: body.toPlainText() == "Депозит всего 45 000 рублей")


def test_open_code_grows_line_by_line(view: ChatView):
    """Each line that comes is shown at once, inside the code's ground; its fence is never shown."""
    body = show_answer(view, state=State.WAITING).body
    text = "Code:\n\n```python\nx = 1"
    view.model.append_delta(delta(1, 0, text))
    widget(view, "a1")._growth._parse_and_tell()
    low = body.code_areas()[0].height()
    view.model.append_delta(delta(1, len(text), "\n\ny = 2\nz"))
    assert body.toPlainText().endswith("x = 1\n\ny = 2\nz")
    body.fit(700)
    assert body.code_areas()[0].height() > low
    assert len(body.code_areas()) == 1
    view.model.append_delta(delta(1, len(text) + 9, "\n``"))
    assert "`" not in body.toPlainText()


def test_a_growing_table_shows_no_raw_rows(view: ChatView):
    """A row is shown when it has been parsed."""
    body = show_answer(view, state=State.WAITING).body
    text = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    view.model.append_delta(delta(1, 0, text))
    widget(view, "a1")._growth._parse()
    view.model.append_delta(delta(1, len(text), "| 3 "))
    assert "|" not in body.toPlainText()


@pytest.mark.parametrize("seed", range(5))
def test_a_grown_answer_is_the_same_as_a_loaded_one(view: ChatView, seed: int):
    """However the pieces were cut and parsed, in the end the text is what a fresh rendering shows."""
    block = "Ein *Absatz*.\n\n- a\n- b\n\n```py\nx = 1\n\ny = 2\n```\n\n"
    block += "| a | b |\n|--|--|\n| 1 | 2 |\n\n> q\n\n1. z\n\n"
    text, chance, offset = block * 60, random.Random(seed), 0
    row = show_answer(view, state=State.WAITING)
    while offset < len(text):
        piece = text[offset : offset + chance.randint(1, 150)]
        assert view.model.append_delta(delta(1, offset, piece))
        offset += len(piece)
        if chance.random() < 0.2:
            row._growth._parse()
    view.model.put(answer(1, text))
    grown, codes = lines_of(row.body.document()), row.body.code_areas()
    view.model.set_conversation(CONVERSATION, [question(2), answer(2, text)], more=False)
    fresh = widget(view, "a2").body
    assert grown == lines_of(fresh.document())
    assert len(codes) == len(fresh.code_areas()) == 60


def lines_of(document: QTextDocument) -> list[tuple]:
    """The lines with their looks, but for empty ones."""
    block, lines = document.begin(), []
    while block.isValid():
        form = block.blockFormat()
        if block.text():
            in_list = block.textList() is not None
            lines.append((block.text(), in_list, form.leftMargin(), form.topMargin(), form.bottomMargin()))
        block = block.next()
    return lines


# States


@pytest.mark.parametrize("fault", Fault)
def test_a_failure_says_which_it_is_and_can_be_tried_again(qtbot, view: ChatView, fault: Fault):
    """With the endpoint's own words in small print; the question stays."""
    row = show_answer(view, state=State.FAILED, fault=fault, fault_detail="HTTP 4xx")
    assert fault_sentence(fault) in row._notice.text()
    assert row._detail.text() == "HTTP 4xx"
    with qtbot.waitSignal(view.retry_requested) as asked:
        QTest.mouseClick(row.retry, Qt.MouseButton.LeftButton)
    assert asked.args == ["q1"]


def test_every_fault_has_a_sentence_of_its_own(qapp):
    """No two faults read the same."""
    assert len({fault_sentence(fault) for fault in Fault}) == len(Fault)


def test_a_wrong_key_leads_to_the_settings(qtbot, view: ChatView):
    """The button stands below the sentence."""
    row = show_answer(view, state=State.FAILED, fault=Fault.WRONG_KEY)
    with qtbot.waitSignal(view.link_activated) as asked:
        QTest.mouseClick(row.settings, Qt.MouseButton.LeftButton)
    assert asked.args == [SETTINGS_URL]


def test_a_stopped_answer_keeps_its_text(view: ChatView):
    """It says so, and can be tried again."""
    row = show_answer(view, text="Половина", state=State.STOPPED)
    assert row.body.toPlainText() == "Половина"
    assert row._notice.text() == "Stopped"
    assert row.retry.isVisible()


def test_without_a_model_the_passages_are_the_answer(view: ChatView):
    """Each with its file and the question's words marked, and how to connect a model."""
    row = show_answer(view, kind=AnswerKind.PASSAGES, sources=(hit(), hit("B.docx")))
    passage = row.sources._rows[0]._passage
    assert passage is not None
    assert passage.isVisible()
    assert "45 000" in passage.toPlainText()
    assert "background-color" in passage.toHtml()
    assert "Ollama" in row._detail.text()


def test_passages_without_a_common_word_are_not_called_found(view: ChatView):
    """They are what is nearest, and look like passages otherwise."""
    row = show_answer(view, kind=AnswerKind.NEAREST, sources=(hit(),))
    assert row._notice.text() == "None of your files has these words. Closest in meaning:"
    assert row.sources._rows[0]._passage.isVisible()


def test_nothing_found_says_where_titan_looked(view: ChatView):
    """And how to go on."""
    view.set_folders(["Desktop", "Загрузки"])
    row = show_answer(view, kind=AnswerKind.NOTHING)
    assert "Desktop, Загрузки" in row._notice.text()
    assert "other words" in row._notice.text()


def test_where_there_is_no_file_other_words_are_no_cure(view: ChatView):
    """An empty folder is told as that, until there are files."""
    view.set_folders(["Desktop", "Загрузки"])
    view.set_empty(True)
    row = show_answer(view, kind=AnswerKind.NOTHING)
    empty = "There are no documents in Desktop, Загрузки yet. Put some there, then ask again."
    assert row._notice.text() == empty
    view.set_empty(False)
    assert "other words" in row._notice.text()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://bank.example@thief.example/a", "https://thief.example/a"),
        ("https://xn--80ak6aa92e.com/", "https://\u0430\u0440\u0440\u04cf\u0435.com/\nxn--80ak6aa92e.com"),
        ("https://a.example/%E2%80%AEfdp.exe", "https://a.example/%E2%80%AEfdp.exe"),
        ("https://a.example/договор", "https://a.example/договор"),
    ],
)
def test_a_link_shows_where_it_leads(address: str, said: str):
    """Neither a name before the @, nor letters that look Latin, nor text turned around hide the target."""
    assert shown_address(QUrl(address)) == said


def test_tags_in_a_tooltip_are_shown_not_followed():
    """A file may be named like HTML."""
    assert tip("<img src='/etc/x'>\nb") == "<p>&lt;img src=&#x27;/etc/x&#x27;&gt;<br>b</p>"


def test_a_source_opens_its_file(qtbot, view: ChatView):
    """By its path, which the tooltip shows."""
    row = show_answer(view, text="Да [1].", sources=(hit(),))
    button = row.sources._rows[0].file
    assert button.toolTip() == tip(hit().path)
    with qtbot.waitSignal(view.source_activated) as asked:
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked.args == [hit().path]


def test_a_citation_unfolds_its_passage(view: ChatView):
    """The row grows by it, and it stays unfolded when it comes back into view."""
    row = show_answer(view, text="Да [7].", sources=tuple(hit(f"{n}.pdf") for n in range(8)))
    before = row.height()
    row.body.source_clicked.emit(7)
    assert row.height() > before
    assert row.sources._rows[6]._passage.isVisible()


def test_a_link_is_said_and_not_opened(qtbot, view: ChatView):
    """A click on a web address emits it; nothing is loaded."""
    row = show_answer(view, text="[there](https://example.org/a?b=1)")
    with qtbot.waitSignal(view.link_activated) as asked:
        QTest.mouseClick(row.body.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert asked.args == ["https://example.org/a?b=1"]
    assert row.body.loadResource(2, "file:///etc/passwd") is None


# Copying


def test_code_is_copied_exactly(view: ChatView):
    """Without its label or colours."""
    row = show_answer(view, text="See:\n\n```python\nprint('<1>')\n\nx = 2\n```\n\nDone.")
    QTest.mouseClick(row.body._copy_buttons[0], Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "print('<1>')\n\nx = 2"


def test_an_answer_is_copied_as_text_or_markdown(view: ChatView):
    """The button copies what is seen, the menu also what was written."""
    row = show_answer(view, text="**Да**")
    QTest.mouseClick(row.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "Да"
    view.messages.message_menu(row, row.body).actions()[-1].trigger()
    assert QGuiApplication.clipboard().text() == "**Да**"


def drag(view: ChatView, start: MessageWidget, end: QPoint) -> None:
    """Press at the start of a text, move to a point of the view."""
    QTest.mousePress(start.body.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(0, 6))
    here = start.body.viewport().mapFromGlobal(view.messages.viewport().mapToGlobal(end))
    QTest.mouseMove(start.body.viewport(), here)
    QTest.mouseRelease(start.body.viewport(), Qt.MouseButton.LeftButton)


def test_a_drag_selects_across_messages(view: ChatView):
    """Ctrl+C copies the parts in reading order, as plain text."""
    messages = [question(1, "first"), answer(1, "**second**"), question(2, "third")]
    view.model.set_conversation(CONVERSATION, messages, more=False)
    last = widget(view, "q2")
    drag(view, widget(view, "q1"), last.geometry().bottomRight())
    QTest.keyClick(view.messages, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "first\n\nsecond\n\nthird"


def test_select_all_is_everything_loaded(view: ChatView):
    """Also what is out of view, whichever text has the focus; a click takes the selection away."""
    view.model.set_conversation(CONVERSATION, exchange(50), more=False)
    row = widget(view, "a49")
    QTest.keyClick(row.body, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(row.body, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    text = QGuiApplication.clipboard().text()
    assert text.startswith("Вопрос 0")
    assert all(f"Ответ {number}." in text for number in range(50))
    QTest.mouseClick(row.body.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert view.messages._selection.text() == ""


# Around


def test_send_and_stop_travel_through_the_view(qtbot, view: ChatView):
    """The stop names the question whose answer is being written."""
    view.focus_composer()
    with qtbot.waitSignal(view.prompt_submitted) as sent:
        QTest.keyClicks(view.composer.edit, "Hello?")
        QTest.keyClick(view.composer.edit, Qt.Key.Key_Return)
    assert sent.args == ["Hello?"]
    view.set_busy("q9")
    with qtbot.waitSignal(view.stop_requested) as stopped:
        QTest.mouseClick(view.composer.button, Qt.MouseButton.LeftButton)
    assert stopped.args == ["q9"]
    view.set_busy(None)
    with qtbot.assertNotEmitted(view.stop_requested):
        QTest.keyClick(view.composer.edit, Qt.Key.Key_Escape)


def test_up_recalls_the_last_question(view: ChatView):
    """It can be mended and sent again."""
    view.model.set_conversation(
        CONVERSATION, [question(1, "first"), answer(1, "a"), question(2, "second")], more=False
    )
    QTest.keyClick(view.composer.edit, Qt.Key.Key_Up)
    assert view.draft() == "second"


def test_who_types_among_the_messages_means_the_composer(view: ChatView):
    """After a click on a text or a button of an answer, letters and a paste go on with the question."""
    row = show_answer(view)
    view.window().activateWindow()
    QTest.mouseClick(row.body.viewport(), Qt.MouseButton.LeftButton)
    focused = QApplication.focusWidget()
    assert focused is not view.composer.edit
    QTest.keyClicks(focused, "Q")
    QGuiApplication.clipboard().setText("uestion")
    assert QApplication.focusWidget() is view.composer.edit
    view.messages.setFocus()
    QTest.keyClick(view.messages, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert view.draft() == "Question"
    view.messages.setFocus()
    QTest.keyClick(view.messages, Qt.Key.Key_A, Qt.KeyboardModifier.AltModifier)
    assert view.draft() == "Question"


def test_page_keys_scroll_while_writing(view: ChatView):
    """The cursor stays in the composer."""
    view.model.set_conversation(CONVERSATION, exchange(30), more=False)
    value = view.messages.verticalScrollBar().value()
    QTest.keyClick(view.composer.edit, Qt.Key.Key_PageUp)
    assert view.messages.verticalScrollBar().value() < value


def test_the_start_page_stands_while_there_is_no_message(view: ChatView):
    """The first question takes its place."""
    page = QLabel("Welcome")
    view.set_start_page(page)
    assert page.isVisible()
    view.model.add_pending(question(1))
    assert not page.isVisible()
    assert view.messages.isVisible()


def test_a_notice_is_shown_and_taken_away(view: ChatView):
    """Above the composer."""
    view.set_notice("Reconnecting…", "warning")
    assert view._notice.isVisible()
    view.set_notice("", "info")
    assert not view._notice.isVisible()


class Foreign(QTranslator):
    """A language that is easy to tell: every sentence begins with a mark."""

    def translate(self, context, text, disambiguation=None, n=-1):
        return f"»{text}"

    def isEmpty(self):  # noqa: N802  # Qt's name
        return False


def test_another_language_is_spoken_at_once(view: ChatView, qapp):
    """Sentences, buttons and names change without a restart."""
    show_answer(view, state=State.FAILED, fault=Fault.WRONG_KEY)
    translator, spoken = Foreign(), QLocale()
    QLocale.setDefault(QLocale("ru"))
    qapp.installTranslator(translator)
    try:
        QApplication.processEvents()
        row = widget(view, "a1")
        assert row.retry.text() == "»Try again"
        assert row._notice.text().startswith("Ключ не принят.")
        assert view.composer.edit.placeholderText().startswith("»")
        assert view.messages.jump.toolTip().startswith("»")
        assert view.composer.button.toolTip().startswith("»")
    finally:
        QLocale.setDefault(spoken)
        qapp.removeTranslator(translator)
        QApplication.processEvents()
    assert widget(view, "a1").retry.text() == "Try again"


@pytest.fixture
def undressed(qapp):
    """No style sheet of another test's window: under one, a widget's palette does not reach its children."""
    sheet = qapp.styleSheet()
    qapp.setStyleSheet("")
    yield
    qapp.setStyleSheet(sheet)


@pytest.mark.usefixtures("undressed")
def test_dark_and_light_switch_while_running(view: ChatView, qapp):
    """The colours follow the palette without a new start."""
    light, dark = QPalette(qapp.palette()), QPalette(qapp.palette())
    for palette, page, text in ((light, "#ffffff", "#101010"), (dark, "#101010", "#f0f0f0")):
        palette.setColor(QPalette.ColorRole.Base, QColor(page))
        palette.setColor(QPalette.ColorRole.Text, QColor(text))
    view.setPalette(light)
    row = show_answer(view, text="```py\nx = 1\n```")
    assert not row._colours.dark
    view.setPalette(dark)
    now = widget(view, "a1")
    assert now._colours.dark
    assert now._colours.code in now.body.document().defaultStyleSheet()
