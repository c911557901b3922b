"""The system's trash, into which a name is moved out of a folder that is held open.

Linux: freedesktop's Trash specification 1.0, the home's trash or that of the disk; file managers show and restore
what is in it. macOS: the folder that Finder shows. Both by a rename between two open folders. Windows: the shell
moves by path (SHFileOperationW) while the folder is held, so that the path stays what it is; macOS and Windows as
documented, not run by us.

The package send2trash was not taken: it works by paths alone, and follows links in them.
"""

import contextlib
import datetime as dt
import errno
import os
import stat
import sys
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import quote

from titan_desktop.adapters.files_root.folder import Folder
from titan_desktop.system import private_files

_NAMES_MAX = 10_000
_NAME_BYTES_MAX = 200
"""Of 255: room for a number and `.trashinfo`."""


class TrashError(Exception):
    """Nothing can be moved to the trash here; the text is the system's."""


class TrashPlace(Protocol):
    """A place in the trash. `trashed`: its path, "" where the trash does not tell."""

    trashed: str

    def take(self, folder: Folder, name: str) -> None:
        """Move a name there; raises OSError."""
        ...


class Trash(Protocol):
    """The trash of one disk."""

    def prepare(self, name: str, path: Path, stack: contextlib.ExitStack) -> TrashPlace:
        """Find a place for `path`; `stack` gives it up again if nothing was moved there. Raises TrashError."""
        ...


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    from titan_desktop.adapters.files_root.folder_windows import WindowsFolder  # noqa: TC001

    _FO_DELETE = 3
    _ALLOW_UNDO_WITHOUT_A_WINDOW = 0x40 | 0x04 | 0x10 | 0x400
    """FOF_ALLOWUNDO, FOF_SILENT, FOF_NOCONFIRMATION, FOF_NOERRORUI (shellapi.h)."""

    class _FileOperation(ctypes.Structure):
        """SHFILEOPSTRUCTW."""

        _fields_ = (
            ("window", wintypes.HWND),
            ("function", wintypes.UINT),
            ("source", wintypes.LPCWSTR),
            ("target", wintypes.LPCWSTR),
            ("flags", wintypes.WORD),
            ("aborted", wintypes.BOOL),
            ("mappings", wintypes.LPVOID),
            ("title", wintypes.LPCWSTR),
        )

    class _RecycleBin:
        trashed = ""

        def prepare(self, _name: str, _path: Path, _stack: contextlib.ExitStack) -> TrashPlace:
            return self

        def take(self, folder: Folder, name: str) -> None:
            path = os.path.join(cast("WindowsFolder", folder).path, name) + "\0"  # noqa: PTH118 - a list that ends with two NULs
            operation = _FileOperation(None, _FO_DELETE, path, None, _ALLOW_UNDO_WITHOUT_A_WINDOW)
            failed = ctypes.windll.shell32.SHFileOperationW(ctypes.byref(operation))
            if failed or operation.aborted:
                raise OSError(errno.EACCES, f"the Recycle Bin refused it ({failed})", name)

    def system_trash(_path: Path, _device: int) -> Trash:
        """Return the Recycle Bin."""
        return _RecycleBin()

