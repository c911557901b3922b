"""One socket to the server: sends commands, receives replies in order. Implements RESP2; independent of streams.

Replies come in the order of the commands, so a cancelled caller has no effect on others: its reply is dropped.
`connection` opens wires and handles their loss.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import hiredis

from titan_bus.connections.keys import Word, places_of
from titan_bus.errors import NameMalformedError, ServerRefusedError, WrongTypeError, refusal

READ_BYTES = 64 * 1024
"""How much is read at once: about a hundred events."""


class Command:
    """A packed command and the future of its reply.

    Attributes:
        answer: the future's result in place of the reply, when the caller has no use for the reply.
        expires_at: the time of its connection after which it is not sent again.

    Raises:
        NameMalformedError: a word cannot be encoded.
    """

    __slots__ = ("answer", "expires_at", "future", "packed")

    def __init__(
        self,
        words: tuple[Word, ...],
        future: asyncio.Future[Any],
        *,
        answer: object = None,
        expires_at: float = 0.0,
    ) -> None:
        try:
            self.packed: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub means a tuple of one
        except UnicodeEncodeError as error:
            raise NameMalformedError(error.object) from error
        self.future = future
        self.answer = answer
        self.expires_at = expires_at

    def resolve(self, reply: object) -> None:
        """Set the reply, if the caller still waits."""
        if self.future.done():
            return
        if isinstance(reply, ServerRefusedError):
            self.future.set_exception(self._named(reply))
        else:
            self.future.set_result(reply if self.answer is None else self.answer)

    def _named(self, error: ServerRefusedError) -> ServerRefusedError:
        """Name the keys of a command that found one of another type: the server does not."""
        if error.code != "WRONGTYPE":
            return error
        reader = hiredis.Reader()
        reader.feed(self.packed)
        words = [word.decode(errors="backslashreplace") for word in reader.gets()]
        keys = [words[place] for place in places_of(words)]
        return WrongTypeError(str(error), keys)

    def fail(self, error: Exception) -> None:
        """Set an error, if the caller still waits."""
        if not self.future.done():
            self.future.set_exception(error)


class Wire(asyncio.BufferedProtocol):
    """The protocol object of one socket.

    It reads into its own buffer: asyncio would map and unmap 256 KiB for every reply, a fifth of the CPU time of a
    consumer of single events.

    Attributes:
        unanswered: sent commands without a reply; the owner takes them when the wire is lost.
        answered: the number of replies since the handshake.
        received: the number of bytes received, which shows progress during a long reply.
        on_lost: called when the socket is closed; without it unanswered commands fail with ConnectionResetError.
        full: whether the network has not taken so much that no more should be written.
        on_room: called after replies and when the wire is no longer full, so that more can be sent.
        on_refused: called with a command and its error reply; True takes the command over, and its caller is not
            notified.
    """

    def __init__(self) -> None:
        self.unanswered: deque[Command] = deque()
        self.answered = 0
        self.received = 0
        self.lost = False
        self.full = False
        self.on_lost: Callable[[], None] = self._fail_unanswered
        self.on_room: Callable[[], None] | None = None
        self.on_refused: Callable[[Command, ServerRefusedError], bool] = lambda _command, _error: False
        self._reader = hiredis.Reader(replyError=refusal)
        self._buffer = memoryview(bytearray(READ_BYTES))  # a view: asyncio's TLS reads into slices of it
        self._transport: asyncio.Transport | None = None
        self._alert: ssl.SSLError | None = None

    def send(self, commands: Sequence[Command]) -> None:
        """Write all commands at once.

        Raises:
            OSError: the wire is lost; nothing was sent.
        """
        if self._transport is None or self.lost:
            raise self._alert or ConnectionResetError("connection lost")
        self.unanswered.extend(commands)
        self._transport.write(b"".join([command.packed for command in commands]))

    def close(self) -> None:
        """Close the socket at once. Replies on their way are lost."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (asyncio calls this)."""
        self._transport = transport  # type: ignore[assignment]  # asyncio's own stubs say BaseTransport

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 -- asyncio passes it
        """Say where to read to (asyncio calls this)."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Give each reply to the oldest unanswered command (asyncio calls this)."""
        self.received += nbytes
        self._reader.feed(self._buffer, 0, nbytes)  # type: ignore[arg-type]  # any buffer; its stub says bytes
        try:
            while (reply := self._reader.gets()) is not False:
                self.answered += 1
                command = self.unanswered.popleft()
                if isinstance(reply, ServerRefusedError) and self.on_refused(command, reply):
                    continue
                command.resolve(reply)
        except (hiredis.ProtocolError, IndexError):  # another protocol: not a Redis port
            self.close()
        if self.on_room is not None:
            self.on_room()

    def pause_writing(self) -> None:
        """Note that the transport has enough (asyncio calls this)."""
        self.full = True

    def resume_writing(self) -> None:
        """Go on (asyncio calls this)."""
        self.full = False
        if self.on_room is not None:
            self.on_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner (asyncio calls this)."""
        self.lost = True
        self._alert = exc if isinstance(exc, ssl.SSLError) else None  # in TLS 1.3 it follows the handshake
        self.on_lost()

    def _fail_unanswered(self) -> None:
        while self.unanswered:
            self.unanswered.popleft().fail(self._alert or ConnectionResetError("connection lost"))
