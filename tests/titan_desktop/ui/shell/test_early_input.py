"""What a person does before the session is there is done once, in order, when it is."""

from pathlib import Path

import pytest

from titan_desktop.ui.shell.early_input import EarlyInput
from titan_desktop.ui.shell.main_window import MainWindow


@pytest.fixture
def window(theme, qtbot):
    made = MainWindow(theme, [Path("/home/anna/Downloads")])
    qtbot.addWidget(made)
    return made


def test_wishes_are_handed_over_in_order(window):
    """Questions, a new conversation and the settings reach whoever listens later, as they were made."""
    early_input, heard = EarlyInput(window), []
    window.chat.prompt_submitted.emit("one")
    window.new_requested.emit()
    window.chat.prompt_submitted.emit("two")
    window.settings_requested.emit()
    assert early_input.questions == ("one", "two")
    window.chat.prompt_submitted.connect(heard.append)
    window.new_requested.connect(lambda: heard.append("new"))
    window.settings_requested.connect(lambda: heard.append("settings"))
    early_input.replay()
    assert heard == ["one", "new", "two", "settings"]
    window.chat.prompt_submitted.emit("three")
    assert heard[-1] == "three"
    assert not early_input.questions
