"""One consumer at work: what `reader` read is sorted by priority, limited, and handed to the handler.

`disposition` says what becomes of it then, `claims` brings what was left unfinished. Reading goes on while
handlers work, up to `read.count` deliveries ahead, so that a high event overtakes low ones that still wait.
"""

import asyncio
import contextlib
import logging
import time

from titan_bus import names
from titan_bus.config import BusConfig
from titan_bus.connections.connection import Connection
from titan_bus.consumer.claims import Claims
from titan_bus.consumer.delayed import Delayed
from titan_bus.consumer.delivery import IGNORED, Delivery, Entry
from titan_bus.consumer.disposition import Disposition
from titan_bus.consumer.groups import Groups
from titan_bus.consumer.in_flight import InFlight
from titan_bus.consumer.intake import Intake
from titan_bus.consumer.limits import Gate
from titan_bus.consumer.reader import Reader
from titan_bus.consumer.settlement import Settlement
from titan_bus.consumer.spec import SubscriptionSpec
from titan_bus.consumer.workers import Workers, cancel
from titan_bus.errors import BusClosedError, BusError
from titan_bus.observability.counters import GroupCounters
from titan_bus.observability.tracing import Tracing
from titan_bus.request import Responder
from titan_bus.supervisor import keep_going

logger = logging.getLogger("titan_bus")


