"""Whether Linux has an inotify watch left for this user. watchdog reports it only for the first folder of a root.

Without this check the folders further down would silently be unwatched. Other systems watch a tree as one.
"""

import ctypes
import errno
import os
import sys

_IN_DELETE_SELF = 0x400


def is_used_up() -> bool:
    """Try to add one more watch (inotify_add_watch(2)), and remove it again."""
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
