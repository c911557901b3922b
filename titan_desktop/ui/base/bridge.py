"""Between the bus and the window: messages become signals, the window's wishes become commands and requests.

The presenters know this and no bus. It may come and go with the core; while it is away everything raises
`BusUnavailableError`, as it does when the server is.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from titan_bus import Bus, BusUnavailableError, Event, Tail
from titan_bus.errors import PayloadMismatchError
from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage, R, Request, ask, event_type, publish

log = logging.getLogger(__name__)

M = TypeVar("M", bound=BusMessage)

RETRY_S = 0.2


class Bridge(QObject):
    """Says what is said on the bus."""

    connected = Signal()
    """The bus is there, and every event from now on will be seen: ask for what came before."""
    disconnected = Signal()
    sending_changed = Signal(bool)
    """Whether a command is on its way that the bus does not have yet."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bus: Bus | None = None
        self._sending = 0
        self._heard: dict[tuple[str, str], _Heard] = {}

    @property
    def is_connected(self) -> bool:
        """Whether commands and requests have a chance."""
        return self._bus is not None

    def listen(self, kind: type[M], slot: Callable[[M], object]) -> None:
        """Call `slot` with every message of a kind, in the order in which they were said.

        It is called as a slot is: what it raises holds nobody up, and a QObject's method is not called any more
        once that object is gone.
        """
        key = kind.topic, event_type(kind)
        if key not in self._heard:
            self._heard[key] = _Heard(kind, self)
        self._heard[key].said.connect(slot)

    async def serve(self, bus: Bus) -> None:
        """Read along on the bus until it is closed or this is cancelled."""
        tail = bus.tail(topics.TOLD)
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

    async def send(self, message: BusMessage) -> None:
        """Publish a command.

        Raises:
            BusError: the bus is away, or refuses it.
        """
        self._sending += 1
        self.sending_changed.emit(True)
        try:
            await publish(self._open_bus(), message)
        finally:
            self._sending -= 1
            self.sending_changed.emit(self._sending > 0)

    async def ask(self, request: Request[R], timeout_s: float = 5.0) -> R:
        """Ask, and return the answer.

        Raises:
            BusError: the bus is away, nobody answered in time, or the answer is a refusal.
        """
        return await ask(self._open_bus(), request, timeout_s)

    def _open_bus(self) -> Bus:
        if self._bus is None:
            raise BusUnavailableError("core", "not connected")
        return self._bus

    def _say(self, event: Event) -> None:
        heard = self._heard.get((event.topic, event.event_type))
        if heard is None:
            return
        try:
            message = event.payload_as(heard.kind)
        except PayloadMismatchError:
            # The consumers' groups dead-letter it; a window that reads along only passes it over.
            log.warning("an event on %s is not what it says it is", event.topic, exc_info=True)
        else:
            heard.said.emit(message)


class _Heard(QObject):
    """One kind of message that somebody listens to."""

    said = Signal(object)

    def __init__(self, kind: type[BusMessage], parent: QObject) -> None:
        super().__init__(parent)
        self.kind = kind


async def _settle(tail: Tail) -> None:
    """Fix where the tail begins, before anybody asks for history: an event between the two would be lost."""
    while True:
        try:
            await tail.start()
        except BusUnavailableError:
            await asyncio.sleep(RETRY_S)
        else:
            return
