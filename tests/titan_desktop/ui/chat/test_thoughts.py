"""Thoughts above an answer: folded, fetched when they are unfolded, and no part of it; answers that go on."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from tests.titan_desktop.ui.chat.samples import CONVERSATION, answer, delta, question
from titan_desktop.contracts.chat import Fault, State
from titan_desktop.ui.chat.chat_view import ChatView
from titan_desktop.ui.chat.message_widget import MessageWidget

THOUGHTS = "The lease may say it.\n\nParagraph 4.2, <b>not</b> 4.3."


@pytest.fixture
def view(qtbot) -> ChatView:
    view = ChatView()
    qtbot.addWidget(view)
    view.resize(860, 720)
    view.show()
    return view


def shown(view: ChatView, **fields) -> MessageWidget:
    view.model.set_conversation(CONVERSATION, [question(1), answer(1, **fields)], more=False)
    found = view.messages.widget_of(1)
    assert found is not None
    return found


def unfold(qtbot, view: ChatView, row: MessageWidget) -> None:
    with qtbot.waitSignal(view.thoughts_wanted) as asked:
        QTest.mouseClick(row.thoughts.head, Qt.MouseButton.LeftButton)
    assert asked.args == ["a1"]
    view.messages.show_thoughts("a1", THOUGHTS)


def test_thoughts_are_folded_and_fetched_when_they_are_unfolded(qtbot, view: ChatView):
    """Below the line, above the answer, as they were written; what was clicked stays where it is."""
    row = shown(view, text="It is 42.", thoughts=60)
    assert (row.thoughts.isVisible(), row.thoughts.text.isVisible()) == (True, False)
    before = row.height()
    unfold(qtbot, view, row)
    assert row.thoughts.text.text() == THOUGHTS
    assert row.thoughts.geometry().bottom() < row.body.geometry().top()
    assert row.height() > before
    QTest.mouseClick(row.thoughts.head, Qt.MouseButton.LeftButton)
    assert (row.thoughts.text.isVisible(), row.height()) == (False, before)


def test_thoughts_are_fetched_once_for_each_attempt(qtbot, view: ChatView):
    """Folded and unfolded again they are there; those of a newer attempt are others."""
    row = shown(view, text="It is 42.", thoughts=60)
    unfold(qtbot, view, row)
    with qtbot.assertNotEmitted(view.thoughts_wanted):
        for _ in range(2):
            QTest.mouseClick(row.thoughts.head, Qt.MouseButton.LeftButton)
    assert row.thoughts.text.text() == THOUGHTS
    with qtbot.waitSignal(view.thoughts_wanted):
        view.model.put(answer(1, "It is 43.", attempt=2, thoughts=60))


def test_thoughts_that_do_not_come_are_folded_again(qtbot, view: ChatView):
    row = shown(view, text="It is 42.", thoughts=60)
    with qtbot.waitSignal(view.thoughts_wanted):
        QTest.mouseClick(row.thoughts.head, Qt.MouseButton.LeftButton)
    assert row.thoughts.text.text() == "…"
    view.messages.show_thoughts("a1", None)
    assert not row.thoughts.text.isVisible()
    view.messages.show_thoughts("a1", THOUGHTS)  # late
    view.messages.show_thoughts("nobody", THOUGHTS)
    assert not row.thoughts.text.isVisible()
    unfold(qtbot, view, row)


def test_thoughts_are_not_in_the_copy_of_an_answer(qtbot, view: ChatView):
    """Neither by its button nor with the whole conversation."""
    row = shown(view, text="It is 42.", thoughts=60)
    unfold(qtbot, view, row)
    QTest.mouseClick(row.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "It is 42."
    view.messages.setFocus()
    QTest.keyClick(view.messages, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(view.messages, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "It is 42." in QGuiApplication.clipboard().text()
    assert "lease" not in QGuiApplication.clipboard().text()


def test_endless_thoughts_are_shown_from_their_beginning(qtbot, view: ChatView):
    row = shown(view, text="It is 42.", thoughts=60)
    unfold(qtbot, view, row)
    view.messages.show_thoughts("a1", "слово " * 40_000)
    assert len(row.thoughts.text.text()) == 20_001


def test_a_model_that_thinks_is_said_to(view: ChatView):
    """Before the first word; then its thoughts can be unfolded, and text that was thoughts is gone."""
    row = shown(view, state=State.WAITING)
    view.model.append_delta(delta(1, 0, "", thoughts=9))
    assert (row._notice.text(), row.thoughts.isVisible()) == ("Thinking…", False)
    view.model.append_delta(delta(1, 0, "Let me see."))
    assert row.body.toPlainText() == "Let me see."
    view.model.append_delta(delta(1, 0, "", thoughts=20, restarts=True))
    assert (row._notice.text(), row.body.isVisible()) == ("Thinking…", False)
    view.model.append_delta(delta(1, 0, "It is 42."))
    assert (row.body.toPlainText(), row.thoughts.isVisible()) == ("It is 42.", True)


def test_an_answer_that_broke_off_can_go_on(qtbot, view: ChatView):
    """One without a word cannot; a cut is no alarm, and says what can be done."""
    row = shown(view, text="The deposit is", state=State.FAILED, fault=Fault.CUT_OFF, fault_detail="x")
    assert "cut off" in row._notice.text()
    assert row._box.isNull()
    with qtbot.waitSignal(view.go_on_requested) as asked:
        QTest.mouseClick(row.go_on, Qt.MouseButton.LeftButton)
    assert asked.args == ["q1"]
    row = shown(view, text="The deposit is", state=State.FAILED, fault=Fault.SERVER_ERROR, fault_detail="x")
    assert (row.go_on.isVisible(), row._detail.text(), row._box.isNull()) == (True, "x", False)
    assert not shown(view, state=State.FAILED, fault=Fault.EMPTY).go_on.isVisible()
    assert not shown(view, text="It is 42.").go_on.isVisible()


def test_an_answer_that_goes_on_keeps_its_words_in_view(view: ChatView):
    row = shown(view, text="The deposit is ", state=State.FAILED, fault=Fault.CUT_OFF, thoughts=9)
    view.model.put(answer(1, "The deposit is ", State.WAITING, attempt=2, thoughts=9))
    assert (row.body.isVisible(), row.thoughts.isVisible()) == (True, True)
    view.model.append_delta(delta(1, 15, "900 euros.", attempt=2))
    assert row.body.toPlainText() == "The deposit is 900 euros."
