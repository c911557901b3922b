"""A worker whose parser does what the file says: it hangs, crashes, attacks. Confined as the product's is.

A file holds an act and its argument. An attack that is refused raises, as it would in a real parser; one that
succeeds gives a text, which is this process's id.
"""

import ctypes
import mmap
import os
import pickle
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from titan_desktop.adapters.extraction import messages, worker
from titan_desktop.adapters.extraction.limits import Limits
from titan_desktop.ports.extractor import Block, Extracted

MIB = 1024 * 1024
COMMAND = [sys.executable, "-m", "tests.titan_desktop.adapters.extraction.hostile_worker"]


def eat() -> None:
    kept = []
    while True:
        kept.append(b"x" * (8 * MIB))
        time.sleep(0.002)


def call(number: int, *arguments: object) -> None:
    """Make a call of the kernel's that Python has no function for."""
    if ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def in_a_thread(act: Callable[[], object]) -> None:
    """Let another thread try it, and raise what it met."""
    met: list[Exception] = []

    def run() -> None:
        try:
            act()
        except OSError as error:
            met.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if met:
        raise met[0]


def look_into(pid: int) -> None:
    """process_vm_readv(2) of one byte."""

    class Vector(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    here = ctypes.create_string_buffer(1)
    local, remote = Vector(ctypes.addressof(here), 1), Vector(0x1000, 1)
    call(310, pid, ctypes.byref(local), ctypes.c_ulong(1), ctypes.byref(remote), ctypes.c_ulong(1), 0)


def connect(family: int, address: object) -> None:
    with socket.socket(family) as one:
        one.connect(address)


def answer(data: bytes, times: int = 1) -> None:
    """Write to the pipe that the core reads answers from."""
    for number in range(3, 64):
        try:
            is_pipe = stat.S_ISFIFO(os.fstat(number).st_mode)
        except OSError:
            continue
        if is_pipe:
            for _ in range(times):
                os.write(number, data)
            return


class Bomb:
    """What ran in the core when answers were pickled."""

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path(self._mark),)  # type: ignore[return-value]


ACTS: dict[str, Callable[[str], object]] = {
    "good": lambda _: None,
    "hang": lambda _: time.sleep(600),
    "deaf": lambda _: ctypes.PyDLL(None).sleep(600),  # native code that holds the interpreter
    "abort": lambda _: os.abort(),
    "exit": lambda _: os._exit(3),
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "eat": lambda _: eat(),
    "gulp": lambda _: bytearray(64 * 1024 * MIB),
    "raise": lambda word: exec(f"raise {word}"),  # noqa: S102
    "read": lambda path: Path(path).read_bytes(),
    "read_in_thread": lambda path: in_a_thread(Path(path).read_bytes),
    "list": os.listdir,
    "write": lambda path: Path(path).write_text("changed", "utf-8"),
    "append": lambda path: os.close(os.open(path, os.O_WRONLY | os.O_APPEND)),
    "create": lambda name: Path(name).touch(),
    "remove": os.unlink,
    "rename": lambda path: Path(path).rename(f"{path}.moved"),
    "link": lambda path: Path(f"{path}.link").symlink_to("/etc/passwd"),
    "chmod": lambda path: Path(path).chmod(0o600),
    "chdir": os.chdir,
    "inet": lambda _: connect(socket.AF_INET, ("127.0.0.1", 9)),
    "inet6": lambda _: connect(socket.AF_INET6, ("::1", 9)),
    "datagram": lambda _: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "unix": lambda path: connect(socket.AF_UNIX, path),
    "abstract": lambda name: connect(socket.AF_UNIX, f"\0{name}"),
    "netlink": lambda _: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "pair": lambda _: socket.socketpair(
        socket.AF_UNIX, socket.SOCK_DGRAM
    ),  # from it one may send to any address
    "run": lambda _: subprocess.run(["true"], check=False),
    "exec": lambda _: os.execv("/bin/true", ["true"]),  # noqa: S606
    "fork": lambda _: os.fork() or os._exit(0),
    "signal": lambda pid: os.kill(int(pid), signal.SIGCONT),
    "signal_all": lambda _: os.kill(-1, 0),
    "trace": lambda pid: call(101, 16, int(pid), 0, 0),  # PTRACE_ATTACH
    "look_into": lambda pid: look_into(int(pid)),
    "namespace": lambda _: call(272, 0x1000_0000),  # unshare(CLONE_NEWUSER)
    "io_uring": lambda _: call(425, 1, ctypes.create_string_buffer(256)),
    "bpf": lambda _: call(321, 0, ctypes.create_string_buffer(256), 256),
    "keys": lambda _: call(250, 0, ctypes.c_int(-3), 0),  # keyctl
    "shared_memory": lambda _: mmap.mmap(-1, 4096),
    "uncounted_memory": lambda _: mmap.mmap(-1, 4096, flags=0x122),  # MAP_GROWSDOWN: beyond RLIMIT_DATA
    "memory_file": os.memfd_create if sys.platform == "linux" else str,
    "pickle": lambda mark: answer(pickle.dumps(Bomb(mark))),
    "pickle_in_a_frame": lambda mark: answer(len(made := pickle.dumps(Bomb(mark))).to_bytes(4, "big") + made),
    "endless": lambda _: answer(b"\xff" * 65_536, times=1_000_000),
    "endless_blocks": lambda _: answer(messages.framed(messages.Part("x")) * 2_000, times=1_000_000),
    "other_question": lambda _: answer(messages.framed(messages.Tried(()))),
    "twice": lambda _: answer(
        messages.framed(messages.Part("lies")) + messages.framed(messages.End("a/b")) * 2
    ),
    "late": lambda _: threading.Timer(0.05, answer, [messages.framed(messages.Part("lies"))]).start(),
    "print": lambda _: os.write(1, b"noise" * 10_000),
    "stderr": lambda _: [os.write(2, b"noise" * 10_000) for _ in range(200)],
    "shut": lambda _: os.close(0),
}


def read(file: BinaryIO, extension: str, limits: Limits) -> Extracted:
    act, _, argument = file.read().decode().partition(" ")
    if act == "environment":
        return Extracted((Block("\n".join(sorted(os.environ))),), "text/plain")
    ACTS[act](argument)
    return Extracted((Block(str(os.getpid())),), "text/plain")


if __name__ == "__main__":
    if sys.argv[1:] == [messages.PREPARE]:
        sys.exit(0)
    sys.exit(worker.serve(read, lambda: None))
