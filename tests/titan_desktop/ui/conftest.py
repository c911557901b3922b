"""What every test of the window shares: an unexpected Qt warning is a failure."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QtMsgType, qInstallMessageHandler

from titan_desktop.system.paths import bundled
from titan_desktop.ui.base.theme import Theme

HARMLESS = (
    "This plugin does not support propagateSizeHints()",  # offscreen says so of every window
    "This plugin does not support raise()",
    "This plugin does not support grabbing the keyboard",  # nor of a menu
)


@pytest.fixture(autouse=True)
def qt_warnings(qapp) -> Iterator[list[str]]:
    """Collect Qt's warnings and fail the test that caused one. A test that expects one clears the list."""
    warnings: list[str] = []

    def note(kind: QtMsgType, _context: object, message: str) -> None:
        if kind is not QtMsgType.QtDebugMsg and kind is not QtMsgType.QtInfoMsg and message not in HARMLESS:
            warnings.append(message)

    former = qInstallMessageHandler(note)
    yield warnings
    qInstallMessageHandler(former)
    assert not warnings, "Qt warned: " + "; ".join(warnings)


@pytest.fixture
def theme(qapp) -> Iterator[Theme]:
    """Light colours, and the application as it was afterwards."""
    palette, sheet = qapp.palette(), qapp.styleSheet()
    made = Theme(qapp, bundled("resources"))
    made.choose("light")
    yield made
    made.close()
    qapp.styleHints().unsetColorScheme()
    qapp.setStyleSheet(sheet)
    qapp.setPalette(palette)
