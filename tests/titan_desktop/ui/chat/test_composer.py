import pytest
from PySide6.QtCore import QEvent, QMimeData, Qt, QUrl
from PySide6.QtGui import QFocusEvent, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from titan_desktop.contracts.chat import PROMPT_BYTES_MAX
from titan_desktop.ui.chat.composer import Composer


@pytest.fixture
def composer(qtbot) -> Composer:
    composer = Composer()
    qtbot.addWidget(composer)
    composer.resize(500, 60)
    composer.show()
    composer.edit.setFocus()
    return composer


def commit(composer: Composer, text: str, preedit: str = "") -> None:
    """What an input method does with composed text."""
    event = QInputMethodEvent(preedit, [])
    event.setCommitString(text)
    QApplication.sendEvent(composer.edit, event)


def test_typing_and_enter_sends(qtbot, composer: Composer):
    """Latin and Cyrillic alike; the field is empty afterwards, and Ctrl+Z brings the text back."""
    with qtbot.waitSignal(composer.prompt_submitted) as sent:
        QTest.keyClicks(composer.edit, "PDF: ")
        commit(composer, "покажи договор")
        QTest.keyClick(composer.edit, Qt.Key.Key_Return)
    assert sent.args == ["PDF: покажи договор"]
    assert composer.draft() == ""
    QTest.keyClick(composer.edit, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert composer.draft() == "PDF: покажи договор"


def test_shift_enter_breaks_the_line(qtbot, composer: Composer):
    """With a plain line break, and the field grows by a line, to eight at most."""
    low = composer.edit.sizeHint().height()
    QTest.keyClicks(composer.edit, "a")
    QTest.keyClick(composer.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(composer.edit, "b")
    assert composer.draft() == "a\nb"
    assert composer.edit.sizeHint().height() > low
    composer.set_draft("x\n" * 7)
    eight = composer.edit.sizeHint().height()
    composer.set_draft("x\n" * 50)
    assert composer.edit.sizeHint().height() == eight


def test_enter_belongs_to_a_composing_input_method(qtbot, composer: Composer):
    """It is not sent before the word is finished."""
    with qtbot.assertNotEmitted(composer.prompt_submitted):
        commit(composer, "", preedit="に")
        QTest.keyClick(composer.edit, Qt.Key.Key_Return)


def test_nothing_is_not_sent(qtbot, composer: Composer):
    """Neither an empty field nor blanks."""
    with qtbot.assertNotEmitted(composer.prompt_submitted):
        QTest.keyClicks(composer.edit, "   ")
        QTest.keyClick(composer.edit, Qt.Key.Key_Return)
    assert not composer.button.isEnabled()


def test_too_long_a_question_is_kept_and_not_sent(qtbot, composer: Composer):
    """Nothing is cut; a sentence says what is wrong, and shortening mends it. Cyrillic letters count two bytes."""
    composer.set_draft("я" * (PROMPT_BYTES_MAX // 2 + 1))
    with qtbot.assertNotEmitted(composer.prompt_submitted):
        QTest.keyClick(composer.edit, Qt.Key.Key_Return)
    assert not composer.button.isEnabled()
    assert composer.counter.text().startswith("24.002 KB of 24 KB.")
    assert composer.counter.isVisible()
    assert len(composer.draft()) == PROMPT_BYTES_MAX // 2 + 1
    QTest.keyClick(composer.edit, Qt.Key.Key_Backspace)
    assert composer.button.isEnabled()


def test_busy_turns_send_into_stop(qtbot, composer: Composer):
    """Button and Esc stop; Enter keeps the next question as it is."""
    composer.set_draft("next")
    composer.set_busy(True)
    with qtbot.waitSignal(composer.stop_requested):
        QTest.mouseClick(composer.button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(composer.stop_requested):
        QTest.keyClick(composer.edit, Qt.Key.Key_Escape)
    with qtbot.assertNotEmitted(composer.prompt_submitted):
        QTest.keyClick(composer.edit, Qt.Key.Key_Return)
    assert composer.draft() == "next"


def test_escape_without_an_answer_stops_nothing(qtbot, composer: Composer):
    """There is nothing to stop."""
    with qtbot.assertNotEmitted(composer.stop_requested):
        QTest.keyClick(composer.edit, Qt.Key.Key_Escape)


def test_paste_is_plain_text(composer: Composer):
    """Formatting stays behind."""
    data = QMimeData()
    data.setHtml("<b>bold</b>")
    data.setText("bold")
    composer.edit.insertFromMimeData(data)
    assert composer.draft() == "bold"


def test_dropped_files_become_their_paths(composer: Composer):
    """One on a line."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/home/anna/Договор.pdf"), QUrl.fromLocalFile("/tmp/b.txt")])
    assert composer.edit.canInsertFromMimeData(data)
    composer.edit.insertFromMimeData(data)
    assert composer.draft() == "/home/anna/Договор.pdf\n/tmp/b.txt"


def test_up_asks_for_the_last_question_only_when_empty(qtbot, composer: Composer):
    """What is being written is not replaced."""
    with qtbot.waitSignal(composer.recall_requested):
        QTest.keyClick(composer.edit, Qt.Key.Key_Up)
    composer.set_draft("text")
    with qtbot.assertNotEmitted(composer.recall_requested):
        QTest.keyClick(composer.edit, Qt.Key.Key_Up)
    composer.recall("former")
    assert composer.draft() == "text"


def test_everything_has_a_name_for_a_screen_reader(composer: Composer):
    """Field and button say what they are."""
    assert composer.edit.accessibleName()
    assert composer.button.accessibleName()


def test_the_frame_shows_who_has_the_keyboard(composer):
    """It is drawn anew when the focus comes and when it goes."""
    drawn = []
    composer.edit.focus_changed.connect(lambda: drawn.append(1))
    for kind in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
        QApplication.sendEvent(composer.edit, QFocusEvent(kind))
    assert len(drawn) == 2
