"""Names, passages and answers that would turn the window's words around, or hide something in them."""

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from tests.titan_desktop.ui.chat.samples import CONVERSATION, answer, delta, hit, question
from titan_desktop.contracts.chat import AnswerKind, Fault, State
from titan_desktop.contracts.sources import Cells
from titan_desktop.ui.base.banner import Banner
from titan_desktop.ui.chat.chat_view import ChatView
from titan_desktop.ui.chat.rich_text import RichText

ODD = "\u202e\u2066\u200b\u061c\x9b"
NAME = f"invoice{ODD}fdp.exe"
TEXT = (
    f"one {ODD}two [1]\n\n```py\nx{ODD} = 1\n```\n\n- three{ODD}\n\n| a{ODD} | b |\n|--|--|\n| `c{ODD}` | d |"
)


@pytest.fixture
def view(qtbot) -> ChatView:
    view = ChatView()
    qtbot.addWidget(view)
    view.resize(860, 900)
    view.show()
    return view


def shown(window: QWidget) -> str:
    """All that is seen, or said under the pointer and to a screen reader."""
    found = []
    for widget in window.findChildren(QWidget):
        found += [widget.toolTip(), widget.accessibleName(), widget.accessibleDescription()]
        if isinstance(widget, QLabel | QAbstractButton):
            found.append(widget.text())
        if isinstance(widget, RichText):
            found.append(widget.toPlainText())
    return "\n".join(found)


def test_nothing_foreign_is_shown_as_it_came(view: ChatView):
    """Questions, answers, code, sources with their places and passages, models and servers' words."""
    source = hit(NAME, f"Deposit{ODD} 45 000", Cells(sheet=f"May{ODD}", first="A1", last="B2"))
    view.set_folders([f"Desk{ODD}"])
    seen = ""
    for message in (
        question(1, f"What{ODD}?"),
        answer(1, TEXT, sources=(source,), model=f"gpt{ODD}", kind=AnswerKind.MODEL),
        answer(2, kind=AnswerKind.PASSAGES, sources=(source,)),
        answer(3, state=State.FAILED, fault=Fault.SERVER_ERROR, fault_detail=f"HTTP{ODD}"),
        answer(4, "x" * 12_000 + f"\nline{ODD}"),
        answer(5, kind=AnswerKind.NOTHING),
    ):
        view.model.set_conversation(CONVERSATION, [message], more=False)
        row = view.messages.widget_of(0)
        assert row is not None
        row.sources.unfold(1)
        seen += shown(view)
    assert not set(ODD) & set(seen)
    for words in (
        "invoice�����fdp.exe",
        "one �two",
        "x� = 1",
        "three�",
        "Deposit� 45 000",
        "HTTP�",
        "What�?",
    ):
        assert words in seen


def test_a_growing_answer_shows_none_of_it(view: ChatView):
    """Not for the moment between two parses either."""
    view.model.set_conversation(CONVERSATION, [question(1), answer(1, state=State.WAITING)], more=False)
    view.model.append_delta(delta(1, 0, "Start "))
    view.model.append_delta(delta(1, 6, f"a{ODD}b"))
    assert "a�b" in shown(view)
    view.model.append_delta(delta(1, 8 + len(ODD), f"\n\n```\nx{ODD}"))
    row = view.messages.widget_of(1)
    assert row is not None
    row._growth._parse()
    view.model.append_delta(delta(1, 16 + len(ODD) * 2, f"y{ODD}"))
    assert not set(ODD) & set(shown(view))


def test_what_is_copied_is_what_is_seen(view: ChatView):
    """Code with hidden characters would run otherwise than it reads."""
    view.model.set_conversation(CONVERSATION, [answer(1, TEXT)], more=False)
    row = view.messages.widget_of(0)
    assert row is not None
    clipboard = QGuiApplication.clipboard()
    row.body._copy_buttons[0].click()
    assert clipboard.text() == "x� = 1"
    row.copy.click()
    assert not set(ODD) & set(clipboard.text())
    view.messages.message_menu(row, row.body).actions()[-1].trigger()
    assert clipboard.text().startswith("one �two [1]\n\n```py\nx� = 1")
    QTest.keySequence(view.messages, "Ctrl+A")
    view.messages.copy_selection()
    assert not set(ODD) & set(clipboard.text())


def test_a_name_in_hebrew_moves_no_word_beside_it(theme, qtbot):
    """In a sentence of the strip it keeps its isolates, and nothing else that turns."""
    banner = Banner(theme)
    qtbot.addWidget(banner)
    banner.say("\u2068חוזה\u2069 lies\u202e outside")
    assert banner.text == "\u2068חוזה\u2069 lies outside"
