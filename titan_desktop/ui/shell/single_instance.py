"""One window for each person and each Titan home: a second start raises the first one's window.

Who is first is decided by a lock that dies with its holder, so a socket left by a killed window blocks nobody. The
socket only carries the request to be raised.
"""

import logging
import os
import sys
import time

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from titan_desktop.system import private_files
from titan_desktop.system.file_lock import FileLock
from titan_desktop.system.paths import Paths

log = logging.getLogger(__name__)

_ACTIVATION = "XDG_ACTIVATION_ACTIVATION"
"""Wayland lets a program take the focus only with the token that its launcher got (xdg-activation-v1)."""
_ASK_TIMEOUT_S = 3.0
_STEP_MS = 200
_MESSAGE_BYTES_MAX = 512


class SingleInstance(QObject):
    """Holds the lock of the one window, or asks its holder to show itself."""

    raise_requested = Signal()
    """Another start asks for our window."""

    def __init__(self, paths: Paths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = paths.sockets()
        on_windows = sys.platform == "win32"  # where this is the name of a pipe
        self._name = f"titan-window-{paths.identity}" if on_windows else str(self._folder / "window.sock")
        self._lock = FileLock(paths.run / "window.lock")
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)

    def claim(self) -> bool:
        """Return whether this is the first window. Where nothing can be locked, it counts as the first."""
        try:
            if not self._lock.acquire():
                return False
        except OSError:
            log.exception("cannot tell whether a window is open already")
            return True
        try:
            private_files.own_folder(self._folder)
        except OSError as error:
            log.warning("a second start will not find this window: %s", error)
            return True
        QLocalServer.removeServer(self._name)  # a socket of a killed window; its lock has died with it
        if not self._server.listen(self._name):
            log.warning("a second start will not find this window: %s", self._server.errorString())
        return True

    def ask_to_raise(self) -> bool:
        """Ask the first window to show itself; return whether it answered. One that is starting gets some time."""
        message = f"raise {os.environ.get(_ACTIVATION, '')}\n".encode()[:_MESSAGE_BYTES_MAX]
        deadline = time.monotonic() + _ASK_TIMEOUT_S
        while time.monotonic() < deadline:
            socket = QLocalSocket()
            socket.connectToServer(self._name)
            if socket.waitForConnected(_STEP_MS):
                socket.write(message)
                heard = socket.waitForBytesWritten(_STEP_MS)
                socket.disconnectFromServer()
                return heard
            time.sleep(0.05)
        return False

    def release(self) -> None:
        """Release the lock, so that the next start opens a window at once."""
        self._server.close()
        self._lock.release()

    def _on_connection(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.readyRead.connect(lambda: self._on_message(socket))
        socket.disconnected.connect(socket.deleteLater)
        if socket.bytesAvailable():
            self._on_message(socket)

    def _on_message(self, socket: QLocalSocket) -> None:
        line = socket.readLine(_MESSAGE_BYTES_MAX).data()
        word, _, token = bytes(line).decode("ascii", "replace").strip().partition(" ")
        if word != "raise":
            return
        if token:
            os.environ[_ACTIVATION] = token
        self.raise_requested.emit()
