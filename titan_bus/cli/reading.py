"""Reads a command's input, a file or standard input, without blocking the loop or Ctrl-C."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

from titan_bus.cli.failures import CommandError

CHUNK_BYTES = 65_536
LINE_BYTES_MAX = 1_048_576
"""An event has 32 KB at most, so a longer line is no list of events."""
BOM = b"\xef\xbb\xbf"


def open_input(name: str) -> int:
    """Return a file descriptor: standard input for `-`, the file for `@FILE`.

    Raises:
        CommandError: the file cannot be read.
    """
    if name == "-":
        if sys.stdin is None:  # started with it closed
            raise CommandError("standard input is closed; pipe something in, or name a file.")
        return os.dup(sys.stdin.fileno())
    path = Path(name.removeprefix("@"))
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    if path.is_dir():
        os.close(descriptor)
        raise CommandError(f"{path} is a folder; name a file.")
    return descriptor


async def lines(descriptor: int) -> AsyncGenerator[list[bytes], None]:
    """Yield the lines as they arrive, several at a time, without their ends; closes the descriptor.

    Raises:
        CommandError: a line is longer than 1 MiB, or the file cannot be read.
    """
    rest = b""
    first = True
    async for chunk in _chunks(descriptor):
        whole = rest + (chunk.removeprefix(BOM) if first else chunk)
        first = False
        *found, rest = whole.split(b"\n")
        if len(rest) > LINE_BYTES_MAX:
            raise CommandError(
                f"a line is longer than {LINE_BYTES_MAX} bytes; --lines needs one event a line."
            )
        if found:
            yield found
    if rest:
        yield [rest]


async def whole(descriptor: int) -> bytes:
    """Return the whole input; closes the descriptor."""
    return b"".join([chunk async for chunk in _chunks(descriptor)]).removeprefix(BOM)


async def _chunks(descriptor: int) -> AsyncGenerator[bytes, None]:
    # A daemon thread with os.read: at Ctrl-C the loop's executor would wait for the next line, and a daemon in
    # sys.stdin.read aborts the interpreter's exit (bpo-26037).
    loop = asyncio.get_running_loop()
    ready: asyncio.Queue[bytes | OSError] = asyncio.Queue()
    taken = threading.Semaphore(4)

    def read() -> None:
        while True:
            taken.acquire()
            try:
                chunk: bytes | OSError = os.read(descriptor, CHUNK_BYTES)
            except OSError as error:
                chunk = error
            try:
                loop.call_soon_threadsafe(ready.put_nowait, chunk)
            except RuntimeError:  # the loop is closed: the result is not wanted any more
                return
            if not chunk or isinstance(chunk, OSError):
                return

    threading.Thread(target=read, name="titan-bus reads its input", daemon=True).start()
    while True:
        chunk = await ready.get()
        if isinstance(chunk, OSError):
            raise CommandError(f"the input cannot be read: {chunk.strerror}.") from chunk
        if not chunk:
            os.close(descriptor)
            return
        yield chunk
        taken.release()
