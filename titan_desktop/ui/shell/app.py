"""Starts the window. The only place, with `session`, where the window is put together.

The order makes the start fast: Qt, one window, one picture on the screen; only then the event loop, the bus and
whatever else takes time to import, in small steps between which the window answers.
"""

import argparse
import contextlib
import importlib
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from titan_desktop import __version__, settings
from titan_desktop.settings import Settings, SettingsError
from titan_desktop.system import private_files
from titan_desktop.system.paths import Paths, allowed_roots, bundled
from titan_desktop.ui.base.exit_mark import FILE_NAME, ExitMark
from titan_desktop.ui.base.theme import Theme
from titan_desktop.ui.base.translator import Translator
from titan_desktop.ui.shell.early_input import EarlyInput
from titan_desktop.ui.shell.main_window import MainWindow
from titan_desktop.ui.shell.single_instance import SingleInstance
from titan_desktop.ui.shell.startup import StartupReport

log = logging.getLogger(__name__)

DONE = 0
NOT_REACHED = 3

_SLOW_MODULES = (
    "logging.handlers",
    "asyncio",
    "msgspec.json",
    "qasync",
    "titan_bus",
    "titan_desktop.client",
    "titan_desktop.ui.shell.session",
)
"""What the session needs, in steps small enough not to be felt."""
_PAINT_TIMEOUT_MS = 1_500
"""A window that starts minimised paints nothing; the rest must not wait for it."""


def main(argv: Sequence[str]) -> int:
    """Open the window and stay until it is closed; return the exit status."""
    report = StartupReport()
    report.mark("qt_imported_ms")
    options = _options(argv)
    paths = Paths.from_environment()
    app = _application()
    instance = _claim(paths, app)
    if instance is None:
        return DONE
    mark = ExitMark(paths.run / FILE_NAME)
    mark.begin("unsent")  # until the session keeps it
    wanted, complaint = _read_settings(paths)
    theme = Theme(app, bundled("resources"))
    theme.choose(wanted.theme)
    translator = Translator(app, bundled("i18n"))
    translator.choose(wanted.language)
    window = MainWindow(theme, allowed_roots())
    window.first_painted.connect(lambda: report.mark("first_paint_ms"))
    instance.raise_requested.connect(window.bring_to_front)
    layout = WindowLayout(paths.config / "window.ini", window)
    layout.restore()
    early_input = EarlyInput(window)
    window.show()
    is_wanted = _import_slow_modules(app, window)
    from titan_desktop.ui.shell import session

    if not is_wanted:
        session.keep_unsent(paths, early_input.questions, window.chat.draft(), translator.language)
        mark.end()
        return DONE
    parts = session.Parts(
        app,
        window,
        theme,
        translator,
        paths,
        wanted,
        complaint,
        report,
        options.startup_report,
        early_input,
        mark,
    )
    status = session.run(parts, quit_after_ready=options.quit_after_ready)
    layout.save()
    mark.end()
    instance.release()
    window.close_for_good()
    return status


class WindowLayout:
    """Where the window was the last time."""

    def __init__(self, path: Path, window: MainWindow) -> None:
        self._path = path
        self._store = QSettings(str(path), QSettings.Format.IniFormat)
        self._window = window

    def restore(self) -> None:
        """Put the window there, if there was a last time."""
        geometry, splitter = (self._store.value(key) for key in ("geometry", "splitter"))
        if geometry is not None and splitter is not None:
            self._window.restore_layout(geometry, splitter)

    def save(self) -> None:
        """Store where it is. Qt keeps the mode of a file that is there, and would give a new one to the umask."""
        with contextlib.suppress(OSError):
            private_files.make_file(self._path)
        geometry, splitter = self._window.layout_state()
        self._store.setValue("geometry", geometry)
        self._store.setValue("splitter", splitter)
        self._store.sync()


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="titan", allow_abbrev=False)
    parser.add_argument("--startup-report", metavar="FILE", type=Path, help="write how long the start took")
    parser.add_argument("--quit-after-ready", action="store_true", help="end when the window is ready")
    return parser.parse_args(argv)


def _application() -> QApplication:
    # Until the session handles them in order, the signals end the process as they do everywhere.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(["titan"])
    app.setApplicationName("titan")
    app.setApplicationDisplayName("Titan")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("titan")
    app.setWindowIcon(QIcon(str(bundled("resources") / "icons" / "titan.svg")))
    app.setQuitOnLastWindowClosed(False)  # or the last dialog that closes stops the event loop
    return app


def _claim(paths: Paths, app: QApplication) -> SingleInstance | None:
    """Return the claim to be the one window; None when another one has been raised instead."""
    try:
        paths.create()
    except OSError as error:
        log.warning("cannot make Titan's folders: %s", error)  # the core says it with the cure, in the window
    instance = SingleInstance(paths, app)
    if instance.claim():
        return instance
    if not instance.ask_to_raise():
        sys.stderr.write(
            "titan: Titan's window is open already, but does not answer. End it and start again.\n"
        )
    return None


def _read_settings(paths: Paths) -> tuple[Settings, str]:
    """Return what the person has chosen, and a complaint when the file cannot be used.

    The environment is left out: it is the core's business, and saving the dialog must not write it into the file.
    """
    try:
        return settings.load(paths.settings_file, {}), ""
    except SettingsError as error:
        log.warning("%s", error)
        return Settings(), str(error)


def _import_slow_modules(app: QApplication, window: MainWindow) -> bool:
    """Import the rest while the first picture stands; return whether the window is still wanted."""
    names = iter(_SLOW_MODULES)
    steps = QTimer(window)
    wanted = True

    def step() -> None:
        name = next(names, None)
        if name is None or not wanted:
            steps.stop()
            app.exit()
        else:
            importlib.import_module(name)

    def leave() -> None:
        nonlocal wanted
        wanted = False
        window.hide()
        app.exit()

    unpainted = QTimer(window)
    unpainted.setSingleShot(True)
    unpainted.timeout.connect(steps.start)
    steps.timeout.connect(unpainted.stop)
    steps.timeout.connect(step)
    window.close_requested.connect(leave)
    window.first_painted.connect(steps.start)
    unpainted.start(_PAINT_TIMEOUT_MS)
    app.exec()
    window.close_requested.disconnect(leave)
    window.first_painted.disconnect(steps.start)
    return wanted
