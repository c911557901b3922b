"""seccomp through ctypes: this process may make only the system calls that a parser needs (seccomp(2)).

A list of what is allowed, because a list of what is forbidden is out of date with the next kernel: threads,
memory, clocks, its own descriptors, opening for reading (Landlock says what). Refused with EPERM, among all
others: sockets, programs, other processes, io_uring, bpf, name spaces, and whatever changes the file tree. The
filter binds all threads at once (TSYNC). libseccomp would write the same program, but is not on every machine
and in no wheel.
"""

import ctypes
import errno
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

if sys.platform == "linux":
    from titan_desktop.adapters.sandbox import syscalls

    _SET_MODE_FILTER = 1
    _FLAG_TSYNC = 1
    _RET_ALLOW, _RET_ERRNO, _RET_KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000

    # Classic BPF (linux/bpf_common.h), and where seccomp_data has what.
    _LOAD, _RETURN = 0x20, 0x06
    _IF_EQUAL, _IF_ANY_BIT = 0x15, 0x45
    _NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

    _CLONE_THREAD = 0x0001_0000
    _O_TMPFILE = 0o20_000_000
    _WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | _O_TMPFILE
    _MAP_SHARED, _MAP_GROWSDOWN = 1, 0x100
    _PR_SET_NAME, _PR_GET_NAME = 15, 16
    _AF_UNIX, _SOCK_STREAM, _SOCK_FLAGS = 1, 1, 0o2_004_000
    _FCNTL = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC: no lock, no lease

    _ANSWERED = {
        # As an older kernel would: their arguments lie in memory, where no filter looks. glibc has another way.
        "clone3": errno.ENOSYS,
        "openat2": errno.ENOSYS,
        # kreuzberg makes the folder that pdfium lies in, and goes on if it is there; we laid it there.
        "mkdir": errno.EEXIST,
        "mkdirat": errno.EEXIST,
    }

    class Instruction(NamedTuple):
        """struct sock_filter."""

        code: int
        if_true: int
        if_false: int
        value: int

    @dataclass(frozen=True, slots=True)
    class Check:
        """A condition on a call's argument, of which the kernel reads the lower 32 bits.

        Attributes:
            argument: its number, from 0.
            equals: one of these values; empty: not asked.
            has: a bit that must be set; 0: not asked.
            lacks: bits that must not be set.
        is_null: a pointer that must be none, all 64 bits of it.
        """

        argument: int
        equals: Sequence[int] = ()
        has: int = 0
        lacks: int = 0
        is_null: bool = False

    def restrict() -> str:
        """Put the filter on all threads of this process. Needs no_new_privs. Returns the architecture.

        Raises:
            OSError: the kernel was built without it, or the machine is of an architecture that we do not know.
        """
        machine = platform.machine()
        known = syscalls.ARCHITECTURES.get(machine)
        if known is None or ctypes.sizeof(ctypes.c_void_p) != 8:  # noqa: PLR2004 - a 32-bit program on it
            raise OSError(errno.ENOSYS, f"not known for {machine}")
        program = assembled(known, os.getpid())
        packed = (_SockFilter * len(program))(*(_SockFilter(*one) for one in program))
        libc = ctypes.CDLL(None, use_errno=True)
        found = libc.syscall(
            ctypes.c_long(known.numbers["seccomp"]),
            ctypes.c_uint(_SET_MODE_FILTER),
            ctypes.c_uint(_FLAG_TSYNC),
            ctypes.byref(_SockProgram(len(program), packed)),
        )
        if found != 0:  # a positive one names the thread that could not follow
            number = ctypes.get_errno() if found < 0 else errno.ESRCH
            raise OSError(number, os.strerror(number))
        return machine

    def assembled(known: "syscalls.Architecture", own_pid: int) -> list[Instruction]:
        """Return the filter: checks of the architecture, the calls with conditions, the free ones, the refusal."""
        numbers = known.numbers
        program = [
            Instruction(_LOAD, 0, 0, _ARCHITECTURE),
            Instruction(_IF_EQUAL, 1, 0, known.audit),
            Instruction(_RETURN, 0, 0, _RET_KILL_PROCESS),
            Instruction(_LOAD, 0, 0, _NUMBER),
        ]
        for name, checks in _conditions(own_pid).items():
            if name in numbers:
                program += _when(numbers[name], _checked(checks))
        for name, number in _ANSWERED.items():
            if name in numbers:
                program += _when(numbers[name], [_refusal(number)])
        free = [numbers[name] for name in syscalls.FREE if name in numbers]
        program += [Instruction(_IF_EQUAL, len(free) - at, 0, number) for at, number in enumerate(free)]
        return [*program, _refusal(errno.EPERM), _allowance()]

    def _conditions(own_pid: int) -> dict[str, tuple[Check, ...]]:
        return {
            "clone": (Check(0, has=_CLONE_THREAD),),  # a thread, neither a process nor a name space
            "open": (Check(1, lacks=_WRITING),),
            "openat": (Check(2, lacks=_WRITING),),
            # RLIMIT_DATA counts private memory alone, and none that grows downwards (mm/vma.c, is_data_mapping).
            "mmap": (Check(3, lacks=_MAP_SHARED | _MAP_GROWSDOWN),),
            "kill": (Check(0, equals=(own_pid,)),),
            "tgkill": (Check(0, equals=(own_pid,)),),
            "prctl": (Check(0, equals=(_PR_SET_NAME, _PR_GET_NAME)),),
            "fcntl": (Check(1, equals=_FCNTL),),
            "setpriority": (Check(0, equals=(0,)), Check(1, equals=(0,))),  # of the calling thread
            "prlimit64": (Check(2, is_null=True),),  # asks alone: how large a thread's stack may be
            # tokio makes a pair to wake itself; a pair of streams reaches nobody else.
            "socketpair": (
                Check(0, equals=(_AF_UNIX,)),
                Check(1, has=_SOCK_STREAM, lacks=0xFFFF_FFFF & ~(_SOCK_STREAM | _SOCK_FLAGS)),
            ),
        }

    def _when(number: int, block: Sequence[Instruction]) -> list[Instruction]:
        """Run a block, which always returns, for this call alone."""
        return [Instruction(_IF_EQUAL, 0, len(block), number), *block]

    def _checked(checks: Iterable[Check]) -> list[Instruction]:
        block: list[Instruction] = []
        for check in checks:
            place = _ARGUMENTS + 8 * check.argument  # both architectures are little-endian
            if check.is_null:
                block += [Instruction(_LOAD, 0, 0, place + 4), Instruction(_IF_EQUAL, 1, 0, 0)]
                block.append(_refusal(errno.EPERM))
            block.append(Instruction(_LOAD, 0, 0, place))
            if check.lacks:
                block += [Instruction(_IF_ANY_BIT, 0, 1, check.lacks), _refusal(errno.EPERM)]
            if check.has:
                block += [Instruction(_IF_ANY_BIT, 1, 0, check.has), _refusal(errno.EPERM)]
            if equals := (0,) if check.is_null else check.equals:
                block += [
                    Instruction(_IF_EQUAL, len(equals) - at, 0, value) for at, value in enumerate(equals)
                ]
                block.append(_refusal(errno.EPERM))
        return [*block, _allowance()]

    def _refusal(number: int) -> Instruction:
        return Instruction(_RETURN, 0, 0, _RET_ERRNO | number)

    def _allowance() -> Instruction:
        return Instruction(_RETURN, 0, 0, _RET_ALLOW)

    class _SockFilter(ctypes.Structure):
        _fields_ = (
            ("code", ctypes.c_uint16),
            ("jt", ctypes.c_uint8),
            ("jf", ctypes.c_uint8),
            ("k", ctypes.c_uint32),
        )

    class _SockProgram(ctypes.Structure):
        _fields_ = (("len", ctypes.c_uint16), ("filter", ctypes.POINTER(_SockFilter)))
