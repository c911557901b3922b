"""The shell shows, emits, and is used without a mouse."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QMessageBox, QWidget

from titan_desktop.contracts.chat import Conversation
from titan_desktop.contracts.indexing import FailurePage, FileFailure, Outcome, Reason
from titan_desktop.system.paths import bundled
from titan_desktop.ui.base.translator import Translator
from titan_desktop.ui.chat.composer import PromptEdit
from titan_desktop.ui.conversations.model import ID_ROLE
from titan_desktop.ui.files.failures_dialog import FailuresDialog
from titan_desktop.ui.shell.main_window import MainWindow


@pytest.fixture
def window(theme, qtbot):
    made = MainWindow(theme, [Path("/home/anna/Desktop"), Path("/home/anna/Downloads")])
    qtbot.addWidget(made)
    made.conversations.merge(
        Conversation(id=name, title=f"title {name}", created_at=at, updated_at=at)
        for name, at in (
            ("c1", datetime.now(UTC).isoformat()),
            ("c2", "2026-03-02T10:00:00Z"),
            ("c3", "2026-02-01T10:00:00Z"),
        )
    )
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close_for_good()


def heard(signal) -> list:
    said: list = []
    signal.connect(lambda *words: said.append(words[0] if words else True))
    return said


def composer(window: MainWindow) -> QWidget:
    found = window.findChild(PromptEdit)
    assert isinstance(found, PromptEdit)
    return found


def titles(window: MainWindow) -> list[str]:
    """The conversations in the list, without headings."""
    shown = window.sidebar.list.model()
    rows = [shown.index(row, 0) for row in range(shown.rowCount())]
    return [str(row.data()) for row in rows if row.data(ID_ROLE)]


def test_the_first_paint_is_said_once(theme, qtbot):
    """However often the window is painted, the first picture is said, and once."""
    window = MainWindow(theme, [])
    qtbot.addWidget(window)
    said, afterwards = heard(window.first_painted), []
    window.show()
    qtbot.waitUntil(lambda: bool(said))
    window.repaint()
    window.repaint()
    QTimer.singleShot(0, lambda: afterwards.append(True))  # comes behind whatever the repaints have queued
    qtbot.waitUntil(lambda: bool(afterwards))
    assert len(said) == 1
    window.close_for_good()


def test_arrow_keys_open_conversations(window):
    """Up and Down in the list open what they reach; the keys stay with the list until Enter."""
    opened = heard(window.sidebar.conversation_opened)
    window.sidebar.select("c1")
    window.sidebar.list.setFocus()
    assert not opened
    for _ in range(2):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Down)
    assert opened == ["c2", "c3"]
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    assert window.focusWidget() is composer(window)


def test_a_click_opens_a_conversation_to_write_in(window):
    """After a click on a conversation the person types into it, also when it was open already."""
    shown = window.sidebar.list
    window.sidebar.select("c1")
    shown.setFocus()
    place = shown.visualRect(shown.currentIndex()).center()
    QTest.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.focusWidget() is composer(window)


def test_before_anything_is_listed_the_list_explains_nothing(theme, qtbot):
    """A first start has no conversations, and nobody has looked for one."""
    window = MainWindow(theme, [])
    qtbot.addWidget(window)
    assert window.sidebar._nothing.isHidden()
    window.close_for_good()


def test_the_filter_finds_and_enter_opens(window):
    """Ctrl+K, a word and Enter open a conversation; filtering alone opens none."""
    opened = heard(window.sidebar.conversation_opened)
    window.sidebar.select("c1")
    window.find_action.trigger()
    QTest.keyClicks(window.sidebar.filter, "TITLE C3")
    assert not opened
    QTest.keyClick(window.sidebar.filter, Qt.Key.Key_Return)
    assert opened == ["c3"]
    QTest.keyClick(window.sidebar.filter, Qt.Key.Key_Escape)
    assert titles(window) == [f"title {name}" for name in ("c1", "c2", "c3")]


def test_a_filter_that_finds_nothing_says_so(window):
    """An empty list explains itself."""
    window.sidebar.filter.setText("zzz")
    assert not window.sidebar._nothing.isHidden()
    window.sidebar.filter.clear()
    assert window.sidebar._nothing.isHidden()


def test_renaming_in_place(window, qtbot):
    """F2 edits the title in the list, Enter says the new one."""
    edited: list = []
    window.conversations.title_edited.connect(lambda *edit: edited.append(edit))
    window.sidebar.select("c2")
    window.sidebar.list.setFocus()
    QTest.keyClick(window.sidebar.list, Qt.Key.Key_F2)
    editor = window.sidebar.list.findChild(QLineEdit)
    assert editor is not None
    editor.setText("renamed")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(edited))  # Qt commits an editor in the next turn
    assert edited == [("c2", "renamed")]


def test_deleting_asks_first(window):
    """Del asks; Cancel is the default; only Delete deletes. Nothing blocks meanwhile."""
    deleted = heard(window.sidebar.delete_confirmed)
    window.sidebar.select("c2")
    QTest.keyClick(window.sidebar.list, Qt.Key.Key_Delete)
    box = window.findChild(QMessageBox)
    assert box is not None
    assert "title c2" in box.text()
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert not deleted
    window.sidebar.ask_to_delete()
    box = next(box for box in window.findChildren(QMessageBox) if box.isVisible())
    next(b for b in box.buttons() if box.buttonRole(b) is QMessageBox.ButtonRole.DestructiveRole).click()
    assert deleted == ["c2"]


def test_escape_stops_wherever_the_focus_is(window):
    """Esc in the list, where nobody else wants it, asks to stop the answer."""
    stopped = heard(window.stop_requested)
    QTest.keyClick(window.sidebar.list, Qt.Key.Key_Escape)
    assert stopped == [True]


def test_the_start_screen_offers_questions(window):
    """An example goes into the composer, where it can be changed before it is sent."""
    window.start_screen._examples[0].click()
    assert window.chat.draft() == window.start_screen._examples[0].question
    assert window.start_screen._where.text().endswith("Downloads.")
    assert "/home/anna/Downloads" in window.start_screen._where.toolTip()


def test_closing_asks_the_session_first(window):
    """Closing emits a request; the window closes with `close_for_good`."""
    asked = heard(window.close_requested)
    assert not window.close()
    assert asked == [True]
    window.close_for_good()
    assert not window.isVisible()


def test_every_button_and_field_has_a_name(window):
    """A screen reader has words for everything that takes the focus."""
    nameless = [
        widget
        for widget in window.findChildren(QWidget)
        if isinstance(widget, QAbstractButton | QLineEdit | QComboBox)
        and widget.focusPolicy() is not Qt.FocusPolicy.NoFocus
        and widget.isVisible()
        and not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]
    assert [(type(widget).__name__, widget.objectName()) for widget in nameless] == []


def test_the_language_changes_while_the_window_is_open(window, qapp):
    """Every word of the shell is Russian after the switch, and English after the switch back."""
    translator = Translator(qapp, bundled("i18n"), lambda: QLocale("en_GB"))
    translator.choose("ru")
    qapp.sendPostedEvents()
    assert window.start_screen._title.text() == "Спросите о своих файлах"
    assert window.sidebar.filter.placeholderText() == "Найти разговор"
    assert window.settings_action.text() == "Настройки…"
    translator.choose("en")
    qapp.sendPostedEvents()
    assert window.start_screen._title.text() == "Ask about your files"


def test_the_layout_comes_back(window, theme, qtbot):
    """Size and splitter of the last time are those of the next."""
    window.resize(700, 500)
    window.splitter.setSizes([250, 449])
    state = window.layout_state()
    other = MainWindow(theme, [])
    qtbot.addWidget(other)
    other.restore_layout(*state)
    assert other.size() == window.size()
    other.close_for_good()


def test_failures_are_listed_with_their_reason(window):
    """The list names file and reason; the path stands in the tool tip."""
    dialog = FailuresDialog(window)
    failure = FileFailure(
        path="/d/a.pdf", outcome=Outcome.FAILED, reason=Reason.ENCRYPTED, detail="", at="2026-03-01T00:00:00Z"
    )
    dialog.take(FailurePage(failures=(failure,)))
    row = dialog.table.topLevelItem(0)
    assert row is not None
    assert (row.text(0), row.toolTip(0)) == ("a.pdf", "<p>/d/a.pdf</p>")
    assert "password" in row.text(1)


def test_failures_come_as_far_as_one_scrolls(window):
    """The next page is asked for once, when the end of this one comes into view."""
    dialog = FailuresDialog(window)
    wanted = heard(dialog.more_wanted)
    failures = tuple(
        FileFailure(
            path=f"/d/{n}.pdf", outcome=Outcome.FAILED, reason=Reason.BROKEN, detail="", at="2026-03-01"
        )
        for n in range(100)
    )
    dialog.take(FailurePage(failures=failures, more=True, cursor="next"))
    dialog.show()
    bar = dialog.table.verticalScrollBar()
    assert bar.maximum() > 0
    assert not wanted
    bar.setValue(bar.maximum())
    bar.setValue(bar.maximum() - 1)
    assert wanted == ["next"]
    dialog.take(FailurePage(failures=failures[:3]), after="next")
    assert dialog.table.topLevelItemCount() == 103
    bar.setValue(bar.maximum())
    assert wanted == ["next"]
    dialog.take(FailurePage(failures=failures[:3]))
    assert dialog.table.topLevelItemCount() == 3
    dialog.close()


def test_the_focus_of_a_banner_that_goes_comes_to_the_composer(window):
    """What was to be done is done: its button goes, and the person writes on. Other focus stays where it is."""
    window.status_line.set_failures("4 files could not be read")
    window.banner.say("hello", "info", "Do it")
    window.banner._action.setFocus()
    window.banner.say("")
    assert window.focusWidget() is composer(window)
    window.banner.say("hello")
    window.sidebar.filter.setFocus()
    window.banner.say("")
    assert window.focusWidget() is window.sidebar.filter


def test_the_banner_says_one_thing(window):
    """A sentence shows the strip, its button speaks, the cross puts it away."""
    closed, wanted = heard(window.banner.closed), heard(window.banner.action_requested)
    window.banner.say("hello", "warning", "Do it")
    assert window.banner.text == "hello"
    window.banner._action.click()
    window.banner._close.click()
    assert (window.banner.text, closed, wanted) == ("", [True], [True])


def test_a_narrow_window_cuts_no_example(window, qtbot):
    """At the smallest size the start screen fits its width; a shortened example still asks the whole question."""
    window.show()
    window.resize(window.minimumSize())
    screen = window.start_screen
    qtbot.waitUntil(lambda: screen.widget().width() <= screen.viewport().width())
    example = screen._examples[0]
    example.resize(120, example.height())
    assert example.text().endswith("…")
    example.click()
    assert window.chat.draft() == example.question