else:
    from titan_desktop.adapters.files_root.folder_posix import PosixFolder

    _FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

    class _PosixTrash:
        """A folder of files and, on Linux, one of notes; `top`: of another disk than the home's."""

        def __init__(self, files: Path, notes: Path | None, top: Path | None = None) -> None:
            self._files = files
            self._notes = notes
            self._top = top

        def prepare(self, name: str, path: Path, stack: contextlib.ExitStack) -> "_Place":
            try:
                self._refuse_links()
                for folder in filter(None, (self._files, self._notes)):
                    private_files.own_folder(folder)
                files = stack.enter_context(PosixFolder(os.open(self._files, _FOLDER)))
                notes = None
                if self._notes is not None:
                    notes = stack.enter_context(PosixFolder(os.open(self._notes, _FOLDER)))
                return self._place(name, path, files, notes, stack)
            except OSError as error:
                raise TrashError(error.strerror or str(error)) from error

        def _refuse_links(self) -> None:
            """Refuse a link in the trash of a disk, which somebody else may have written."""
            if self._top is not None:
                for part in self._files.relative_to(self._top).parents:
                    if (self._top / part).is_symlink():
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(self._top / part))

        def _place(
            self,
            name: str,
            path: Path,
            files: PosixFolder,
            notes: PosixFolder | None,
            stack: contextlib.ExitStack,
        ) -> "_Place":
            for number in range(1, _NAMES_MAX):
                chosen = _numbered(name, number)
                with contextlib.suppress(FileNotFoundError):
                    files.status(chosen)
                    continue
                if notes is None or self._note(notes, chosen, path):
                    place = _Place(str(self._files / chosen), files, chosen)
                    if notes is not None:
                        stack.callback(place.give_up, notes)
                    return place
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)

        def _note(self, notes: PosixFolder, chosen: str, path: Path) -> bool:
            """Write where a thing comes from, before it comes, as the specification wants; False: a taken name."""
            there = path if self._top is None else path.relative_to(self._top)
            now = dt.datetime.now().astimezone().strftime("%Y-%m-%dT%H:%M:%S")
            try:
                descriptor = notes.create(f"{chosen}.trashinfo", 0o600)
            except FileExistsError:
                return False
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"[Trash Info]\nPath={quote(os.fsencode(there))}\nDeletionDate={now}\n")
            return True

    class _Place:
        def __init__(self, trashed: str, files: PosixFolder, chosen: str) -> None:
            self.trashed = trashed
            self._files = files
            self._chosen = chosen

        def take(self, folder: Folder, name: str) -> None:
            cast("PosixFolder", folder).move(name, self._files, self._chosen)
            self._files.sync()

        def give_up(self, notes: PosixFolder) -> None:
            """Remove the note if nothing has come."""
            with contextlib.suppress(OSError):
                self._files.status(self._chosen)
                return
            with contextlib.suppress(OSError):
                notes.remove(f"{self._chosen}.trashinfo")

    def system_trash(path: Path, device: int) -> Trash:
        """Return the trash for what is at `path`, on this device: the home's, or the disk's own."""
        home = Path.home() / ".Trash" if sys.platform == "darwin" else _data_home() / "Trash"
        if device == _device_of(home):
            return _PosixTrash(home, None) if sys.platform == "darwin" else _with_notes(home)
        top = _top_of(path.parent, device)
        owner = str(os.getuid())
        if sys.platform == "darwin":
            return _PosixTrash(top / ".Trashes" / owner, None, top)
        shared = top / ".Trash"
        with contextlib.suppress(OSError):
            status = shared.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
                return _with_notes(shared / owner, top)
        return _with_notes(top / f".Trash-{owner}", top)

    def _with_notes(trash: Path, top: Path | None = None) -> Trash:
        return _PosixTrash(trash / "files", trash / "info", top)

    def _data_home() -> Path:
        """XDG Base Directory Specification; a relative path there counts as none."""
        named = Path(os.environ.get("XDG_DATA_HOME", ""))
        return named if named.is_absolute() else Path.home() / ".local" / "share"

    def _device_of(folder: Path) -> int:
        """Return the device of a folder, or of the nearest above it that is there."""
        for path in (folder, *folder.parents):
            with contextlib.suppress(OSError):
                return path.stat().st_dev
        return -1

    def _top_of(folder: Path, device: int) -> Path:
        """Return the topmost folder of the disk that `folder` lies on. One that is exchanged ends in EXDEV."""
        while folder.parent != folder and folder.parent.stat().st_dev == device:
            folder = folder.parent
        return folder


def forget_note(trashed: str) -> None:
    """Remove what the trash has noted of something that was taken out of it, where it notes anything."""
    path = Path(trashed)
    with contextlib.suppress(OSError):
        (path.parent.with_name("info") / f"{path.name}.trashinfo").unlink()


def _numbered(name: str, number: int) -> str:
    """Return `name`, `name.2`, `name.3` … short enough for every file system."""
    raw = os.fsencode(name)
    if len(raw) > _NAME_BYTES_MAX:
        name = raw[:_NAME_BYTES_MAX].decode(errors="ignore")
    return name if number == 1 else f"{name}.{number}"
