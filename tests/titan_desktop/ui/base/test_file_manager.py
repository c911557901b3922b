"""A file is shown in the system's file manager, selected."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import PurePath, PurePosixPath, PureWindowsPath

import pytest

from titan_desktop.ui.base import file_manager


def test_explorer_and_finder_select_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """With blanks and commas in its name; Explorer reads its command line by itself."""
    path = PureWindowsPath(r"C:\d\a, b.js")
    monkeypatch.setenv("SYSTEMROOT", r"D:\Windows")
    assert file_manager.command(path, "win32") == r'"D:\Windows\explorer.exe" /select,"C:\d\a, b.js"'
    assert file_manager.command(PurePosixPath("/d/a b.js"), "darwin") == ["/usr/bin/open", "-R", "/d/a b.js"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are text here")
def test_a_name_that_is_not_utf8_has_an_address() -> None:
    """Its bytes stand in the address, which Qt's own way to make one would replace."""
    assert (
        file_manager.url_of(PurePosixPath("/d/\ufffdE9 я.js")).toEncoded().data()
        == b"file:///d/%E9%20%D1%8F.js"
    )
    assert file_manager.url_of(PurePosixPath("/d/я#1.js")).toLocalFile() == "/d/я#1.js"


@pytest.fixture
def session_bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session bus of this test's own, with nobody on it."""
    if sys.platform != "linux" or shutil.which("dbus-daemon") is None:
        pytest.skip("no session bus here")
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True
    )
    assert daemon.stdout is not None
    yield daemon.stdout.readline().strip()
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()


async def test_the_desktops_file_manager_is_asked(session_bus: str, qapp, monkeypatch) -> None:
    """By its address, with what is not Latin encoded; without one the caller learns it."""
    from PySide6 import QtDBus

    class Manager(QtDBus.QDBusVirtualObject):
        """Notes what it is asked for."""

        asked: list[list[object]]

        def introspect(self, _path: str) -> str:
            return ""

        def handleMessage(self, message, connection) -> bool:  # noqa: N802  # Qt's name
            self.asked.append(message.arguments())
            return bool(connection.send(message.createReply()))

    client = QtDBus.QDBusConnection.connectToBus(session_bus, "titan-test-client")
    monkeypatch.setattr(QtDBus.QDBusConnection, "sessionBus", lambda: client)
    try:
        assert not await file_manager.show(PurePath("/d/a.js"))
        server = QtDBus.QDBusConnection.connectToBus(session_bus, "titan-test-server")
        manager = Manager()
        manager.asked = []
        assert server.registerVirtualObject("/org/freedesktop/FileManager1", manager)
        assert server.registerService("org.freedesktop.FileManager1")
        async with asyncio.timeout(10):
            assert await file_manager.show(PurePath("/d/счёт, 1.js"))
        assert manager.asked == [[["file:///d/%D1%81%D1%87%D1%91%D1%82,%201.js"], ""]]
    finally:
        for name in ("titan-test-client", "titan-test-server"):
            QtDBus.QDBusConnection.disconnectFromBus(name)
