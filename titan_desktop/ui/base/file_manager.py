"""Shows a file in the system's file manager, selected. The file itself is not opened."""

import asyncio
import os
import subprocess
import sys
from pathlib import PurePath, PureWindowsPath
from urllib.parse import quote

from PySide6.QtCore import QUrl

from titan_desktop.system.file_names import written

_PLATFORM: str = sys.platform
PATIENCE_S = 5.0
"""The file manager may have to start."""


async def show(path: PurePath) -> bool:
    """Open the folder of a file with the file selected. Returns False when this system has no way to do so."""
    if _PLATFORM == "linux":
        return await _show_by_dbus(path)
    try:
        await asyncio.to_thread(subprocess.run, command(path), check=False, timeout=PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return True


def command(path: PurePath, platform: str = _PLATFORM) -> str | list[str]:
    """Return the command that selects a file in Explorer or in Finder.

    Explorer reads its command line itself, and takes quotes around the path alone; no path has a quote there. Its
    exit status is 1 whatever it did. It is named in full: Windows would look for it in the current folder first.
    """
    if platform == "win32":
        explorer = PureWindowsPath(os.environ.get("SYSTEMROOT", r"C:\Windows"), "explorer.exe")
        return f'"{explorer}" /select,"{path}"'
    return ["/usr/bin/open", "-R", str(path)]


def url_of(path: PurePath) -> QUrl:
    """Return the address of a file; a name that is not UTF-8 fits into no text of Qt, but into an address."""
    name = written(str(path))
    if name == str(path):
        return QUrl.fromLocalFile(name)
    return QUrl.fromEncoded(b"file://" + quote(os.fsencode(name)).encode())


async def _show_by_dbus(path: PurePath) -> bool:
    """Ask the file manager that the desktop names (freedesktop's file-manager-interface)."""
    from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher  # not with the window

    name = "org.freedesktop.FileManager1"
    message = QDBusMessage.createMethodCall(name, "/org/freedesktop/FileManager1", name, "ShowItems")
    message.setArguments([[bytes(url_of(path).toEncoded().data()).decode()], ""])
    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    answered = asyncio.Event()
    watcher = QDBusPendingCallWatcher(bus.asyncCall(message, int(PATIENCE_S * 1000)))
    watcher.finished.connect(answered.set)
    await answered.wait()
    return not watcher.isError()
