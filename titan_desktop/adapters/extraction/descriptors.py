"""Passes an open file from the core to a worker: its descriptor, or on Windows a duplicated handle.

On POSIX the descriptor travels over a unix socket pair, whose one end is the worker's standard input (SCM_RIGHTS,
unix(7)). On Windows the request travels through a pipe, and the core makes the handle in the worker's process
(DuplicateHandle).
"""

import os
import socket
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from titan_desktop.adapters.extraction.messages import LENGTH_BYTES, Read, Request, framed, request_of

if TYPE_CHECKING:
    import asyncio  # which takes longer to import than a worker otherwise does

_REQUEST_BYTES_MAX = 65_536

if sys.platform == "win32":
    import _winapi
    import msvcrt

    class Sender:
        """The core's end: the pipe that asyncio has made."""

        def __init__(self) -> None:
            import subprocess

            self.standard_input: int | socket.socket = subprocess.PIPE

        def send(
            self, transport: "asyncio.SubprocessTransport", request: Request, file: BinaryIO | None
        ) -> None:
            """Send a request, a file's with a handle of its own. Raises OSError: the worker has gone."""
            if isinstance(request, Read) and file is not None:
                process = transport.get_extra_info("subprocess")
                handle = _winapi.DuplicateHandle(
                    _winapi.GetCurrentProcess(),
                    msvcrt.get_osfhandle(file.fileno()),
                    int(process._handle),  # noqa: SLF001 - Popen has no other way to it
                    0,
                    False,
                    _winapi.DUPLICATE_SAME_ACCESS,
                )
                request = Read(request.extension, handle)
            pipe: Any = transport.get_pipe_transport(0)
            if pipe is None or pipe.is_closing():
                raise BrokenPipeError
            pipe.write(framed(request))

        def started(self) -> None:
            """Nothing is left over from the start."""

        def close(self) -> None:
            """The transport closes the pipe."""

    class Receiver:
        """The worker's end."""

        def receive(self) -> tuple[Request, int | None] | None:
            """Wait for the next request; None when the core has closed its end."""
            if len(head := self._read(LENGTH_BYTES)) < LENGTH_BYTES:
                return None
            request = request_of(self._read(int.from_bytes(head, "big")))
            if isinstance(request, Read):
                return request, msvcrt.open_osfhandle(request.handle, os.O_RDONLY)
            return request, None

        def _read(self, length: int) -> bytes:
            read = b""
            while len(read) < length and (piece := os.read(0, length - len(read))):
                read += piece
            return read

else:

    class Sender:
        """The core's end. One request is under way at a time, and small: it never waits."""

        def __init__(self) -> None:
            self._ours, self._theirs = socket.socketpair()
            self._ours.setblocking(False)
            self.standard_input: int | socket.socket = self._theirs

        def send(
            self,
            transport: "asyncio.SubprocessTransport",  # noqa: ARG002 - Windows needs it
            request: Request,
            file: BinaryIO | None,
        ) -> None:
            """Send a request, and a file's descriptor with it. Raises OSError: the worker has gone."""
            socket.send_fds(self._ours, [framed(request)], [] if file is None else [file.fileno()])

        def started(self) -> None:
            """Close the end that the worker has now."""
            self._theirs.close()

        def close(self) -> None:
            """Close both ends."""
            self._ours.close()
            self._theirs.close()

    class Receiver:
        """The worker's end. Made before the sandbox closes, which lets it receive and nothing else."""

        def __init__(self) -> None:
            self._socket = socket.socket(fileno=0)

        def receive(self) -> tuple[Request, int | None] | None:
            """Wait for the next request; None when the core has closed its end."""
            data, descriptors, _, _ = socket.recv_fds(self._socket, _REQUEST_BYTES_MAX, 1)
            if not data:
                return None
            return request_of(data[LENGTH_BYTES:]), descriptors[0] if descriptors else None
