"""Claims about the sandboxes that need no hostile parser: what other machines and older kernels make of them."""

import errno
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from titan_desktop.adapters.sandbox import macos, syscalls
from titan_desktop.adapters.sandbox.attempts import attempts
from titan_desktop.contracts.security import Act

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
PID = 4711
ALLOWED, KILLED = 0x7FFF0000, 0x80000000
REFUSED, OLD_KERNEL, THERE = (0x00050000 | number for number in (errno.EPERM, errno.ENOSYS, errno.EEXIST))


def answer_of(machine: str, call: str | int, *arguments: int, audit: int | None = None) -> int:
    """What the kernel's machine for classic BPF would answer (linux/bpf_common.h), for any architecture."""
    from titan_desktop.adapters.sandbox import seccomp

    known = syscalls.ARCHITECTURES[machine]
    number = known.numbers[call] if isinstance(call, str) else call
    words = [number, known.audit if audit is None else audit, 0, 0]
    words += [half for one in (*arguments, *[0] * 6) for half in (one & 0xFFFF_FFFF, one >> 32)]
    program, accumulator, at = seccomp.assembled(known, PID), 0, 0
    while True:
        code, if_true, if_false, value = program[at]
        if code == 0x06:
            return value
        if code == 0x20:
            accumulator, at = words[value // 4], at + 1
        else:
            met = accumulator == value if code == 0x15 else bool(accumulator & value)
            at += 1 + (if_true if met else if_false)


CALLS: list[tuple[str, Sequence[int], int]] = [
    ("read", (), ALLOWED),
    ("openat", (0, 0, 0o2000000), ALLOWED),  # O_CLOEXEC
    ("openat", (0, 0, 0o1), REFUSED),  # O_WRONLY
    ("openat", (0, 0, 0o100), REFUSED),  # O_CREAT
    ("openat", (0, 0, 0o20200000), REFUSED),  # O_TMPFILE
    ("mmap", (0, 4096, 3, 0x22), ALLOWED),  # private
    ("mmap", (0, 4096, 3, 0x20022), ALLOWED),  # a thread's stack, as glibc makes it
    ("mmap", (0, 4096, 3, 0x21), REFUSED),  # shared
    ("mmap", (0, 4096, 3, 0x122), REFUSED),  # a stack that grows downwards
    ("openat2", (), OLD_KERNEL),
    ("mkdirat", (), THERE),
    ("clone", (0x3D0F00,), ALLOWED),  # a thread, as glibc makes it
    ("clone", (0x1200011,), REFUSED),  # a process
    ("clone3", (), OLD_KERNEL),
    ("kill", (PID, 9), ALLOWED),
    ("kill", (1, 9), REFUSED),
    ("kill", (0xFFFF_FFFF, 9), REFUSED),
    ("tgkill", (PID, PID, 6), ALLOWED),
    ("prctl", (15,), ALLOWED),  # PR_SET_NAME
    ("prctl", (1, 0), REFUSED),  # PR_SET_PDEATHSIG: it would outlive the core
    ("fcntl", (3, 1030), ALLOWED),  # F_DUPFD_CLOEXEC
    ("fcntl", (3, 1024), REFUSED),  # F_SETLEASE
    ("prlimit64", (0, 3, 0, 0x7000_0000_0000), ALLOWED),
    ("prlimit64", (0, 3, 0x7000_0000_0000), REFUSED),
    ("socketpair", (1, 0o2004001), ALLOWED),  # AF_UNIX, a stream
    ("socketpair", (1, 2), REFUSED),  # datagrams go to any address
    ("socketpair", (2, 1), REFUSED),
    ("seccomp", (), REFUSED),
]


@ON_LINUX
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(("call", "arguments", "answer"), CALLS)
def test_the_filter_answers_alike_on_both_architectures(
    machine: str, call: str, arguments: Sequence[int], answer: int
) -> None:
    """Threads, memory and reading pass; processes, sockets and writing do not."""
    assert answer_of(machine, call, *arguments) == answer


@ON_LINUX
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_lets_nothing_pass_that_it_does_not_know(machine: str) -> None:
    """A call of a newer kernel, one by x86-64's other table (x32), one of a 32-bit program."""
    assert answer_of(machine, 5000) == REFUSED
    assert answer_of(machine, 0x4000_0000 | syscalls.ARCHITECTURES[machine].numbers["read"]) == REFUSED
    assert answer_of(machine, "read", audit=0x40000003) == KILLED


@ON_LINUX
def test_what_an_older_kernel_lacks_is_named_and_the_rest_holds() -> None:
    """Without Landlock a process is under seccomp all the same, which lets it write nothing."""
    program = (
        "import json, msgspec, os\n"
        "from titan_desktop.adapters.sandbox import SystemSandbox, landlock\n"
        "landlock._CREATE_RULESET = 100_000\n"
        "found = msgspec.to_builtins(SystemSandbox().close([]))\n"
        "try:\n"
        "    os.open('/dev/null', os.O_WRONLY)\n"
        "except PermissionError:\n"
        "    print(json.dumps(found))\n"
    )
    checkout = Path(__file__).parents[4]
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=checkout
    )
    found = {one["name"]: (one["in_force"], one["detail"]) for one in json.loads(ended.stdout)}
    assert found["landlock"] == (False, "Function not implemented")
    assert found["seccomp"][0]
    assert found["no_new_privs"][0]


def test_a_process_that_is_not_confined_is_told_as_that(tmp_path: Path) -> None:
    """Nothing that was tried counts as refused for another reason."""
    outside = tmp_path / "outside"
    outside.touch()
    assert {one.act: one.refused for one in attempts(outside)} == dict.fromkeys(Act, False)


def test_the_profile_of_macos_allows_reading_where_it_is_told_and_nothing_else() -> None:
    """Everything is denied first; a quote in a folder's name ends no string."""
    text = macos.profile([Path("/opt/titan"), Path('/odd") (allow network*) ("')])
    assert text.startswith("(version 1)\n(deny default)\n")
    assert '(subpath "/opt/titan")' in text
    assert '(subpath "/odd\\") (allow network*) (\\"")' in text
    allowed = [line for line in text.splitlines() if line.startswith("(allow")]
    assert not [line for line in allowed if "write" in line or "network" in line or "exec " in line]
