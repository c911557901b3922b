"""A process of the real window in which somebody types a question: `python -m tests.e2e.window_that_asks TEXT`."""

import sys

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.e2e.window import type_into
from titan_desktop.ui.chat.composer import PromptEdit
from titan_desktop.ui.shell import app


def main(text: str) -> int:
    """Open the window, type as soon as there is a place to type, and stay."""
    application = QApplication(["titan"])
    looking = QTimer()

    def look() -> None:
        for widget in application.allWidgets():
            if isinstance(widget, PromptEdit) and widget.isVisible():
                looking.stop()
                type_into(widget, text)
                QTest.keyClick(widget, Qt.Key.Key_Return)
                return

    looking.timeout.connect(look)
    looking.start(20)
    return app.main([])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
