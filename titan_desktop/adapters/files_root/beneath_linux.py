"""Beneath a root on Linux 5.6 and later: one `openat2` resolves the whole path under the kernel's own eyes.

RESOLVE_BENEATH refuses whatever leaves the root, RESOLVE_NO_SYMLINKS any link on the way (openat2(2)). Where the
call is missing (ENOSYS) or a sandbox forbids it (EPERM, as older Docker does), `beneath_posix` serves; so it does
for what is too long for one call (PATH_MAX).
"""

import ctypes
import errno
import os
import sys
from collections.abc import Sequence

from titan_desktop.adapters.files_root.beneath import LinkError
from titan_desktop.ports.files_root import PinnedRoot

if sys.platform == "linux":
    from titan_desktop.adapters.files_root.beneath_posix import PosixBeneath, open_root

    _SYS_OPENAT2 = 437  # the same on every architecture but alpha
    _RESOLVE_NO_MAGICLINKS = 0x02
    _RESOLVE_NO_SYMLINKS = 0x04
    _RESOLVE_BENEATH = 0x08
    _TRIES = 16
    """EAGAIN: something was renamed while the kernel looked; openat2(2) says to try again."""

    class _OpenHow(ctypes.Structure):
        _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))

    _libc = ctypes.CDLL(None, use_errno=True)

    class LinuxBeneath(PosixBeneath):
        """Through `openat2`, by the walk where it is not to be had."""

        def open(self, root: PinnedRoot, names: Sequence[str]) -> int:
            """See `Beneath`."""
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            descriptor = _openat2(root, names, flags)
            return super().open(root, names) if descriptor is None else descriptor

        def open_folder(self, root: PinnedRoot, names: Sequence[str]) -> int:
            """See `PosixBeneath`."""
            if names:
                descriptor = _openat2(root, names, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                if descriptor is not None:
                    return descriptor
            return super().open_folder(root, names)

    def _openat2(root: PinnedRoot, names: Sequence[str], flags: int) -> int | None:
        """Return a descriptor, or None where the system will not have the call, or not with this path."""
        how = _OpenHow(flags, 0, _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS)
        path = os.fsencode("/".join(names))
        folder = open_root(root, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            for _ in range(_TRIES):
                descriptor = int(
                    _libc.syscall(_SYS_OPENAT2, folder, path, ctypes.byref(how), ctypes.sizeof(how))
                )
                if descriptor >= 0:
                    return descriptor
                number = ctypes.get_errno()
                if number not in {errno.EAGAIN, errno.EINTR}:
                    break
        finally:
            os.close(folder)
        if number in {errno.ENOSYS, errno.EPERM, errno.ENAMETOOLONG}:
            return None
        if number in {errno.ELOOP, errno.EXDEV}:
            raise LinkError(number, os.strerror(number), "/".join(names))
        raise OSError(number, os.strerror(number), "/".join(names))
