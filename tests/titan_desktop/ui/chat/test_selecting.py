"""One selection in the whole conversation, whichever text it was made in, and what is copied is what is seen."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from tests.titan_desktop.ui.chat.samples import CONVERSATION, answer, exchange, hit, question
from titan_desktop.contracts.chat import AnswerKind, Fault, State
from titan_desktop.ui.chat.chat_view import ChatView
from titan_desktop.ui.chat.message_widget import MessageWidget
from titan_desktop.ui.chat.rich_text import RichText
from titan_desktop.ui.chat.selection import Place

CONTROL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def view(qtbot) -> ChatView:
    view = ChatView()
    qtbot.addWidget(view)
    view.resize(860, 720)
    view.show()
    view.activateWindow()
    QTest.qWaitForWindowActive(view)
    return view


def show(view: ChatView, *messages) -> list[MessageWidget]:
    view.model.set_conversation(CONVERSATION, messages, more=False)
    shown = [view.messages.widget_of(row) for row in range(len(messages))]
    assert None not in shown
    return shown


def drag(start: QWidget, end: QWidget, x: int = 2, to: QPoint | None = None) -> None:
    """Press in one text, move, and let go in another, by default behind its end."""
    target = end.mapToGlobal(to or QPoint(end.width() - 1, end.height() - 3))
    QTest.mousePress(start, LEFT, pos=QPoint(x, 6))
    QTest.mouseMove(start, start.mapFromGlobal(target))
    QTest.mouseRelease(start, LEFT, pos=start.mapFromGlobal(target))


def copied() -> str:
    """What Ctrl+C copies, pressed where the focus is."""
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("nothing")
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, Qt.Key.Key_C, CONTROL)
    return clipboard.text()


def passage(row: MessageWidget, number: int) -> RichText:
    return row.parts()[number]


def test_a_newer_selection_takes_the_place_of_an_older_one(view: ChatView):
    """In an answer, a passage or a sentence about it: what was selected last is copied and marked, only it."""
    first, second = show(
        view,
        answer(1, "The answer", sources=(hit(passage="The passage"),)),
        answer(2, state=State.FAILED, fault=Fault.WRONG_KEY, fault_detail="HTTP 401"),
    )
    first.sources.unfold(1)
    texts = [(first.body, "The answer"), (passage(first, 1), "The passage")]
    for text, said in (*texts, *reversed(texts)):
        drag(text.viewport(), text.viewport())
        assert copied() == said
        assert [one.selected_text() for one, _ in texts if one is not text] == [""]
        drag(second._detail, second._detail)
        assert copied() == "HTTP 401"
        assert not any(one.selected_text() for one, _ in texts)
    QTest.mouseDClick(first.body.viewport(), LEFT, pos=QPoint(8, 6))
    assert copied() == "The"
    assert not second._detail.hasSelectedText()


def test_a_drag_runs_over_passages(view: ChatView):
    """Answers that are passages are selected with their passages, in reading order, up and down."""
    hits = (hit("a.pdf", "First."), hit("b.pdf", "Second."))
    asked, found, thanks = show(
        view, question(1, "What?"), answer(1, kind=AnswerKind.PASSAGES, sources=hits), question(2, "Thanks")
    )
    drag(asked.body.viewport(), thanks.body.viewport())
    assert copied() == "What?\n\nFirst.\n\nSecond.\n\nThanks"
    drag(thanks.body.viewport(), passage(found, 2).viewport(), 200, QPoint(0, 6))
    assert copied() == "Second.\n\nThanks"
    QTest.keyClick(view.messages, Qt.Key.Key_A, CONTROL)
    assert copied() == "What?\n\nFirst.\n\nSecond.\n\nThanks"


def test_a_selection_out_of_view_is_copied_as_it_was_made(view: ChatView):
    """The piece of a text, though its widget shows another message by now; coming back it is marked again."""
    messages = [question(99, "a *question* 😀 here"), answer(99, "An **answer** here."), *exchange(60)]
    view.model.set_conversation(CONVERSATION, messages, more=False)
    bar = view.messages.verticalScrollBar()
    bar.setValue(0)
    first, second = view.messages.widget_of(0), view.messages.widget_of(1)
    assert first is not None
    assert second is not None
    view.messages._selection._selection.begin(_place(first, 2))
    view.messages._selection._selection.extend(_place(second, 9))
    for value in range(0, bar.maximum(), 500):
        bar.setValue(value)
    assert view.messages.widget_of(0) is None
    assert view.messages._selection.text() == "*question* 😀 here\n\nAn answer"
    bar.setValue(0)
    shown = view.messages.widget_of(1)
    assert shown is not None
    assert shown.body.selected_text() == "An answer"


def _place(row: MessageWidget, position: int) -> Place:
    assert row.message is not None
    return Place(row.message.id, 0, position)


def test_a_passage_has_a_menu(view: ChatView):
    """It copies the passage, or what is selected, as the menu of an answer does; so has a sentence about it."""
    (row,) = show(view, answer(1, "Yes [1].", State.STOPPED, sources=(hit(passage="The passage"),)))
    row.sources.unfold(1)
    for text, said in ((passage(row, 1).viewport(), "The passage"), (row._notice, "Stopped")):
        place = text.mapToGlobal(QPoint(4, 4))
        QApplication.sendEvent(text, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(4, 4), place))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        assert [action.text() for action in menu.actions()] == ["Copy"]
        menu.actions()[0].trigger()
        menu.close()
        assert QGuiApplication.clipboard().text() == said
