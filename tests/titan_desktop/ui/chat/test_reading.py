"""What a reader meets: passages from the best one down, who wrote an answer and when, an honest scroll bar."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tests.titan_desktop.ui.chat.samples import CONVERSATION, answer, exchange, question
from titan_desktop.contracts.chat import AnswerKind, State
from titan_desktop.contracts.sources import FilePassage
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat.chat_view import ChatView

HITS = tuple(
    FilePassage(
        path=f"/d/{n}.pdf", title=f"{n}.pdf", score=1, passage="Залог 45 000 рублей.\n" * 9, kind="pdf"
    )
    for n in range(5)
)


@pytest.fixture
def view(qtbot) -> ChatView:
    made = ChatView()
    qtbot.addWidget(made)
    made.resize(800, 500)
    made.show()
    return made


def test_passages_are_read_from_the_question_down(view):
    """When the awaited passages do not fit, the question stands at the top and the best passage below it."""
    view.model.set_conversation(CONVERSATION, [question(0), answer(0), question(1)], more=False)
    view.model.put(answer(1, state=State.WAITING))
    view.model.put(answer(1, kind=AnswerKind.PASSAGES, sources=HITS))
    asked = view.messages.widget_of(2)
    assert asked is not None
    assert asked.y() == 20
    assert not view.messages.is_at_end


def test_short_passages_move_nothing(view):
    """When all fits, the conversation stays at its end."""
    view.model.set_conversation(CONVERSATION, [question(1)], more=False)
    view.model.put(answer(1, state=State.WAITING))
    view.model.put(answer(1, kind=AnswerKind.PASSAGES, sources=HITS[:1]))
    assert view.messages.is_at_end


def test_a_scroll_bar_with_nothing_to_scroll_has_no_handle(view):
    """It keeps its place, so that nothing jumps when there is."""
    view.model.set_conversation(CONVERSATION, [question(1)], more=False)
    bar = view.messages.verticalScrollBar()
    assert not bar.isEnabled()
    width = view.messages.viewport().width()
    view.model.set_conversation(CONVERSATION, [question(n) for n in range(40)], more=False)
    assert bar.isEnabled()
    assert view.messages.viewport().width() == width


def test_an_answer_says_who_wrote_it_and_when(view):
    """The model always, the time while the pointer is over it; an answer without a model names none."""
    view.model.set_conversation(CONVERSATION, [question(1), answer(1, "Да.", model="gpt-4.1-mini")], False)
    row = view.messages.widget_of(1)
    assert row is not None
    assert row._origin.text() == "gpt-4.1-mini"
    row.underMouse = lambda: True
    QApplication.sendEvent(row, QEnterEvent(QPointF(), QPointF(), QPointF()))
    assert row._origin.text().startswith("gpt-4.1-mini · ")
    assert "26" in row._origin.text()
    row.underMouse = lambda: False
    QApplication.sendEvent(row, QEvent(QEvent.Type.Leave))
    assert row._origin.text() == "gpt-4.1-mini"
    view.model.set_conversation(CONVERSATION, [question(1), answer(1, kind=AnswerKind.NOTHING)], False)
    row = view.messages.widget_of(1)
    assert row is not None
    assert row._origin.text() == ""


def top_of(view: ChatView, part: QWidget) -> int:
    return part.mapTo(view, QPoint()).y()


@pytest.mark.parametrize("scrolled", [0, 120])
def test_what_is_unfolded_or_folded_stays_under_the_pointer(view: ChatView, scrolled: int):
    """A passage at the conversation's end opens downwards from its row, and closes again, where it was clicked."""
    messages = [*exchange(9), question(50), answer(50, "Да [1].", sources=HITS)]
    view.model.set_conversation(CONVERSATION, messages, more=False)
    view.messages.verticalScrollBar().setValue(view.messages.verticalScrollBar().value() - scrolled)
    row = view.messages.widget_of(19)
    assert row is not None
    arrow = row.sources._rows[3].arrow
    before = top_of(view, arrow)
    for unfolded in (True, False, True):
        QTest.mouseClick(arrow, Qt.MouseButton.LeftButton)
        assert (3 in row.unfolded.passages) is unfolded
        assert top_of(view, arrow) == before


def test_more_sources_begin_where_the_button_stood(view: ChatView):
    """They unfold downwards."""
    view.model.set_conversation(CONVERSATION, [*exchange(9), answer(50, "Да [1].", sources=HITS * 2)], False)
    row = view.messages.widget_of(18)
    assert row is not None
    before = top_of(view, row.sources._more)
    QTest.mouseClick(row.sources._more, Qt.MouseButton.LeftButton)
    assert top_of(view, row.sources._rows[5]) == before


def test_the_end_comes_back_after_folding(view: ChatView):
    """The room left below a folded passage goes by scrolling, and when the next message comes."""
    messages = [*exchange(9), answer(50, "Да [1].", sources=HITS)]
    view.model.set_conversation(CONVERSATION, messages, more=False)
    row, bar = view.messages.widget_of(18), view.messages.verticalScrollBar()
    assert row is not None
    end = row.y()
    row.sources.unfold(4)
    view.messages.scroll_to_end()
    row.sources._toggle(3)
    assert row.y() < end
    assert not view.messages.is_at_end
    bar.setValue(bar.value() - 400)
    bar.setValue(bar.maximum())
    assert row.y() == end
    row.sources._toggle(3)
    view.messages.scroll_to_end()
    row.sources._toggle(3)
    view.model.add_pending(question(51))
    assert view.messages.is_at_end


def test_a_rule_is_a_quiet_line(view: ChatView):
    """Between two parts of an answer it has the colour of the lines of a table, not of the text."""
    view.model.set_conversation(CONVERSATION, [question(1), answer(1, "***")], more=False)
    body = view.messages.widget_of(1).body
    drawn = body.viewport().grab().toImage()
    seen = {drawn.pixelColor(drawn.width() // 2, y).name() for y in range(drawn.height())}
    colours = Colours.of(view.palette())
    assert colours.line in seen
    assert colours.text not in seen
