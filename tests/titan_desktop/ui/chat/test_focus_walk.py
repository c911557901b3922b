"""The conversation by keyboard alone: Tab from message to message, arrows to what can be pressed in one."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QVBoxLayout, QWidget

from tests.titan_desktop.ui.chat.samples import CONVERSATION, answer, exchange, hit, question
from titan_desktop.contracts.chat import AnswerKind, Fault, State
from titan_desktop.ui.chat.chat_view import ChatView
from titan_desktop.ui.chat.message_widget import MessageWidget

KEY = Qt.Key
LONG = "Siehe [hier](https://a.example/) und [2].\n\n" * 20 + "```py\nx = 1\n```\n\n" + "Ende. " * 400
SOURCES = tuple(hit(f"{number}.pdf") for number in range(7))


class Window(QWidget):
    """A field, the conversation, and a field."""

    def __init__(self) -> None:
        super().__init__()
        self.before = QLineEdit(self)
        self.chat = ChatView(self)
        self.after = QLineEdit(self)
        column = QVBoxLayout(self)
        for part in (self.before, self.chat, self.after):
            column.addWidget(part)
        self.resize(800, 640)

    def open(self, *messages) -> None:
        self.chat.model.set_conversation(CONVERSATION, messages, more=False)

    def press(self, *keys: Qt.Key) -> None:
        """Press keys where the focus is."""
        for key in keys:
            focused = QApplication.focusWidget()
            assert focused is not None
            QTest.keyClick(focused, key)

    def picture(self) -> QImage:
        """What is seen, but for a text cursor that blinks."""
        return self.chat.messages.grab().toImage()


@pytest.fixture
def window(qtbot) -> Window:
    window = Window()
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    window.before.setFocus()
    return window


def focused_message() -> str:
    """The id of the message that has the focus itself, "" when something else has."""
    focused = QApplication.focusWidget()
    return focused.message.id if isinstance(focused, MessageWidget) and focused.message else ""


def is_in_view(window: Window) -> bool:
    """Whether something of what has the focus is seen, with its beginning if it is a message."""
    focused, view = QApplication.focusWidget(), window.chat.messages.viewport()
    assert focused is not None
    top = focused.mapTo(view, QPoint()).y()
    return 0 <= top < view.height()


def test_tab_stops_once_at_each_message_and_each_stop_is_seen(window: Window):
    """Long answers full of links, there and back; every press changes what is seen, then the composer comes."""
    window.open(*(m for n in range(4) for m in (question(n), answer(n, LONG, sources=SOURCES))), question(5))
    window.chat.messages.verticalScrollBar().setValue(0)
    for key, order in ((KEY.Key_Tab, range(9)), (KEY.Key_Backtab, range(8, -1, -1))):
        for row in order:
            before = window.picture()
            window.press(key)
            assert focused_message() == window.chat.model.message(row).id
            assert is_in_view(window)
            assert window.picture() != before
        window.press(key)
        expected = window.chat.composer.edit if key == KEY.Key_Tab else window.before
        assert QApplication.focusWidget() is expected


def test_tab_begins_at_what_is_seen(window: Window):
    """At the first message that begins in view, from the composer at the last one; nothing is scrolled away."""
    window.open(*exchange(40))
    bar = window.chat.messages.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    middle = bar.value()
    window.press(KEY.Key_Tab)
    assert is_in_view(window)
    assert abs(bar.value() - middle) < 640
    window.chat.messages.scroll_to_end()
    window.chat.focus_composer()
    window.press(KEY.Key_Backtab)
    assert focused_message() == "a39"


def test_arrows_go_to_all_that_can_be_pressed(window: Window):
    """Links, the code's copy button, the message's own, each source; a ring shows where, and they stay in view."""
    text = "[one](https://a.example/) and **[two](https://b.example/)** [1]\n\n```py\nx = 1\n```"
    window.open(question(1), answer(1, text, sources=SOURCES))
    window.press(KEY.Key_Tab, KEY.Key_Tab)
    row = window.chat.messages.widget_of(1)
    assert row is not None
    rows = [part for source in row.sources._rows for part in (source.arrow, source.file)]
    stops = [row.body, row.body, row.body, row.body._copy_buttons[0], row.copy, *rows, row.sources._more]
    for stop in stops:
        before = window.picture()
        window.press(KEY.Key_Right)
        assert QApplication.focusWidget() is stop
        assert is_in_view(window)
        assert window.picture() != before
    for stop in [*stops[-2::-1], row]:
        window.press(KEY.Key_Left)
        assert QApplication.focusWidget() is stop


def test_enter_presses_what_has_the_ring(qtbot, window: Window):
    """It follows a link, copies code, and unfolds a passage, which leaves the focus on its row."""
    window.open(answer(1, "[one](https://a.example/)\n\n```py\nx = 1\n```", sources=SOURCES))
    row = window.chat.messages.widget_of(0)
    assert row is not None
    window.press(KEY.Key_Tab, KEY.Key_Down)
    with qtbot.waitSignal(window.chat.link_activated) as asked:
        window.press(KEY.Key_Return)
    assert asked.args == ["https://a.example/"]
    window.press(KEY.Key_Down, KEY.Key_Return)
    assert QGuiApplication.clipboard().text() == "x = 1"
    window.press(KEY.Key_Down, KEY.Key_Down, KEY.Key_Return)
    assert row.unfolded.passages == {0}
    assert QApplication.focusWidget() is row.sources._rows[0].arrow
    while QApplication.focusWidget() is not row.sources._more:
        window.press(KEY.Key_Right)
    window.press(KEY.Key_Return)
    assert QApplication.focusWidget() is row.sources._rows[5].file


def test_down_reads_a_long_answer(window: Window):
    """Where nothing that can be pressed is in view, the text scrolls; the end of the answer is reached."""
    window.open(answer(1, "Text. \n\n" * 200 + "[end](https://a.example/)"))
    window.chat.messages.verticalScrollBar().setValue(0)
    window.press(KEY.Key_Tab)
    before = window.chat.messages.verticalScrollBar().value()
    window.press(KEY.Key_Down)
    assert window.chat.messages.verticalScrollBar().value() == before + 40
    for _ in range(400):
        window.press(KEY.Key_Down)
        if QApplication.focusWidget() is not window.chat.messages.widget_of(0):
            break
    row = window.chat.messages.widget_of(0)
    assert row is not None
    assert row.body.focused_link == 0


def test_trying_again_keeps_the_focus_at_the_message(window: Window):
    """The button goes when the answer begins anew; the keyboard stays with the answer, and Tab goes on from it."""
    window.open(question(1), answer(1, state=State.FAILED, fault=Fault.TIMED_OUT))
    asked = []
    window.chat.retry_requested.connect(asked.append)
    window.press(KEY.Key_Tab, KEY.Key_Tab, KEY.Key_Down, KEY.Key_Space)
    assert asked == ["q1"]
    window.chat.model.put(answer(1, state=State.WAITING, attempt=2))
    assert focused_message() == "a1"
    window.press(KEY.Key_Backtab)
    assert focused_message() == "q1"


def test_scrolled_away_the_focus_stays_in_the_conversation(window: Window):
    """Its message left the view by the wheel: Tab goes on with what is seen then."""
    window.open(*exchange(60))
    window.press(KEY.Key_Tab)
    window.chat.messages.verticalScrollBar().setValue(100)
    assert QApplication.focusWidget() is window.chat.messages
    window.press(KEY.Key_Tab)
    assert focused_message()
    assert is_in_view(window)


def test_the_ring_is_the_keyboards(window: Window):
    """A click, on a link's text as well, draws none."""
    window.open(answer(1, "Text with [a link](https://a.example/).", State.STOPPED, sources=SOURCES[:1]))
    row = window.chat.messages.widget_of(0)
    assert row is not None
    row.underMouse = lambda: False
    before = window.picture()
    for target in (row.body.viewport(), row.sources._rows[0].file, window.chat.messages.viewport()):
        QTest.mouseClick(target, Qt.MouseButton.LeftButton, pos=QPoint(80, 6))
    QTest.mouseMove(window.before)
    assert window.picture() == before


