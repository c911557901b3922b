"""Whether Linux has a watch left for this user, which watchdog tells of the first folder of a root alone.

Without it the folders further down would be unwatched in silence. Other systems watch a tree as one.
"""

import ctypes
import errno
import os
import sys

_IN_DELETE_SELF = 0x400


def is_used_up() -> bool:
    """Ask the kernel for one more watch (inotify_add_watch(2)), and give it back."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = int(libc.inotify_init1(os.O_CLOEXEC))
    if descriptor < 0:  # no other instance: that says nothing of the watches of the one which is open
        return False
    try:
        return int(libc.inotify_add_watch(descriptor, b"/", _IN_DELETE_SELF)) < 0 and (
            ctypes.get_errno() == errno.ENOSPC
        )
    finally:
        os.close(descriptor)
