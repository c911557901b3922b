"""What every test of the window shares: an unexpected Qt warning is a failure."""

import re
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QtMsgType, qInstallMessageHandler

from titan_desktop.system.paths import bundled
from titan_desktop.ui.base.theme import Theme


@pytest.fixture(autouse=True)
def qt_warnings(qapp, pytestconfig: pytest.Config) -> Iterator[list[str]]:
    """Collect Qt's warnings and fail the test that caused one. A test that expects one clears the list."""
    warnings: list[str] = []
    harmless = [re.compile(pattern) for pattern in pytestconfig.getini("qt_log_ignore")]

    def note(kind: QtMsgType, _context: object, message: str) -> None:
        if kind in {QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg}:
            return
        if not any(pattern.search(message) for pattern in harmless):
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
