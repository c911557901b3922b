"""Checks whether a window can be shown. Runs before Qt is imported, because Qt aborts the process otherwise.

Called by `__main__` for the window and by `titan doctor`. Imports nothing of Qt.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_DISPLAYLESS = frozenset({"offscreen", "minimal", "vnc", "linuxfb", "eglfs", "vkkhrdisplay"})
"""Qt platforms that draw without X11 and Wayland."""


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library that Qt loads, and the packages that bring it."""

    soname: str
    debian: str
    fedora: str


QT_LIBRARIES = (
    Library("libEGL.so.1", "libegl1", "libglvnd-egl"),
    Library("libGL.so.1", "libgl1", "libglvnd-glx"),
    Library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon"),
    Library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs"),
    Library("libfontconfig.so.1", "libfontconfig1", "fontconfig"),
)
X11_LIBRARIES = (
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11"),
    Library("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms"),
    Library("libxcb-image.so.0", "libxcb-image0", "xcb-util-image"),
    Library("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil"),
    Library("libxcb-shape.so.0", "libxcb-shape0", "libxcb"),
    Library("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb"),
)


def trouble(environment: Mapping[str, str] = os.environ) -> str:
    """Return why no window can be shown, with the cure, in one line; "" when it can."""
    if not has_display(environment):
        return (
            "titan: the window needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set."
            ' `titan ask "…"` works without one.'
        )
    if missing := missing_libraries(environment):
        return _install_sentence(missing)
    return ""


def has_display(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a display server, or a platform that needs none."""
    if not _is_linux() or _platform(environment) in _DISPLAYLESS:
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def missing_libraries(environment: Mapping[str, str] = os.environ) -> tuple[Library, ...]:
    """Return the system libraries that Qt would miss on this display. Only on Linux; elsewhere Qt brings them."""
    if not _is_linux():
        return ()
    wanted = QT_LIBRARIES + (X11_LIBRARIES if _uses_x11(environment) else ())
    return tuple(library for library in wanted if not _loads(library.soname, ctypes.CDLL))


def _is_linux() -> bool:
    return sys.platform.startswith("linux")


def _platform(environment: Mapping[str, str]) -> str:
    """Return the first platform of QT_QPA_PLATFORM (`wayland;xcb`, `vnc:port=5900`)."""
    return environment.get("QT_QPA_PLATFORM", "").split(";")[0].split(":")[0]


def _uses_x11(environment: Mapping[str, str]) -> bool:
    platform = _platform(environment)
    if platform:
        return platform == "xcb"
    return bool(environment.get("DISPLAY")) and not environment.get("WAYLAND_DISPLAY")


def _loads(soname: str, load: Callable[[str], object]) -> bool:
    try:
        load(soname)
    except OSError:
        return False
    return True


def _install_sentence(missing: tuple[Library, ...]) -> str:
    debian = " ".join(dict.fromkeys(library.debian for library in missing))
    fedora = " ".join(dict.fromkeys(library.fedora for library in missing))
    return (
        "titan: the window needs system libraries that are not installed;"
        f" on Debian or Ubuntu: sudo apt install {debian} (on Fedora: sudo dnf install {fedora})."
    )
