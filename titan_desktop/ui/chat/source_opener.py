"""Opens the files and links of an answer: the core checks whether a file may be opened, the system opens it."""

from collections.abc import Awaitable, Callable
from pathlib import PurePath

from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QDesktopServices

from titan_bus import BusError
from titan_desktop.client import foreign
from titan_desktop.contracts import files
from titan_desktop.contracts.sources import Place
from titan_desktop.system import processes
from titan_desktop.ui.base import file_manager, viewers
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.chat import links, openable


def open_url(url: QUrl) -> bool:
    """Pass a URL to the system, and return whether it was opened: on Linux Qt starts a program of ours for it."""
    with processes.without_secrets():
        return QDesktopServices.openUrl(url)


class SourceOpener:
    """Opens files and links, or shows a file in its folder. Returns a sentence on failure, "" on success.

    Args:
        bridge: the connection to the core.
        open_url: passes a URL to the system and returns whether it was opened.
        show_file: shows a file in the system's file manager, and returns whether it did.
        open_at: opens a file at a place in it, and returns whether it could.
    """

    def __init__(
        self,
        bridge: Bridge,
        open_url: Callable[[QUrl], bool] = open_url,
        show_file: Callable[[PurePath], Awaitable[bool]] = file_manager.show,
        open_at: Callable[[PurePath, Place], Awaitable[bool]] = viewers.open_at,
    ) -> None:
        self._bridge = bridge
        self._open_url = open_url
        self._show_file = show_file
        self._open_at = open_at

    async def open_file(self, path: str) -> str:
        """Open a file, if it is in the folders and still there; show what may run in its folder."""
        found, sentence = await self._locate(path)
        if found is None:
            return sentence
        is_opened = openable.is_opened(found)
        if not is_opened and await self._show_file(found):
            return ""
        shown = found if is_opened else found.parent
        if not self._open_url(file_manager.url_of(shown)):
            return QCoreApplication.translate("Source", "No program on this computer opens {name}.").format(
                name=foreign.isolated(found.name)
            )
        return ""

    async def open_at(self, path: str, place: Place) -> str | None:
        """Open a file as `open_file` does, at a place in it; None when its program cannot be told the place."""
        found, sentence = await self._locate(path)
        if found is None:
            return sentence
        return "" if openable.is_opened(found) and await self._open_at(found, place) else None

    async def show_in_folder(self, path: str) -> str:
        """Show a file in its folder, if it is in the folders and still there."""
        found, sentence = await self._locate(path)
        if found is None:
            return sentence
        if await self._show_file(found) or self._open_url(file_manager.url_of(found.parent)):
            return ""
        return QCoreApplication.translate("Source", "The folder of {name} could not be shown.").format(
            name=foreign.isolated(found.name)
        )

    async def _locate(self, path: str) -> tuple[PurePath | None, str]:
        """Return where the file is, or None and why it may not be opened."""
        translate = QCoreApplication.translate
        name = foreign.isolated(PurePath(path).name)
        try:
            located = await self._bridge.ask(files.LocateSource(path=path))
        except BusError:
            return None, translate("Source", "Titan's core has not started yet. Try again in a moment.")
        if not located.allowed:
            return None, translate("Source", "{name} lies outside the folders that Titan may read.").format(
                name=name
            )
        if not located.exists:
            return None, translate("Source", "{name} is no longer there: it was moved or deleted.").format(
                name=name
            )
        return PurePath(located.path), ""

    def open_link(self, address: str) -> str:
        """Open a web or mail address in the person's own program; nothing else is opened."""
        url = links.safe(address)
        if url is not None and self._open_url(url):
            return ""
        return QCoreApplication.translate("Source", "The link could not be opened: {address}").format(
            address=foreign.name(address)
        )
