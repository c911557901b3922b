"""The window: pixels and models, nothing that stores or computes.

Every import of Qt passes here first, so two faults of PySide6 are worked around here, once.
"""

import builtins
import ctypes
import sys

if sys.version_info < (3, 12):
    # PySide6 6.12 is built with the headers of Python 3.12, where None, True and False are immortal: each of its
    # methods that returns one of them takes a reference away, and on 3.11 the program dies of it after some 5,000
    # calls ("Fatal Python error: none_dealloc"). A count that cannot run out makes them immortal here too. The
    # count is an object's first field (PyObject.ob_refcnt).
    for _immortal in (None, True, False):
        ctypes.c_ssize_t.from_address(id(_immortal)).value += 1 << 60

# PySide6 puts an `__import__` of its own into `builtins`, which reads the source of every module that is imported
# later, to find Qt's snake_case switch. We do not use the switch; taking the interpreter's own back saves a second
# of the start and 23 MB.
_plain_import = builtins.__import__

import PySide6.QtCore  # noqa: E402  # between taking note of the function and putting it back
import PySide6.QtGui  # noqa: E402
import PySide6.QtNetwork  # noqa: E402
import PySide6.QtWidgets  # noqa: E402, F401

builtins.__import__ = _plain_import
