"""One connection to the server: bytes out, replies in, in order. Knows RESP2, knows nothing of streams.

Commands are answered in the order in which they were sent, so a cancelled caller leaves nothing behind: its
reply is dropped when its turn comes. `connection` opens wires and decides what a lost one means.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import hiredis

from titan_bus.errors import NameMalformedError, ServerRefusedError, refusal

Word = str | bytes | int | float
READ_BYTES = 64 * 1024
"""What is read at once: about a hundred events."""


class Command:
    """A packed command and the future of its reply.

    Attributes:
        answer: what the future gives in place of the reply, where the caller has no use for that.
        expires_at: loop time after which it is not sent again.

    Raises:
        NameMalformedError: a word has no bytes.
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
        """Give the reply to the caller, if it still waits."""
        if self.future.done():
            return
        if isinstance(reply, ServerRefusedError):
            self.future.set_exception(reply)
        else:
            self.future.set_result(reply if self.answer is None else self.answer)

    def fail(self, error: Exception) -> None:
        """Tell the caller, if it still waits, that there will be no reply."""
        if not self.future.done():
            self.future.set_exception(error)


class Wire(asyncio.BufferedProtocol):
    """The protocol object of one connection.

    It reads into a buffer of its own: asyncio would map and unmap 256 KiB for every reply, a fifth of the CPU of a
    consumer of single events.

    Attributes:
        unanswered: what was sent and has no reply yet; its owner takes it when the wire is lost.
        answered: how many replies came since the greeting.
        received: how many bytes came, so that a watchdog sees progress while a long reply is on its way.
        on_lost: called when the connection ends; without one, what is unanswered fails with ConnectionResetError.
        full: whether so much was written that the network has not taken yet that more should wait.
        on_room: called when replies came or the wire is full no more, so that more can be sent.
        on_refused: called with a command and its error reply; True takes the command over, so that nobody is told.
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

    def send(self, commands: Sequence[Command]) -> None:
        """Write all commands at once.

        Raises:
            ConnectionResetError: the wire is lost; nothing was sent.
        """
        if self._transport is None or self.lost:
            raise ConnectionResetError("connection lost")
        self.unanswered.extend(commands)
        self._transport.write(b"".join([command.packed for command in commands]))

    def close(self) -> None:
        """Drop the connection at once. What the server has in flight for it is lost to us."""
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
        except (hiredis.ProtocolError, IndexError):  # not our protocol: a port of something else
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

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio passes it
        """Tell the owner (asyncio calls this)."""
        self.lost = True
        self.on_lost()

    def _fail_unanswered(self) -> None:
        while self.unanswered:
            self.unanswered.popleft().fail(ConnectionResetError("connection lost"))
