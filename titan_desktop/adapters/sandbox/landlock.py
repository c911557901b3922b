"""Landlock through ctypes: this thread and what it starts may read beneath some folders, no more (landlock(7)).

Every right that both the kernel and this module know is denied, unless it is reading beneath those folders. Two
things are beyond Landlock: the status of a file (stat), and descriptors that are open already, which is our way to
let a file in. The library on PyPI (`landlock`) is an alpha that stops at the third ABI.
"""

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

if sys.platform == "linux":
    _CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
    _VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
    _RULE_PATH_BENEATH = 1

    # LANDLOCK_ACCESS_FS_*, in the order of their bits; the ABI that knows the last of them.
    _READ_FILE, _READ_DIR = 1 << 2, 1 << 3
    _RIGHTS_OF_ABI = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
    _NETWORK_OF_ABI = ((4, 0b11),)  # bind and connect TCP
    _SCOPES_OF_ABI = ((6, 0b11),)  # abstract unix sockets and signals stay within

    class _RulesetAttributes(ctypes.Structure):
        _fields_ = (
            ("handled_access_fs", ctypes.c_uint64),
            ("handled_access_net", ctypes.c_uint64),  # since ABI 4
            ("scoped", ctypes.c_uint64),  # since ABI 6
        )

    class _PathBeneath(ctypes.Structure):
        _pack_ = 1
        _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))

    _libc = ctypes.CDLL(None, use_errno=True)

    def restrict(readable: Iterable[Path]) -> int:
        """Allow this thread to read beneath `readable`, and nothing else of the file tree, network and signals.

        What does not exist is passed over. Returns the kernel's ABI.

        Raises:
            OSError: the kernel has no Landlock (ENOSYS), has it switched off (EOPNOTSUPP), or may not use it.
        """
        abi = _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
        handled = _RulesetAttributes(
            _known(_RIGHTS_OF_ABI, abi), _known(_NETWORK_OF_ABI, abi), _known(_SCOPES_OF_ABI, abi)
        )
        size = ctypes.c_size_t(
            ctypes.sizeof(handled)
        )  # fields that an older kernel does not know are 0: accepted
        ruleset = _call(_CREATE_RULESET, ctypes.byref(handled), size, ctypes.c_uint32(0))
        try:
            for place in readable:
                _allow_reading(ruleset, place)
            _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
        finally:
            os.close(ruleset)
        return abi

    def _known(table: Iterable[tuple[int, int]], abi: int) -> int:
        return sum(rights for since, rights in table if since <= abi)

    def _allow_reading(ruleset: int, place: Path) -> None:
        try:
            parent = os.open(place, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        try:
            rights = _READ_FILE | _READ_DIR if place.is_dir() else _READ_FILE
            rule = _PathBeneath(rights, parent)
            _call(
                _ADD_RULE,
                ctypes.c_int(ruleset),
                ctypes.c_int(_RULE_PATH_BENEATH),
                ctypes.byref(rule),
                ctypes.c_uint32(0),
            )
        finally:
            os.close(parent)

    def _call(number: int, *arguments: object) -> int:
        result = int(_libc.syscall(ctypes.c_long(number), *arguments))
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result
