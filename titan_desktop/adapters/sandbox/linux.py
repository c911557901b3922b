"""The sandbox on Linux: no_new_privs, then Landlock for the file tree, then seccomp for the kernel's calls.

Each is asked of the running kernel and reported for itself. In this order, because Landlock's own calls are not
among those that seccomp lets through.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from titan_desktop.contracts.security import Mechanism

if sys.platform == "linux":
    from titan_desktop.adapters.sandbox import landlock, seccomp
    from titan_desktop.adapters.sandbox.posix import limit_files

    _PR_SET_NO_NEW_PRIVS = 38  # prctl(2)
    _LIBRARIES = (
        *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"),
        *("/usr/share/fonts", "/usr/local/share/fonts"),  # pdfium measures text whose font is not embedded
    )

    class LinuxSandbox:
        """See `ports.sandbox.Sandbox`."""

        def close(self, readable: Sequence[Path]) -> tuple[Mechanism, ...]:
            """See `Sandbox`."""
            places = [*readable, *map(Path, _LIBRARIES)]
            return (
                limit_files(),
                _tried("no_new_privs", _refuse_new_privileges),
                _tried("landlock", lambda: _restrict_files(places)),
                _tried("seccomp", seccomp.restrict),
            )

    def _tried(name: str, close: Callable[[], str]) -> Mechanism:
        try:
            return Mechanism(name=name, in_force=True, detail=close())
        except OSError as error:
            return Mechanism(name=name, in_force=False, detail=error.strerror or str(error))

    def _refuse_new_privileges() -> str:
        """Without it neither Landlock nor seccomp is to be had by a process without privileges."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return ""

    def _restrict_files(places: Sequence[Path]) -> str:
        if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - names are all we want
            # It binds the calling thread and its later children alone (landlock(7)).
            raise OSError(0, "other threads run already")
        return f"ABI {landlock.restrict(places)}"
