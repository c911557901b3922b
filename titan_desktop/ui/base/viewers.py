"""Opens a file at a place in it, by the programs that can be told so.

No system has a general way to do this: a URL's `#page=3` is dropped by xdg-open, Finder and ShellExecute alike. On
Linux the person's own program for the kind is asked for (freedesktop's xdg-mime), and started with the option that
its manual names, if it is one of these. Elsewhere, and for every other program, the place has to be told in words.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import PurePath

from PySide6.QtCore import QProcess, QUrl

from titan_desktop.contracts.sources import Lines, Pages, Place
from titan_desktop.system import processes
from titan_desktop.system.file_names import written

_PLATFORM: str = sys.platform
_PATIENCE_S = 3.0

Arguments = Callable[[str, int], list[str]]
"""Makes the arguments from a path and a page or line, from 1."""


def _option(name: str) -> Arguments:
    return lambda path, number: [f"{name}{number}", path]


def _fragment(path: str, number: int) -> list[str]:
    return [f"{QUrl.fromLocalFile(path).toString(QUrl.ComponentFormattingOption.FullyEncoded)}#page={number}"]


PAGE_VIEWERS: dict[str, tuple[str, Arguments]] = {
    "org.gnome.evince": ("evince", _option("--page-index=")),
    "evince": ("evince", _option("--page-index=")),
    "org.gnome.papers": ("papers", _option("--page-index=")),
    "atril": ("atril", _option("--page-index=")),
    "xreader": ("xreader", _option("--page-index=")),
    "org.kde.okular": ("okular", _option("--page=")),
    "okular": ("okular", _option("--page=")),
    "okularapplication_pdf": ("okular", _option("--page=")),
    "org.pwmt.zathura": ("zathura", _option("--page=")),
    "org.pwmt.zathura-pdf-mupdf": ("zathura", _option("--page=")),
    "firefox": ("firefox", _fragment),
    "firefox-esr": ("firefox-esr", _fragment),
    "google-chrome": ("google-chrome", _fragment),
    "chromium": ("chromium", _fragment),
    "chromium-browser": ("chromium-browser", _fragment),
    "microsoft-edge": ("microsoft-edge", _fragment),
}
LINE_EDITORS: dict[str, tuple[str, Arguments]] = {
    "org.kde.kate": ("kate", _option("--line=")),
    "org.kde.kwrite": ("kwrite", _option("--line=")),
    "org.gnome.gedit": ("gedit", _option("+")),
    "org.xfce.mousepad": ("mousepad", _option("--line=")),
    "xed": ("xed", _option("+")),
    "org.x.editor": ("xed", _option("+")),
    "pluma": ("pluma", _option("+")),
    "code": ("code", lambda path, number: ["--goto", f"{path}:{number}"]),
    "codium": ("codium", lambda path, number: ["--goto", f"{path}:{number}"]),
}


async def open_at(path: PurePath, place: Place) -> bool:
    """Open a file at a page or a line. Returns False when the person's program for it cannot be told the place."""
    if _PLATFORM != "linux" or written(str(path)) != str(path):  # Qt starts programs with UTF-8 alone
        return False
    return await asyncio.to_thread(_open_at, path, place)


def _open_at(path: PurePath, place: Place) -> bool:
    found = command(path, place, _default_program(place))
    program = shutil.which(found[0]) if found is not None else None
    if found is None or program is None:
        return False
    process = QProcess()
    process.setProgram(program)
    process.setArguments(found[1:])
    process.setStandardInputFile(QProcess.nullDevice())
    process.setStandardOutputFile(QProcess.nullDevice())
    process.setStandardErrorFile(QProcess.nullDevice())
    with processes.without_secrets():
        started: bool | tuple[bool, int] = process.startDetached()  # the stub's, and 6.12's
    return started[0] if isinstance(started, tuple) else started


def command(path: PurePath, place: Place, desktop_file: str) -> list[str] | None:
    """Return the command that opens a file at its place.

    Args:
        path: absolute, so it is never taken for an option.
        place: a page of a PDF or a line of a text; nothing else can be told to a program.
        desktop_file: of the person's program for the kind: "org.kde.okular.desktop".
    """
    match place:
        case Pages(first=number) if path.suffix.lower() == ".pdf":
            programs = PAGE_VIEWERS
        case Lines(first=number):
            programs = LINE_EDITORS
        case _:
            return None
    name = desktop_file.strip().removesuffix(".desktop").lower()
    if name not in programs:
        return None
    program, arguments = programs[name]
    return [program, *arguments(str(path), number)]


def _default_program(place: Place) -> str:
    """Ask for the program of PDFs, or that of plain text, whose places are lines."""
    kind = "application/pdf" if isinstance(place, Pages) else "text/plain"
    try:
        with processes.without_secrets():
            asked = subprocess.run(
                ["xdg-mime", "query", "default", kind],
                check=False,
                capture_output=True,
                text=True,
                timeout=_PATIENCE_S,
            )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout
