"""What the system's file manager calls a folder: «Рабочий стол» where the disk has `Desktop`.

Linux makes the folders in the person's language (freedesktop's xdg-user-dirs), so the name on the disk is what is
shown. macOS and Windows keep English names on the disk and show translated ones. Window and commands ask here.
"""

import ctypes
import sys
from collections.abc import Iterable
from pathlib import Path, PurePath


def folder_name(folder: str | PurePath) -> str:
    """Return a folder's name as people see it."""
    path = PurePath(folder)
    return _shown(path) or path.name or str(path)


def shown_path(path: str | PurePath, roots: Iterable[PurePath]) -> str:
    """Return a path from the root that it lies in: "Desktop/Tax". Elsewhere the home is a tilde."""
    for root in roots:
        if PurePath(path).is_relative_to(root):
            return str(PurePath(folder_name(root)) / PurePath(path).relative_to(root))
    try:
        return str(Path("~") / Path(path).relative_to(Path.home()))
    except (ValueError, RuntimeError):  # elsewhere, or nobody's home is known
        return str(path)


if sys.platform == "win32":
    _SHGFI_DISPLAYNAME = 0x200

    class _ShellFileInfo(ctypes.Structure):
        """SHFILEINFOW (shellapi.h)."""

        _fields_ = (
            ("icon", ctypes.c_void_p),
            ("icon_index", ctypes.c_int),
            ("attributes", ctypes.c_ulong),
            ("display_name", ctypes.c_wchar * 260),
            ("type_name", ctypes.c_wchar * 80),
        )

    def _shown(folder: PurePath) -> str:
        """Ask the shell, which reads `LocalizedResourceName` of the folder's desktop.ini (SHGetFileInfoW)."""
        info = _ShellFileInfo()
        found = ctypes.windll.shell32.SHGetFileInfoW(
            str(folder), 0, ctypes.byref(info), ctypes.sizeof(info), _SHGFI_DISPLAYNAME
        )
        return str(info.display_name) if found else ""

elif sys.platform == "darwin":
    _FOUNDATION = "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation"
    _UTF_8 = 0x08000100

    def _shown(folder: PurePath) -> str:
        """Ask for what Finder shows: `NSURLLocalizedNameKey`, by way of Core Foundation."""
        try:
            core = ctypes.CDLL(_FOUNDATION)
            key = ctypes.c_void_p.in_dll(core, "kCFURLLocalizedNameKey")
        except (OSError, ValueError):
            return ""
        core.CFURLCreateFromFileSystemRepresentation.restype = ctypes.c_void_p
        core.CFURLCreateFromFileSystemRepresentation.argtypes = (
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_long, ctypes.c_bool,
        )  # fmt: skip
        core.CFURLCopyResourcePropertyForKey.restype = ctypes.c_bool
        core.CFURLCopyResourcePropertyForKey.argtypes = (ctypes.c_void_p,) * 4
        core.CFStringGetCString.restype = ctypes.c_bool
        core.CFStringGetCString.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_long, ctypes.c_uint32)
        core.CFRelease.argtypes = (ctypes.c_void_p,)
        raw, name, buffer = str(folder).encode(), ctypes.c_void_p(), ctypes.create_string_buffer(1024)
        url = core.CFURLCreateFromFileSystemRepresentation(None, raw, len(raw), True)
        if not url:
            return ""
        try:
            if not core.CFURLCopyResourcePropertyForKey(url, key, ctypes.byref(name), None) or not name.value:
                return ""
            found = core.CFStringGetCString(name, buffer, len(buffer), _UTF_8)
            core.CFRelease(name)
            return buffer.value.decode() if found else ""
        finally:
            core.CFRelease(url)

else:

    def _shown(folder: PurePath) -> str:
        return folder.name
