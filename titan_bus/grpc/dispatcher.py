"""Shares one bus subscription among all streams of a group, in turn among those with room.

`Dispatcher.handle` is the bus's handler: it delivers the event to a stream and returns that stream's outcome. A
remote client therefore gets the same guarantees as a local handler: its event is not claimed while it works, is
retried after a failure, and stays unacknowledged when the gRPC server ends. The subscription's concurrency is the
sum of the streams', so further events wait in the bus, by priority, where other consumers can get them.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

from titan_bus.bus import Bus
from titan_bus.errors import BusClosedError, EventNotHeldError
from titan_bus.event import Event

if TYPE_CHECKING:
    from titan_bus.consumer.subscription import Subscription

HAND_BACK_S = 2.0
"""How long the end of a group's last stream waits for its failed events to be handed back."""


class Delivery:
    """An event that was delivered and waits for its outcome.

    Attributes:
        outcome: its result answers a request; its exception is why the event was not handled.
        receiver: the stream that has it; None while none has room.
    """

    __slots__ = ("event", "outcome", "receiver")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.receiver: Receiver | None = None
        self.outcome: asyncio.Future[object] = asyncio.get_running_loop().create_future()


class Receiver(Protocol):
    """A stream, as the dispatcher sees it."""

    @property
    def concurrency(self) -> int:
        """How many events it has in flight at most."""
        ...

    @property
    def has_room(self) -> bool:
        """Whether it has room for one more now."""
        ...

    def receive(self, delivery: Delivery) -> None:
        """Send an event to the client."""
        ...

    def release(self, delivery: Delivery) -> None:
        """Remove an event that has its outcome or was withdrawn."""
        ...

    def end(self, error: Exception) -> None:
        """End the stream with an error."""
        ...


class Dispatcher:
    """Dispatches the events of one group on one topic."""

    def __init__(self) -> None:
        self.subscription: Subscription | None = None
        self._receivers: deque[Receiver] = deque()
        self._waiting: deque[Delivery] = deque()
        self._delivered: dict[str, Delivery] = {}

    async def handle(self, event: Event) -> object:
        """Deliver an event, and return or raise its outcome. The bus calls this."""
        if (same := self._delivered.get(event.event_id)) is not None:
            # Published twice under one id: both get the same outcome.
            return await asyncio.shield(same.outcome)
        delivery = self._delivered[event.event_id] = Delivery(event)
        self._waiting.append(delivery)
        self._dispatch()
        try:
            return await delivery.outcome
        finally:
            del self._delivered[event.event_id]
            if delivery.receiver is None:
                self._waiting.remove(delivery)
            else:
                delivery.receiver.release(delivery)
                self._dispatch()

    def find(self, event_id: str) -> Delivery:
        """Return an event that is in flight on a stream.

        Raises:
            EventNotHeldError: it is on none.
        """
        delivery = self._delivered.get(event_id)
        if delivery is None or delivery.receiver is None or delivery.outcome.done():
            raise EventNotHeldError(event_id)
        return delivery

    def join(self, receiver: Receiver) -> None:
        """Add a stream."""
        self._receivers.append(receiver)
        self.capacity_changed()

    def leave(self, receiver: Receiver) -> None:
        """Remove a stream."""
        self._receivers.remove(receiver)
        self.capacity_changed()

    @property
    def is_empty(self) -> bool:
        """Whether no stream is left."""
        return not self._receivers

    def capacity_changed(self) -> None:
        """Adjust the subscription after a stream's room has changed."""
        if self.subscription is not None:
            self.subscription.resize(sum(receiver.concurrency for receiver in self._receivers))
        self._dispatch()

    def end(self, error: Exception) -> None:
        """End all streams."""
        for receiver in tuple(self._receivers):
            receiver.end(error)

    def _dispatch(self) -> None:
        while self._waiting and (receiver := self._next()) is not None:
            delivery = self._waiting.popleft()
            delivery.receiver = receiver
            receiver.receive(delivery)

    def _next(self) -> Receiver | None:
        for _ in range(len(self._receivers)):
            self._receivers.rotate(-1)
            if self._receivers[-1].has_room:
                return self._receivers[-1]
        return None


class Dispatchers:
    """All dispatchers of a gRPC server, by topic and group."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._dispatchers: dict[tuple[str, str], Dispatcher] = {}
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._retiring: set[asyncio.Task[None]] = set()
        self._closing = False

    async def join(self, topic: str, group: str, start: str, receiver: Receiver) -> Dispatcher:
        """Add a stream; the first one of a group subscribes.

        Raises:
            BusClosedError: the gRPC server is closing.
            BusUnavailableError: the server does not answer.
        """
        async with self._lock(topic, group):
            self._check_open()
            dispatcher = self._dispatchers.get((topic, group))
            if dispatcher is None:
                dispatcher = Dispatcher()
                dispatcher.subscription = await self._bus.subscribe(
                    topic, group, dispatcher.handle, concurrency=receiver.concurrency, start=start
                )
                try:
                    self._check_open()
                except BusClosedError:
                    await dispatcher.subscription.stop(0.0)
                    raise
                self._dispatchers[topic, group] = dispatcher
            dispatcher.join(receiver)
            return dispatcher

    def leave(self, topic: str, group: str, receiver: Receiver) -> None:
        """Remove a stream. The last one of a group ends the subscription, which hands its events back."""
        dispatcher = self._dispatchers[topic, group]
        dispatcher.leave(receiver)
        if dispatcher.is_empty and not self._closing:
            task = asyncio.create_task(
                self._retire(topic, group), name=f"titan_bus grpc: {group} leaves {topic}"
            )
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def _retire(self, topic: str, group: str) -> None:
        async with self._lock(topic, group):
            dispatcher = self._dispatchers.get((topic, group))
            if dispatcher is None or not dispatcher.is_empty or self._closing:
                return  # a stream was added meanwhile
            del self._dispatchers[topic, group]
            if dispatcher.subscription is not None:
                await dispatcher.subscription.stop(HAND_BACK_S, hand_back=True)

    def find(self, topic: str, group: str, event_id: str) -> Delivery:
        """Return an event that is in flight on a stream of the group.

        Raises:
            EventNotHeldError: it is on none.
        """
        dispatcher = self._dispatchers.get((topic, group))
        if dispatcher is None:
            raise EventNotHeldError(event_id)
        return dispatcher.find(event_id)

    async def close(self) -> None:
        """Stop consuming, wait `drain_s` for outcomes, then end all streams. The rest is delivered again."""
        self._closing = True
        subscriptions = [d.subscription for d in self._dispatchers.values() if d.subscription is not None]
        await asyncio.gather(*(subscription.stop() for subscription in subscriptions))
        for dispatcher in self._dispatchers.values():
            dispatcher.end(BusClosedError())
        if self._retiring:
            await asyncio.wait(self._retiring)

    def _check_open(self) -> None:
        if self._closing:
            raise BusClosedError

    def _lock(self, topic: str, group: str) -> asyncio.Lock:
        """Return the lock that keeps a group from subscribing while its last subscription ends."""
        return self._locks.setdefault((topic, group), asyncio.Lock())
