"""Beneath a root on Windows: open first, then ask the system where the open handle really lies.

A handle names one file for good, so a link or a junction swapped in between shows in its final path, which then
differs from the path that was asked for (GetFinalPathNameByHandleW). The path of a root is final when it is
pinned, so that holds for links above it, too.
"""

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Sequence

from titan_desktop.adapters.files_root.beneath import (
    AnotherFolderError,
    Entry,
    LinkError,
    RootAwayError,
    entry_of,
)
from titan_desktop.adapters.files_root.windows_names import is_device_or_stream
from titan_desktop.ports.files_root import PinnedRoot

if sys.platform == "win32":
    import msvcrt
    from ctypes import wintypes

    from titan_desktop.adapters.files_root.folder_windows import WindowsFolder

    _LINK_TAGS = {stat.IO_REPARSE_TAG_SYMLINK, stat.IO_REPARSE_TAG_MOUNT_POINT}
    """Other reparse points are whole files: deduplicated, or kept by OneDrive, where many a Desktop lives."""
    _NOT_HERE = 0x0040_0000
    """FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS: reading would fetch the file from the network."""
    _FINAL_PATH_CHARACTERS = 32_768

    _final_path = ctypes.WinDLL("kernel32", use_last_error=True).GetFinalPathNameByHandleW
    _final_path.argtypes = (wintypes.HANDLE, wintypes.LPWSTR, wintypes.DWORD, wintypes.DWORD)
    _final_path.restype = wintypes.DWORD

    class WindowsBeneath:
        """By handles and their final paths."""

        def pin(self, path: str) -> PinnedRoot:
            """See `Beneath`."""
            status = os.lstat(path)
            if os.path.normcase(os.path.realpath(path)) != os.path.normcase(path):
                raise LinkError(errno.ELOOP, "the path leads through a link", path)
            if not stat.S_ISDIR(status.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            return PinnedRoot(path, status.st_dev, status.st_ino)

        def open(self, root: PinnedRoot, names: Sequence[str]) -> int:
            """See `Beneath`."""
            _refuse_devices(names)
            path = os.path.join(root.path, *names)  # noqa: PTH118 - text, as the system takes it
            descriptor = os.open(path, os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT)
            try:
                final = _final_path_of(descriptor)
            except OSError:
                os.close(descriptor)
                raise
            if os.path.normcase(final) != os.path.normcase(path):
                os.close(descriptor)
                raise LinkError(errno.ELOOP, "the path leads through a link", path)
            return descriptor

        def status(self, root: PinnedRoot, names: Sequence[str]) -> os.stat_result:
            """See `Beneath`."""
            _refuse_devices(names)
            self._refuse_links(root, names[:-1])
            status = os.lstat(os.path.join(root.path, *names))  # noqa: PTH118
            if status.st_reparse_tag in _LINK_TAGS:
                raise LinkError(errno.ELOOP, "the path leads through a link", names[-1])
            return status

        def entries(self, root: PinnedRoot, names: Sequence[str]) -> list[Entry]:
            """See `Beneath`. A link swapped in just here shows names at most: files are opened by `open` alone."""
            self._refuse_links(root, names)
            found = []
            with os.scandir(os.path.join(root.path, *names)) as listing:  # noqa: PTH118
                for name in listing:
                    try:
                        status = name.stat(follow_symlinks=False)
                    except OSError:
                        continue
                    if status.st_reparse_tag in _LINK_TAGS or status.st_file_attributes & _NOT_HERE:
                        continue
                    found.append(entry_of(name.name, status))
            return found

        def folder(self, root: PinnedRoot, names: Sequence[str]) -> WindowsFolder:
            """See `Beneath`. Held first, looked at then: nothing above it can be exchanged any more."""
            _refuse_devices(names)
            folder = WindowsFolder(os.path.join(root.path, *names))  # noqa: PTH118
            try:
                self._refuse_links(root, names)
            except BaseException:
                folder.close()
                raise
            return folder

        def _refuse_links(self, root: PinnedRoot, names: Sequence[str]) -> None:
            path = root.path
            try:
                pinned = self.pin(path)
            except LinkError as error:
                raise AnotherFolderError(error.errno, error.strerror, path) from error
            except OSError as error:
                raise RootAwayError(error.errno, error.strerror, path) from error
            if pinned != root:
                raise AnotherFolderError(errno.ESTALE, "another folder", path)
            for name in names:
                path = os.path.join(path, name)  # noqa: PTH118
                if os.lstat(path).st_reparse_tag in _LINK_TAGS:
                    raise LinkError(errno.ELOOP, "the path leads through a link", path)

    def _refuse_devices(names: Sequence[str]) -> None:
        for name in names:
            if is_device_or_stream(name):
                raise LinkError(errno.ELOOP, "the name stands for a device or a stream", name)

    def _final_path_of(descriptor: int) -> str:
        buffer = ctypes.create_unicode_buffer(_FINAL_PATH_CHARACTERS)
        length = _final_path(msvcrt.get_osfhandle(descriptor), buffer, _FINAL_PATH_CHARACTERS, 0)
        if not 0 < length < _FINAL_PATH_CHARACTERS:
            raise ctypes.WinError(ctypes.get_last_error())
        final = buffer.value.removeprefix("\\\\?\\")
        return "\\\\" + final.removeprefix("UNC\\") if final.startswith("UNC\\") else final
