"""One Subscribe stream: sends events and receives outcomes until the client, the token or the server ends it."""

import asyncio
from collections import deque
from typing import Any

from titan_bus.consumer.workers import cancel
from titan_bus.errors import (
    CallMalformedError,
    ClientGoneError,
    FatalError,
    NackedError,
    RequestRefused,
    TokenRefusedError,
)
from titan_bus.grpc import messages, texts
from titan_bus.grpc import titan_bus_pb2 as pb
from titan_bus.grpc.dispatcher import Delivery, Dispatcher
from titan_bus.grpc.status import EOF, Context
from titan_bus.grpc.tokens import CURE, Caller

EVENTS_PER_MESSAGE_MAX = 32
"""How many events one message has at most: about 1 MiB of the largest."""
UNKNOWN_MAX = 1_000
"""How many outcomes of events that are not in flight a client may send without reading."""
ID_CHARS_MAX = 64


class Stream:
    """The stream of one client and its events in flight.

    Attributes:
        concurrency: how many events it has in flight at most.
    """

    def __init__(self, context: Context, caller: Caller, concurrency: int) -> None:
        self.concurrency = concurrency
        self._context = context
        self._caller = caller
        self._in_flight: dict[str, Delivery] = {}
        self._outgoing: deque[Delivery] = deque()
        self._unknown: deque[str] = deque()
        self._to_send = asyncio.Event()
        self._ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    @property
    def has_room(self) -> bool:
        """Whether it has room for one more event now."""
        return len(self._in_flight) < self.concurrency

    def receive(self, delivery: Delivery) -> None:
        """Send an event."""
        self._in_flight[delivery.event.event_id] = delivery
        self._outgoing.append(delivery)
        self._to_send.set()

    def release(self, delivery: Delivery) -> None:
        """Remove an event that has its outcome or was withdrawn; one that was not sent yet is not sent."""
        self._in_flight.pop(delivery.event.event_id, None)

    def end(self, error: Exception) -> None:
        """End the stream with an error."""
        if not self._ended.done():
            self._ended.set_result(error)

    async def run(self, dispatcher: Dispatcher) -> None:
        """Run until the client has closed its side.

        Raises:
            TokenRefusedError: the token has expired.
            CallMalformedError: the client sent something other than an outcome.
            BusClosedError: the gRPC server is closing.
        """
        name = f"titan_bus grpc: stream of {self._caller.subject}"
        tasks = {
            asyncio.create_task(self._receive_outcomes(dispatcher), name=f"{name}: outcomes"),
            asyncio.create_task(self._send(), name=f"{name}: events"),
        }
        watched: set[asyncio.Future[Any]] = {*tasks, self._ended}
        try:
            done, _ = await asyncio.wait(
                watched,
                timeout=max(0.0, self._caller.remaining_s()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not done:
                raise TokenRefusedError(f"the token has expired; {CURE}")
            if self._ended in done:
                raise self._ended.result()
            for task in tasks & done:
                task.result()
        finally:
            await cancel(tasks)

    def fail_in_flight(self) -> None:
        """Fail all events without an outcome. It counts as a retry: one of them may have killed the client."""
        for delivery in tuple(self._in_flight.values()):
            if not delivery.outcome.done():
                delivery.outcome.set_exception(ClientGoneError(self._caller.subject))

    async def _receive_outcomes(self, dispatcher: Dispatcher) -> None:
        while (request := await self._context.read()) is not EOF:
            if request.HasField("subscription"):
                raise CallMalformedError(
                    "subscription", "belongs into the first message alone: open another stream"
                )
            for ack in request.acks:
                if (delivery := self._settled(ack.event_id)) is not None:
                    acknowledge(delivery, ack)
            for nack in request.nacks:
                if (delivery := self._settled(nack.event_id)) is not None:
                    reject(delivery, nack)
            if request.HasField("flow"):
                self.concurrency = messages.concurrency(request.flow.concurrency)
                dispatcher.capacity_changed()

    def _settled(self, event_id: str) -> Delivery | None:
        """Return the delivery that gets this outcome; None when it is not in flight, which the client is told."""
        delivery = self._in_flight.pop(event_id, None)
        if delivery is not None and not delivery.outcome.done():
            return delivery
        if len(event_id) > ID_CHARS_MAX or len(self._unknown) >= UNKNOWN_MAX:
            raise CallMalformedError("event_id", "has to be that of an event which this stream has in flight")
        self._unknown.append(event_id)
        self._to_send.set()
        return None

    async def _send(self) -> None:
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            while self._outgoing or self._unknown:
                deliveries = [
                    self._outgoing.popleft() for _ in range(min(EVENTS_PER_MESSAGE_MAX, len(self._outgoing)))
                ]
                events = [
                    messages.event(delivery.event) for delivery in deliveries if not delivery.outcome.done()
                ]
                unknown = [self._unknown.popleft() for _ in range(len(self._unknown))]
                if events or unknown:
                    await self._context.write(pb.Deliveries(events=events, unknown_ids=unknown))


def acknowledge(delivery: Delivery, ack: pb.Ack) -> None:
    """Settle an event that the client has handled."""
    result: object = None
    if delivery.event.meta.reply_to is not None:
        try:
            result = messages.result(ack)
        except CallMalformedError as error:
            delivery.outcome.set_exception(RequestRefused("reply_malformed", str(error)))
            return
    delivery.outcome.set_result(result)


def reject(delivery: Delivery, nack: pb.Nack) -> None:
    """Settle an event that the client could not handle."""
    reason = texts.one_line(nack.reason) or "no reason was given"
    if delivery.event.meta.reply_to is not None:
        code = texts.one_line(nack.code, texts.NAME_CHARS_MAX) or "refused"
        delivery.outcome.set_exception(RequestRefused(code, reason))
    else:
        delivery.outcome.set_exception(FatalError(reason) if nack.fatal else NackedError(reason))
