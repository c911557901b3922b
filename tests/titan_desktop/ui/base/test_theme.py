"""Light and dark can be read, and are put on at once."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QWidget

from titan_desktop.contracts import chat
from titan_desktop.ui.base.theme import DARK, LIGHT
from titan_desktop.ui.chat.chat_view import ChatView

TEXTS = [
    ("text", "page"),
    ("text", "sidebar"),
    ("text", "field"),
    ("text", "hover"),
    ("text", "accent_soft"),
    ("text", "warning"),
    ("text", "danger_soft"),
    ("text", "line"),
    ("muted", "page"),
    ("muted", "sidebar"),
    ("muted", "field"),
    ("link", "page"),
    ("danger", "page"),
    ("danger", "field"),
    ("on_accent", "accent"),
    ("on_accent", "accent_strong"),
]
LINES = [("field_line", "page"), ("field_line", "sidebar"), ("accent", "page"), ("accent", "sidebar")]


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.1, 1.4.3."""

    def luminance(name: str) -> float:
        colour = QColor(name)
        parts = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (colour.redF(), colour.greenF(), colour.blueF())
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXTS)
def test_text_can_be_read(colours, ink, ground):
    """Every text colour reaches 4.5 to 1 on each ground it stands on."""
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), LINES)
def test_fields_and_focus_rings_can_be_seen(colours, line, ground):
    """Borders of fields and focus rings reach 3 to 1."""
    assert contrast(colours[line], colours[ground]) >= 3


def test_a_choice_applies_at_once(qapp, theme):
    """Dark changes the palette of the whole application, and says so; light changes it back."""
    told = []
    theme.changed.connect(lambda: told.append(theme.dark))
    theme.choose("dark")
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == DARK["page"]
    theme.choose("light")
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == LIGHT["page"]
    assert told == [True, False]


def test_the_style_sheet_knows_all_its_colours(qapp, theme):
    """No @name is left in the sheet that Qt gets, and every icon can be drawn."""
    theme.choose("dark")
    assert "@" not in qapp.styleSheet()
    for name in ("new", "menu"):
        assert not theme.icon(name).isNull()


def test_messages_follow_while_they_are_shown(qtbot, theme):
    """The text of an open conversation takes the colour of the theme at once, in both directions."""
    view = ChatView()
    qtbot.addWidget(view)
    view.show()
    message = chat.Message(
        id="q1", conversation_id="c1", role=chat.Role.USER, text="Какой залог?", state=chat.State.COMPLETE,
        created_at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    view.model.set_conversation("c1", [message], False)
    row = view.messages.widget_of(0)
    for choice, colours in (("dark", DARK), ("light", LIGHT), ("dark", DARK)):
        theme.choose(choice)
        assert row.body.palette().color(QPalette.ColorRole.Text).name() == colours["text"]


def test_a_ring_is_the_keyboards(theme, qtbot):
    """A button that was clicked has the focus and no ring; Tab brings one, and a click takes it away."""
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    first, second = QPushButton("First", window), QPushButton("Second", window)
    row.addWidget(first)
    row.addWidget(second)
    window.show()
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    first.clearFocus()
    plain = first.grab().toImage()
    QTest.mouseClick(first, Qt.MouseButton.LeftButton)
    assert first.hasFocus()
    assert first.property("ringed") is False
    second.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(second, Qt.Key.Key_Tab)
    assert first.hasFocus()
    assert first.property("ringed") is True
    assert first.grab().toImage() != plain


def test_a_list_of_choices_opens_whole(theme, qtbot):
    """The choices of a field with the focus, as a click gives it, need no scrolling."""
    window = QWidget()
    qtbot.addWidget(window)
    field = QComboBox(window)
    field.addItems(["Match system", "Русский", "English"])
    QHBoxLayout(window).addWidget(field)
    window.show()
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    field.setFocus()
    field.showPopup()
    shown = field.view()
    assert shown.visualRect(field.model().index(2, 0)).bottom() < shown.viewport().height()
    field.hidePopup()
