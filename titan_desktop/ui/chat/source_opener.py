"""Opens the files and links of an answer: the core checks whether a file may be opened, the system opens it."""

from collections.abc import Callable
from pathlib import PurePath

from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QDesktopServices

from titan_bus import BusError
from titan_desktop.contracts import files
from titan_desktop.ui.base.bridge import Bridge

_SCHEMES = frozenset({"http", "https", "mailto"})
_PROGRAMS = frozenset(
    (  # noqa: SIM905 - thirty quoted words are no better to read
        ".bat .cmd .com .command .cpl .desktop .exe .hta .jar .js .jse .lnk .msc .msi .pif .ps1 .py .pyw .reg "
        ".scf .scr .sh .terminal .url .vb .vbe .vbs .webloc .ws .wsf .wsh"
    ).split()
)
"""Types that a system may run, or follow elsewhere, when it opens them: their folder is shown instead."""


class SourceOpener:
    """Opens files, links, and the folders of programs. Returns a sentence on failure, "" on success.

    Args:
        bridge: the connection to the core.
        open_url: passes a URL to the system and returns whether it was opened.
    """

    def __init__(self, bridge: Bridge, open_url: Callable[[QUrl], bool] = QDesktopServices.openUrl) -> None:
        self._bridge = bridge
        self._open_url = open_url

    async def open_file(self, path: str) -> str:
        """Open a file of an answer, if it is in the folders and still exists."""
        translate = QCoreApplication.translate
        name = PurePath(path).name
        try:
            located = await self._bridge.ask(files.LocateSource(path=path))
        except BusError:
            return translate("Source", "Titan's core is not there yet. Try again in a moment.")
        if not located.allowed:
            return translate("Source", "{name} lies outside the folders that Titan may read.").format(
                name=name
            )
        if not located.exists:
            return translate("Source", "{name} is no longer there: it was moved or deleted.").format(
                name=name
            )
        found = PurePath(located.path)
        shown = found.parent if found.suffix.lower() in _PROGRAMS else found
        if not self._open_url(QUrl.fromLocalFile(str(shown))):
            return translate("Source", "No program on this computer opens {name}.").format(name=name)
        return ""

    def open_link(self, address: str) -> str:
        """Open a web or mail address in the person's own program; nothing else is opened."""
        url = QUrl(address)
        if url.scheme().lower() in _SCHEMES and self._open_url(url):
            return ""
        return QCoreApplication.translate("Source", "The link could not be opened: {address}").format(
            address=address
        )