class Processor:
    """The consumer of one group on one topic. `start` it once, `stop` it once."""

    def __init__(
        self,
        connection: Connection,
        reader: Reader,
        config: BusConfig,
        responder: Responder,
        tracing: Tracing,
        counters: GroupCounters,
        spec: SubscriptionSpec,
    ) -> None:
        self.topic, self.group = topic, group = spec.topic, spec.group
        self.streams = (names.stream_of(topic), names.retries_of(group, topic))
        self._name = f"titan_bus {group} on {topic}"
        self._reader = reader
        self._responder = responder
        self._tracing = tracing
        self._counters = counters
        self._handler = spec.handler
        self._auto_ack = spec.auto_ack
        self._groups = Groups(connection, group, self.streams, spec.start)
        self._gate = Gate(spec.limits)
        self._workers = Workers(self._name, spec.concurrency, self._handle_next)
        self._in_flight = InFlight(
            counters, config, auto_ack=spec.auto_ack, on_ready=self._workers.wake, on_room=self._tell_reader
        )
        self._settlement = Settlement(connection, topic, group, config.retry)
        self._delayed = Delayed(self._settlement)
        self._disposition = Disposition(
            self._name, self._settlement, responder, counters, config.stream(topic).retry_limit,
            self._in_flight, self._delayed,
        )  # fmt: skip
        self._intake = Intake(self._in_flight, self._disposition, spec.partition_by)
        self._claims = Claims(
            connection,
            config,
            group,
            self.streams,
            self._in_flight,
            self._intake,
            self._disposition,
            counters,
        )
        self._maintenance: set[asyncio.Task[None]] = set()
        self._behind = asyncio.Event()
        self._behind.set()
        self._reader_waits = False
        self._room = asyncio.Event()
        self._stopping = False

    async def start(self) -> None:
        """Create the group where there is none, and begin.

        Raises:
            BusUnavailableError: the server does not answer now.
            BusClosedError: it was stopped meanwhile.
        """
        await self._groups.create()
        if self._stopping:
            raise BusClosedError
        for step in (self._catch_up, self._delayed.release, self._claims.keep):
            what = f"{self._name}: {step.__name__.strip('_')}"
            self._maintenance.add(asyncio.create_task(keep_going(step, what), name=what))
        self._reader.add(self)

    async def stop(self, drain_s: float, *, hand_back: bool = False) -> None:
        """Read no more, wait `drain_s` for the handlers that run, then cancel them without acknowledging.

        Args:
            drain_s: at most; handing back takes as long again.
            hand_back: give what was never begun to other consumers now, not when it has been idle for long.
        """
        try:
            await self._leave(drain_s, hand_back=hand_back)
        finally:
            # Also when who stops it is cancelled: what is still in flight must not be kept young for ever.
            for task in self._workers.running() | self._disposition.burying | self._maintenance:
                task.cancel()
            self._in_flight.clear()

    async def _leave(self, drain_s: float, *, hand_back: bool) -> None:
        if hand_back:
            self.resize(0)
            await self._reader.remove(self)  # what it still brings is taken
        self._stopping = True
        # Still pending on the server, the next start takes them up. They stay held until the end, so that neither
        # this consumer nor another takes them before.
        self._in_flight.close()
        self._workers.close()
        self._gate.close()
        await self._reader.remove(self)
        try:
            async with asyncio.timeout(drain_s):
                if running := self._workers.running() | self._disposition.burying:
                    await asyncio.wait(running)
                await self._disposition.answered()
        except TimeoutError:
            pass
        await cancel(self._workers.running() | self._disposition.burying | self._maintenance)
        if hand_back:
            with contextlib.suppress(TimeoutError, BusError):  # they are claimed later then
                async with asyncio.timeout(drain_s):
                    await self._settlement.hand_back(self._in_flight.never_begun())

    def resize(self, concurrency: int) -> None:
        """Run so many handlers at once from now on; 0 pauses, and what runs goes on to its end."""
        self._workers.limit = concurrency
        self._in_flight.paused = concurrency == 0
        self._workers.wake(min(concurrency, self._in_flight.waiting))
        if concurrency:
            self._tell_reader()
        else:
            self._reader.wake()  # the read in progress is not to bring what others could handle

    def holds(self, event_id: str) -> bool:
        """Whether an event waits here for its manual acknowledgement, or is being handled."""
        return bool(self._in_flight.of_event(event_id))

    async def acknowledge(self, event_id: str) -> None:
        """Acknowledge an event that this consumer holds."""
        for key in self._in_flight.of_event(event_id):
            await self._settlement.acknowledge(*key)
            self._counters.handled += 1
            self._in_flight.let_go(key)

    def wants_more(self) -> bool:
        """Whether the streams are to be read now (`reader` asks)."""
        wants = not self._behind.is_set() and self._in_flight.has_room()
        self._reader_waits = not wants
        return wants

    def fall_behind(self) -> None:
        """Look after what was lost before reading on (`reader` says so)."""
        self._behind.set()

    def receive(self, stream: str, entries: list[Entry]) -> None:
        """Take over what `reader` has read."""
        self._intake.receive(stream, entries)

    async def _handle_next(self) -> bool:
        """Hand the next delivery to the handler; False when none waits. What the workers do."""
        if not self._in_flight.waiting or self._stopping:
            return False
        wanted = True
        if self._gate:
            self._counters.limited_ms += await self._gate.enter()
            wanted = self._workers.wanted()  # it may have been a long wait
        delivery = self._next() if wanted else None
        if delivery is None:
            self._gate.turn_back()
            return False
        delivery.begun = True
        try:
            if delivery.delivered is not None:
                await self._count(delivery, delivery.delivered)
            with self._tracing.dispatching(delivery.event, self.group):
                await self._handle(delivery)
        except Exception:  # a supervisor: without an outcome the server will deliver it again
            logger.exception("%s: no outcome for %s", self._name, delivery.event.event_id)
            self._in_flight.let_go((delivery.stream, delivery.entry_id))
        except BaseException:  # cancelled beside the handler, by somebody who came too late
            self._in_flight.let_go((delivery.stream, delivery.entry_id))
            raise
        return True

    async def _count(self, delivery: Delivery, delivered: int) -> None:
        """Count the delivery of what was taken over; where that fails, poison is found out later."""
        try:
            await self._claims.count(delivery.stream, delivery.entry_id, delivered)
        except BusError as error:
            logger.info("%s: %s is not counted: %s", self._name, delivery.event.event_id, error)

    def _next(self) -> Delivery | None:
        delivery = self._in_flight.next()
        while (
            delivery is not None
            and delivery.event.meta.deadline is not None
            and self._responder.expired(delivery.event)
        ):
            self._disposition.expired(delivery)
            delivery = self._in_flight.next()
        self._tell_reader()
        return delivery

    async def _handle(self, delivery: Delivery) -> None:
        event, key = delivery.event, (delivery.stream, delivery.entry_id)
        began = time.perf_counter()
        try:
            with self._tracing.handling(event):
                result = await self._handler(event)
        except asyncio.CancelledError:
            self._in_flight.let_go(key)
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            logger.warning("%s: handling of %s was cancelled", self._name, event.event_id)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):  # the program ends, or this coroutine does
            self._in_flight.let_go(key)
            raise
        except BaseException as error:  # noqa: BLE001 -- whatever else a handler raises is an outcome on the event
            self._counters.handling.observe((time.perf_counter() - began) * 1000)
            await self._disposition.failed(delivery, error)
        else:
            self._counters.handling.observe((time.perf_counter() - began) * 1000)
            if event.meta.reply_to is not None:
                await self._responder.answer(event, result)
            if self._auto_ack or result is IGNORED:
                self._disposition.handled(delivery)

    def _tell_reader(self) -> None:
        if self._reader_waits and self._in_flight.has_room():
            self._reader_waits = False
            self._room.set()
            if not self._behind.is_set():
                self._reader.wake()

    async def _catch_up(self) -> None:
        """Make sure of the groups, and take up what was delivered here and got lost, before more is read."""
        await self._behind.wait()
        if await self._groups.create():
            logger.warning("%s: the stream or the group was gone, it is created again", self._name)
        if not await self._claims.take_own():
            self._room.clear()
            self._reader_waits = True
            self._tell_reader()
            await self._room.wait()
            return  # to be called again, for the rest
        self._behind.clear()
        self._reader.wake()
