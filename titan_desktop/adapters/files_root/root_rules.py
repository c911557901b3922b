"""Which folders are not read as Desktop or Downloads, whatever a link or a settings file of the system says.

A root's path may lead anywhere: `user-dirs.dirs` may name `/etc`, a Desktop may be a link to the home. A folder
that holds the home, is hidden or belongs to the system is read only when the person consents to exactly that
folder. Redirected folders are normal and stay allowed: another disk, a network share, OneDrive on Windows
(beneath the home) and macOS (`~/Library/CloudStorage`), iCloud Drive (`~/Library/Mobile Documents`).
"""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from titan_desktop.ports.files_root import PinnedRoot, RootFault

_PLATFORM = sys.platform
_LINUX_SYSTEM = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/lost+found", "/nix", "/opt"),
    *("/proc", "/root", "/run", "/sbin", "/snap", "/sys", "/usr", "/var"),
)
"""hier(7) and the Filesystem Hierarchy Standard 3.0; `/srv`, `/mnt` and `/media` hold what people put there."""
_LINUX_OTHERS = ("/run/media", "/var/home", "/var/tmp")  # noqa: S108  # nothing is written there
"""Removable disks on Fedora and Arch, homes where the system is an image (Silverblue), and everybody's."""
_MACOS_SYSTEM = (
    *("/Applications", "/Library", "/Network", "/System", "/bin", "/cores", "/dev", "/opt", "/private"),
    *("/sbin", "/usr"),
)
_MACOS_OTHERS = ("/private/tmp", "/private/var/folders")
_MACOS_CLOUDS = ("CloudStorage", "Mobile Documents")
_WINDOWS_SYSTEM = ("SystemRoot", "ProgramFiles", "ProgramFiles(x86)", "ProgramW6432", "ProgramData")
"""Environment variables that name the system's folders."""


def fault_of(root: PinnedRoot) -> RootFault | None:
    """Return why a folder may not be a root without the person's consent; None: it may."""
    path, home = Path(root.path), Path(os.path.realpath(Path.home()))
    if any(_is_same(root, folder) for folder in (home, *home.parents)):
        return RootFault.HOLDS_HOME
    if path.is_relative_to(home):
        names = path.relative_to(home).parts
        return RootFault.HIDDEN if _is_hidden(root.path, names) else None
    if any(path.is_relative_to(folder) for folder in _others()):
        return None
    if any(path.is_relative_to(folder) for folder in _system()):
        return RootFault.SYSTEM
    return RootFault.HIDDEN if _is_hidden(root.path, path.parts) else None


def _is_same(root: PinnedRoot, folder: Path) -> bool:
    """Compare by identity: a bind mount, or a file system that takes both cases, spells one folder in two ways."""
    try:
        status = folder.stat()
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == (root.device, root.inode)


def _is_hidden(path: str, names: tuple[str, ...]) -> bool:
    if any(name.startswith(".") for name in names):
        return True
    if _PLATFORM == "darwin":
        return names[:1] == ("Library",) and names[1:2] not in {(cloud,) for cloud in _MACOS_CLOUDS}
    if _PLATFORM == "win32":
        if names[:1] and names[0].lower() == "appdata":
            return True
        return bool(getattr(os.lstat(path), "st_file_attributes", 0) & stat.FILE_ATTRIBUTE_HIDDEN)
    return False


def _others() -> tuple[str, ...]:
    """Return the folders within the system's that are none of them."""
    if _PLATFORM == "darwin":
        return _MACOS_OTHERS
    return () if _PLATFORM == "win32" else _LINUX_OTHERS


def _system() -> Iterator[str]:
    if _PLATFORM == "darwin":
        yield from _MACOS_SYSTEM
    elif _PLATFORM == "win32":
        yield from filter(None, map(os.environ.get, _WINDOWS_SYSTEM))
    else:
        yield from _LINUX_SYSTEM
