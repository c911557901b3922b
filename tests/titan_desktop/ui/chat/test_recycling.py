"""A message widget is filled with many messages: nothing of a former one stays in it."""

import random

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from tests.titan_desktop.ui.chat.samples import answer, hit, question
from titan_desktop.contracts.chat import AnswerKind, Fault, State
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat.message_widget import MessageWidget
from titan_desktop.ui.chat.sentences import Searched
from titan_desktop.ui.chat.sources import Unfolded

CODE = "```python\ndef f(x):\n    return x\n```"
MANY = tuple(hit(f"{number}.pdf", "Депозит 45 000 рублей. " * 30) for number in range(8))
MESSAGES = (
    question(1),
    question(2, "Две строки\nи ещё одна " * 9),
    answer(3, CODE),
    answer(4, f"# Title\n\nText `code` **bold** [1].\n\n> quoted\n\n{CODE}\n\n{CODE}", sources=MANY[:2]),
    answer(5, "| a | b |\n|---|---|\n| 1 | `2` |"),
    answer(6, "- a\n  1. b", sources=MANY),
    answer(7, kind=AnswerKind.PASSAGES, sources=MANY),
    answer(8, kind=AnswerKind.NOTHING),
    answer(9, state=State.WAITING),
    answer(10, state=State.WAITING, sources=MANY[:1]),
    answer(11, f"Half an answer\n\n{CODE}"[:-4], State.STREAMING, sources=MANY[:1]),
    answer(12, "Half", State.STOPPED),
    answer(13, state=State.FAILED, fault=Fault.WRONG_KEY, fault_detail="HTTP 401"),
    answer(14, "Da", State.FAILED, fault=Fault.TIMED_OUT),
    answer(15, "Plain.", model="gpt-4.1-mini", kind=AnswerKind.MODEL),
    answer(16, "שלום `x`"),
    answer(17, "After thoughts.", thoughts=120),
    answer(18, "Thinks and", State.STREAMING, thoughts=12),
    answer(19, "Broken off", State.FAILED, fault=Fault.CUT_OFF, thoughts=9),
)


@pytest.fixture
def window(qtbot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(640, 900)
    window.show()
    return window


def make(window: QWidget) -> MessageWidget:
    made = MessageWidget(window)
    made.set_look(Colours.of(window.palette()), Searched("Desktop"))
    made.underMouse = lambda: False  # it would say when the answer was written
    made.move(20, 100)  # no button beneath the pointer, which rests in the corner
    return made


def picture(shown: MessageWidget, number: int) -> QImage:
    """Fill a widget as the list does, and draw it. What a number shows is always the same."""
    message = MESSAGES[number]
    unfolded = Unfolded({1} if number % 2 else set(), all_sources=number % 4 == 2, thoughts=number % 3 == 1)
    shown.park()
    shown.body.select(0, 0)
    shown.show_message(message, "депозит?", unfolded, 560 + number % 3, pending=number == 1)
    shown.wake()
    return shown.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def use(shown: MessageWidget, chance: random.Random) -> None:
    """What a person and a growing answer leave behind in a widget."""
    message = shown.message
    assert message is not None
    shown.body.select(0, -1)
    for button in (shown.copy, *shown.body._copy_buttons):
        if button.isVisible() and chance.random() < 0.5:
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    for row in shown.sources._rows:
        if row.isVisible() and chance.random() < 0.3:
            QTest.mouseClick(row.arrow, Qt.MouseButton.LeftButton)
    if message.state is State.STREAMING:
        more = answer(11, f"{message.text}\n```\n\nMore `code", State.STREAMING, sources=message.sources)
        shown.show_message(more, "депозит?", Unfolded(), 560, pending=False)


@pytest.mark.parametrize("seed", range(2))
def test_a_widget_used_again_is_drawn_like_a_fresh_one(window: QWidget, seed: int):
    """In every order of questions, answers, code, states and sources, to the pixel."""
    chance = random.Random(seed)
    pool = [make(window) for _ in range(3)]
    fresh = [picture(make(window), number) for number in range(len(MESSAGES))]
    former: dict[int, int] = {}
    for _ in range(45):
        one, number = chance.randrange(len(pool)), chance.randrange(len(MESSAGES))
        drawn = picture(pool[one], number)
        assert drawn == fresh[number], (
            f"{MESSAGES[number].id} after {former.get(one)}: {_where(drawn, fresh[number])}"
        )
        use(pool[one], chance)
        former[one] = number


def _where(one: QImage, other: QImage) -> str:
    if one.size() != other.size():
        return f"{one.size().toTuple()} instead of {other.size().toTuple()}"
    places = [
        (x, y)
        for y in range(one.height())
        for x in range(one.width())
        if one.pixel(x, y) != other.pixel(x, y)
    ]
    return f"{len(places)} pixels from {min(places)} to {max(places)}"
