"""The window: pixels and models, nothing that stores or computes."""

import ctypes
import sys

if sys.version_info < (3, 12):
    # PySide6 6.12 is built with the headers of Python 3.12, where None is immortal: each of its methods that returns
    # nothing takes one reference to None away, and on 3.11 the program dies of it after some 5,000 calls ("Fatal
    # Python error: none_dealloc"). A count that cannot run out makes None immortal here too. A reference count is an
    # object's first field (PyObject.ob_refcnt).
    ctypes.c_ssize_t.from_address(id(None)).value += 1 << 60
