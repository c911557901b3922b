"""The sandbox on macOS: a Seatbelt profile that the process puts on itself (`sandbox_init`), as browsers do.

Everything is denied but reading libraries, and what a process may ask of itself. It binds all threads. Apple calls
the function deprecated and has given no other for a program that is not in the App Store. Written from the sources
of Chromium (sandbox/mac, common.sb) and Firefox; not run by its author.
"""

import ctypes
import errno
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from titan_desktop.contracts.security import Mechanism

_LIBRARIES = (
    *("/usr/lib", "/System/Library", "/System/Volumes/Preboot/Cryptexes"),
    *("/Library/Fonts", "/private/etc/localtime", "/private/var/db/timezone"),
    *("/dev/null", "/dev/random", "/dev/urandom"),
)


def profile(readable: Iterable[Path]) -> str:
    """Return the profile in Seatbelt's language. Whether a file is there may be asked of any, as on Linux."""
    places = "\n  ".join(f"(subpath {_quoted(str(place))})" for place in (*readable, *_LIBRARIES))
    return f"""(version 1)
(deny default)
(allow file-read-metadata)
(allow file-read* file-map-executable
  {places})
(allow sysctl-read)
(allow process-info* (target self))
(allow signal (target self))
"""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


if sys.platform == "darwin":
    from titan_desktop.adapters.sandbox.posix import limit_files

    class MacSandbox:
        """See `ports.sandbox.Sandbox`."""

        def close(self, readable: Sequence[Path]) -> tuple[Mechanism, ...]:
            """See `Sandbox`. Paths are resolved: Seatbelt judges by the real one."""
            try:
                _begin(profile(place.resolve() for place in readable))
            except (OSError, AttributeError) as error:  # AttributeError: a system without the function
                seatbelt = Mechanism(name="seatbelt", in_force=False, detail=str(error))
            else:
                seatbelt = Mechanism(name="seatbelt", in_force=True)
            return (limit_files(), seatbelt)

    def _begin(text: str) -> None:
        library = ctypes.CDLL("/usr/lib/libsandbox.1.dylib", use_errno=True)
        library.sandbox_init.argtypes = (ctypes.c_char_p, ctypes.c_uint64, ctypes.POINTER(ctypes.c_char_p))
        complaint = ctypes.c_char_p()
        if library.sandbox_init(text.encode(), 0, ctypes.byref(complaint)) != 0:
            said = (complaint.value or b"").decode("utf-8", "replace")
            raise OSError(errno.EPERM, said or "sandbox_init failed")
