"""A folder on Windows: held open, so that nobody can rename it or a folder above it, then used by its path.

A handle that was opened without FILE_SHARE_DELETE keeps the folder's name and the names above it as they are
(Microsoft, "CreateFileW": dwShareMode; NTFS refuses to rename a folder with an open handle beneath it). Written
from the documentation, and not run by us.
"""

import ctypes
import os
import sys
from typing import Self

if sys.platform == "win32":
    from ctypes import wintypes

    from titan_desktop.adapters.files_root.windows_names import is_device_or_stream

    _FILE_LIST_DIRECTORY = 1
    _SHARE_READ_AND_WRITE = 3
    _OPEN_EXISTING = 3
    _BACKUP_SEMANTICS_AND_OPEN_REPARSE_POINT = 0x0220_0000
    _INVALID = wintypes.HANDLE(-1).value

    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _create_file = _kernel.CreateFileW
    _create_file.argtypes = (
        wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, wintypes.LPVOID, wintypes.DWORD, wintypes.DWORD,
        wintypes.HANDLE,
    )  # fmt: skip
    _create_file.restype = wintypes.HANDLE
    _close = _kernel.CloseHandle
    _close.argtypes = (wintypes.HANDLE,)

    class WindowsFolder:
        """See `folder.Folder`. `path` has no link in it; `is_as_named` is asked once the folder is held."""

        def __init__(self, path: str) -> None:
            self.path = path
            self._handle = _create_file(
                path, _FILE_LIST_DIRECTORY, _SHARE_READ_AND_WRITE, None, _OPEN_EXISTING,
                _BACKUP_SEMANTICS_AND_OPEN_REPARSE_POINT, None,
            )  # fmt: skip
            if self._handle == _INVALID:
                raise ctypes.WinError(ctypes.get_last_error())

        def create(self, name: str, mode: int) -> int:
            """See `Folder`."""
            return os.open(
                self._of(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_BINARY | os.O_NOINHERIT, mode
            )

        def status(self, name: str) -> os.stat_result:
            """See `Folder`."""
            return os.lstat(self._of(name))

        def make_folder(self, name: str) -> None:
            """See `Folder`."""
            os.mkdir(self._of(name))  # noqa: PTH102 - text, as the system takes it

        def move(self, name: str, to: Self, new_name: str, *, replace: bool = False) -> None:
            """See `Folder`. Here `rename` replaces nothing (MoveFileExW)."""
            (os.replace if replace else os.rename)(self._of(name), to._of(new_name))

        def remove(self, name: str) -> None:
            """See `Folder`."""
            os.unlink(self._of(name))  # noqa: PTH108

        def sync(self) -> None:
            """See `Folder`. NTFS journals its names."""

        def close(self) -> None:
            """See `Folder`."""
            _close(self._handle)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

        def _of(self, name: str) -> str:
            if is_device_or_stream(name):
                raise OSError(22, "the name stands for a device or a stream", name)
            return os.path.join(self.path, name)  # noqa: PTH118