def test_a_screen_reader_hears_the_message(window: Window):
    """Who speaks, and all that is shown of it."""
    window.open(answer(1, "**Half**", State.STOPPED))
    window.press(KEY.Key_Tab)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.accessibleName() == "Titan's answer"
    assert focused.accessibleDescription() == "Half\nStopped"


def test_the_menu_key_opens_the_messages_menu(window: Window):
    """It copies the text, or the first passage of an answer that has none of its own."""
    window.open(answer(1, kind=AnswerKind.PASSAGES, sources=SOURCES[:1]))
    window.press(KEY.Key_Tab)
    focused = QApplication.focusWidget()
    assert focused is not None
    QApplication.sendEvent(
        focused, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(4, 4), QPoint(4, 4))
    )
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.actions()[0].trigger()
    menu.close()
    assert QGuiApplication.clipboard().text() == SOURCES[0].passage


def test_a_conversation_that_goes_away_leaves_the_focus_in_view(window: Window):
    """A new, empty one shows its start page: the focus is on nothing that is hidden."""
    window.chat.set_start_page(QLineEdit())
    window.open(*exchange(5))
    window.press(KEY.Key_Tab, KEY.Key_Tab)
    window.open()
    focused = QApplication.focusWidget()
    assert focused is None or focused.isVisible()
