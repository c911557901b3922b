"""Between the bus and the window: events become signals, the window's wishes become commands and requests.

The presenters know this and no bus. It may come and go with the core; while it is away everything raises
`BusUnavailableError`, as it does when the server is.
"""

import asyncio
import logging
from typing import TypeVar

import msgspec
from PySide6.QtCore import QObject, Signal

from titan_bus import Bus, BusUnavailableError, Event, Tail
from titan_bus.errors import PayloadMismatchError
from titan_desktop.contracts import chat, dead_letters, files, memory, system, topics

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_S = 0.2

_TAILED = (topics.CHAT, topics.CHAT_STREAM, topics.FS, topics.MEMORY, topics.SYSTEM, topics.DEAD_LETTERS)
_CHAT = {topics.type_of(kind): kind for kind in chat.ChatEvent.__args__}
_MEMORY = {topics.type_of(kind): kind for kind in memory.MemoryEvent.__args__}
_SYSTEM = {topics.type_of(kind): kind for kind in system.SystemEvent.__args__}
_FILE_SEEN = topics.type_of(files.FileSeen)
_DEAD_LETTERS = topics.type_of(dead_letters.DeadLettersChanged)
_DELTA = topics.type_of(chat.AssistantDelta)


class Bridge(QObject):
    """Says what is said on the bus."""

    connected = Signal()
    """The bus is there, and every event from now on will be seen: ask for what came before."""
    disconnected = Signal()
    chat_said = Signal(object)
    """A `chat.ChatEvent`."""
    answer_grew = Signal(object)
    """A `chat.AssistantDelta`."""
    file_seen = Signal(str)
    """The path of a file that is going to be read."""
    memory_said = Signal(object)
    """A `memory.MemoryEvent`."""
    system_said = Signal(object)
    """A `system.SystemEvent`."""
    dead_letters_changed = Signal(int)
    """How many tasks could not be done."""
    sending_changed = Signal(bool)
    """Whether a command is on its way that the bus does not have yet."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bus: Bus | None = None
        self._sending = 0

    @property
    def is_connected(self) -> bool:
        """Whether commands and requests have a chance."""
        return self._bus is not None

    async def serve(self, bus: Bus) -> None:
        """Read along on the bus until it is closed or this is cancelled."""
        tail = bus.tail(_TAILED)
        try:
            await _settle(tail)
            self._bus = bus
            self.connected.emit()
            async for event in tail:
                self._say(event)
        finally:
            if self._bus is bus:  # not another one that has taken its place
                self._bus = None
                self.disconnected.emit()
            await tail.close()

    async def send(self, topic: str, command: msgspec.Struct) -> None:
        """Publish a command.

        Raises:
            BusError: the bus is away, or refuses it.
        """
        self._sending += 1
        self.sending_changed.emit(True)
        try:
            await self._open_bus().publish(topic, topics.type_of(command), command)
        finally:
            self._sending -= 1
            self.sending_changed.emit(self._sending > 0)

    async def ask(
        self, topic: str, request: msgspec.Struct, reply_type: type[T], timeout_s: float = 5.0
    ) -> T:
        """Ask, and return the answer.

        Raises:
            BusError: the bus is away, nobody answered in time, or the answer is a refusal.
        """
        return await self._open_bus().request(
            topic, topics.type_of(request), request, reply_type=reply_type, timeout_s=timeout_s
        )

    def _open_bus(self) -> Bus:
        if self._bus is None:
            raise BusUnavailableError("core", "not connected")
        return self._bus

    def _say(self, event: Event) -> None:
        try:
            match event.topic:
                case topics.CHAT_STREAM if event.event_type == _DELTA:
                    self.answer_grew.emit(event.payload_as(chat.AssistantDelta))
                case topics.FS if event.event_type == _FILE_SEEN:
                    self.file_seen.emit(event.payload_as(files.FileSeen).path)
                case topics.CHAT if kind := _CHAT.get(event.event_type):
                    self.chat_said.emit(event.payload_as(kind))
                case topics.MEMORY if kind := _MEMORY.get(event.event_type):
                    self.memory_said.emit(event.payload_as(kind))
                case topics.SYSTEM if kind := _SYSTEM.get(event.event_type):
                    self.system_said.emit(event.payload_as(kind))
                case topics.DEAD_LETTERS if event.event_type == _DEAD_LETTERS:
                    count = event.payload_as(dead_letters.DeadLettersChanged).count
                    self.dead_letters_changed.emit(count)
        except PayloadMismatchError:
            # The consumers' groups dead-letter it; a window that reads along only passes it over.
            log.warning("an event on %s is not what it says it is", event.topic, exc_info=True)


async def _settle(tail: Tail) -> None:
    """Fix where the tail begins, before anybody asks for history: an event between the two would be lost."""
    while True:
        try:
            await tail.start()
        except BusUnavailableError:
            await asyncio.sleep(RETRY_S)
        else:
            return
