"""One bus subscription for all streams of a group, dealt out in turn to those that have room.

The bus's handler is `Dispatcher.handle`: it lends the event to a stream and ends with that stream's outcome. So
what the bus promises for a handler holds for a client far away: its event is kept alive as long as it works, comes
again when it fails, and stays unacknowledged when the gRPC server ends. The subscription runs as many handlers as
the streams have room for, so that the rest waits in the bus, by priority, within reach of other members.
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
"""How long the end of a group's last stream waits until the server knows what failed with it."""


class Delivery:
    """An event on its way to an outcome.

    Attributes:
        outcome: its result answers a request; its exception is why the event was not handled.
        taker: the stream that has it; None while none has room.
    """

    __slots__ = ("event", "outcome", "taker")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.taker: Taker | None = None
        self.outcome: asyncio.Future[object] = asyncio.get_running_loop().create_future()


class Taker(Protocol):
    """What a dispatcher knows of a stream."""

    @property
    def concurrency(self) -> int:
        """How many events it takes at once."""
        ...

    @property
    def has_room(self) -> bool:
        """Whether it takes one more now."""
        ...

    def take(self, delivery: Delivery) -> None:
        """Take an event."""
        ...

    def give_back(self, delivery: Delivery) -> None:
        """The event has its outcome, or is wanted back."""
        ...

    def end(self, error: Exception) -> None:
        """The stream has to end."""
        ...


class Dispatcher:
    """Deals the events of one group on one topic."""

    def __init__(self) -> None:
        self.subscription: Subscription | None = None
        self._takers: deque[Taker] = deque()
        self._waiting: deque[Delivery] = deque()
        self._delivered: dict[str, Delivery] = {}

    async def handle(self, event: Event) -> object:
        """Lend an event, and return or raise its outcome (the bus calls this)."""
        if (same := self._delivered.get(event.event_id)) is not None:
            # Published twice under one id: one outcome serves both.
            return await asyncio.shield(same.outcome)
        delivery = self._delivered[event.event_id] = Delivery(event)
        self._waiting.append(delivery)
        self._deal()
        try:
            return await delivery.outcome
        finally:
            del self._delivered[event.event_id]
            if delivery.taker is None:
                self._waiting.remove(delivery)
            else:
                delivery.taker.give_back(delivery)
                self._deal()

    def find(self, event_id: str) -> Delivery:
        """Return an event that a stream has.

        Raises:
            EventNotHeldError: none has it.
        """
        delivery = self._delivered.get(event_id)
        if delivery is None or delivery.taker is None or delivery.outcome.done():
            raise EventNotHeldError(event_id)
        return delivery

    def join(self, taker: Taker) -> None:
        """Deal to this one, too."""
        self._takers.append(taker)
        self.room_changed()

    def leave(self, taker: Taker) -> None:
        """Deal to this one no more."""
        self._takers.remove(taker)
        self.room_changed()

    @property
    def deserted(self) -> bool:
        """Whether no stream is left."""
        return not self._takers

    def room_changed(self) -> None:
        """A stream has more room, or less."""
        if self.subscription is not None:
            self.subscription.resize(sum(taker.concurrency for taker in self._takers))
        self._deal()

    def end(self, error: Exception) -> None:
        """End all streams."""
        for taker in tuple(self._takers):
            taker.end(error)

    def _deal(self) -> None:
        while self._waiting and (taker := self._next()) is not None:
            delivery = self._waiting.popleft()
            delivery.taker = taker
            taker.take(delivery)

    def _next(self) -> Taker | None:
        for _ in range(len(self._takers)):
            self._takers.rotate(-1)
            if self._takers[-1].has_room:
                return self._takers[-1]
        return None


class Desk:
    """All dispatchers of a gRPC server."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._dispatchers: dict[tuple[str, str], Dispatcher] = {}
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._retiring: set[asyncio.Task[None]] = set()
        self._closing = False

    async def join(self, topic: str, group: str, start: str, taker: Taker) -> Dispatcher:
        """Let a stream take part; the first of a group subscribes.

        Raises:
            BusClosedError: the gRPC server is closing.
            BusUnavailableError: the server does not answer.
        """
        async with self._turn(topic, group):
            self._see_that_it_is_open()
            dispatcher = self._dispatchers.get((topic, group))
            if dispatcher is None:
                dispatcher = Dispatcher()
                dispatcher.subscription = await self._bus.subscribe(
                    topic, group, dispatcher.handle, concurrency=taker.concurrency, start=start
                )
                try:
                    self._see_that_it_is_open()
                except BusClosedError:
                    await dispatcher.subscription.stop(0.0)
                    raise
                self._dispatchers[topic, group] = dispatcher
            dispatcher.join(taker)
            return dispatcher

    def leave(self, topic: str, group: str, taker: Taker) -> None:
        """A stream is gone; the last of a group ends the subscription, so that other members get the events."""
        dispatcher = self._dispatchers[topic, group]
        dispatcher.leave(taker)
        if dispatcher.deserted and not self._closing:
            task = asyncio.create_task(
                self._retire(topic, group), name=f"titan_bus grpc: {group} leaves {topic}"
            )
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def _retire(self, topic: str, group: str) -> None:
        async with self._turn(topic, group):
            dispatcher = self._dispatchers.get((topic, group))
            if dispatcher is None or not dispatcher.deserted or self._closing:
                return  # somebody joined meanwhile
            del self._dispatchers[topic, group]
            if dispatcher.subscription is not None:
                await dispatcher.subscription.stop(HAND_BACK_S, hand_back=True)

    def find(self, topic: str, group: str, event_id: str) -> Delivery:
        """Return an event that a stream of the group has.

        Raises:
            EventNotHeldError: none has it.
        """
        dispatcher = self._dispatchers.get((topic, group))
        if dispatcher is None:
            raise EventNotHeldError(event_id)
        return dispatcher.find(event_id)

    async def close(self) -> None:
        """Take no more events, wait `drain_s` for outcomes, then end all streams; what is left comes again."""
        self._closing = True
        subscriptions = [d.subscription for d in self._dispatchers.values() if d.subscription is not None]
        await asyncio.gather(*(subscription.stop() for subscription in subscriptions))
        for dispatcher in self._dispatchers.values():
            dispatcher.end(BusClosedError())
        if self._retiring:
            await asyncio.wait(self._retiring)

    def _see_that_it_is_open(self) -> None:
        if self._closing:
            raise BusClosedError

    def _turn(self, topic: str, group: str) -> asyncio.Lock:
        """Return what keeps a group's subscription from being made while the last one ends."""
        return self._turns.setdefault((topic, group), asyncio.Lock())
