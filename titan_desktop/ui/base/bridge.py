"""Connects the bus with the window: messages become signals; the presenters publish commands and send requests.

The presenters know the bridge and no bus. The bus may come and go with the core; while it is away everything
raises `BusUnavailableError`, as it does when the server is away.
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
    """Emits the messages of the bus."""

    connected = Signal()
    """The bus is connected, and every event from now on will be received: request what came before."""
    disconnected = Signal()
    sending_changed = Signal(bool)
    """Whether a command is on its way that the bus has not stored yet."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bus: Bus | None = None
        self._sending = 0
        self._heard: dict[tuple[str, str], _Heard] = {}

    @property
    def is_connected(self) -> bool:
        """Whether commands and requests can be sent."""
        return self._bus is not None

    def listen(self, kind: type[M], slot: Callable[[M], object]) -> None:
        """Call `slot` with every message of a kind, in the order of their publishing.

        It is called like a slot: its exceptions stop no other slot, and a QObject's method is not called any more
        once that object is deleted.
        """
        key = kind.topic, event_type(kind)
        if key not in self._heard:
            self._heard[key] = _Heard(kind, self)
        self._heard[key].said.connect(slot)

    async def serve(self, bus: Bus) -> None:
        """Tail the bus until it is closed or this is cancelled."""
        tail = bus.tail(topics.TOLD)
        try:
            await _settle(tail)
            self._bus = bus
            self.connected.emit()
            async for event in tail:
                self._say(event)
        finally:
            if self._bus is bus:  # not another one that has replaced it
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
            # The consumer groups dead-letter it; a window that only tails skips it.
            log.warning("an event on %s is not what it says it is", event.topic, exc_info=True)
        else:
            heard.said.emit(message)


class _Heard(QObject):
    """One kind of message with its listeners."""

    said = Signal(object)

    def __init__(self, kind: type[BusMessage], parent: QObject) -> None:
        super().__init__(parent)
        self.kind = kind


async def _settle(tail: Tail) -> None:
    """Fix the start of the tail before history is requested: an event in between would be lost."""
    while True:
        try:
            await tail.start()
        except BusUnavailableError:
            await asyncio.sleep(RETRY_S)
        else:
            return
