"""Writes Qt's own messages into the window's log, which is bounded: a desktop's own log may not be.

`session` installs it while its log is open; before and after Qt writes to standard error.
"""

import contextlib
import logging
from collections.abc import Iterator

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

log = logging.getLogger("qt")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


@contextlib.contextmanager
def in_log() -> Iterator[None]:
    """Pass Qt's messages within the block to the logger `qt`."""
    before = qInstallMessageHandler(_hand_on)
    try:
        yield
    finally:
        qInstallMessageHandler(before)


def _hand_on(kind: QtMsgType, context: QMessageLogContext, message: str | None) -> None:
    log.log(_LEVELS[kind], "%s: %s", context.category or "default", message)
