"""One consumer: sorts by priority what `reader` read, applies the rate limits, and calls the handler.

`disposition` decides the outcome, `claims` claims pending entries. Reading goes on while handlers run, up to
`read.count` deliveries ahead, so that an event of high priority overtakes waiting ones of low priority.
"""

import asyncio
import contextlib
import logging
import time
from functools import partial

from titan_bus import names
from titan_bus.config import BusConfig
from titan_bus.connections.connection import Connection
from titan_bus.consumer.batches import Batches
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
from titan_bus.later import publish_due
from titan_bus.observability.counters import GroupCounters
from titan_bus.observability.tracing import Tracing
from titan_bus.request import Responder
from titan_bus.supervisor import keep_going

logger = logging.getLogger("titan_bus")


class Processor:
    """The consumer of one group on one topic. Call `start` and `stop` once each."""

    def __init__(
        self,
        connection: Connection,
        reader: Reader,
        consumer: str,
        config: BusConfig,
        responder: Responder,
        tracing: Tracing,
        counters: GroupCounters,
        spec: SubscriptionSpec,
    ) -> None:
        self.topic, self.group = topic, group = spec.topic, spec.group
        self.consumer = consumer
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
            counters, config, auto_ack=spec.auto_ack, on_ready=self._workers.wake, on_room=self._notify_reader
        )
        self._settlement = Settlement(connection, topic, group, config.retry)
        self._delayed = Delayed(self._settlement, partial(publish_due, connection, topic))
        self._disposition = Disposition(
            self._name, self._settlement, responder, counters, config.stream(topic).retry_limit,
            self._in_flight, self._delayed,
        )  # fmt: skip
        self._intake = Intake(self._in_flight, self._disposition, spec.partition_by)
        self._claims = Claims(
            connection, config, group, self.streams, self._in_flight, self._intake, self._disposition,
            counters, consumer=consumer,
        )  # fmt: skip
        self._batches = None
        if spec.batch_handler is not None:
            self._batches = Batches(
                spec, spec.batch_handler, config.read.count, self._in_flight, self._gate, self._disposition,
                tracing, counters,
            )  # fmt: skip
        self._maintenance: set[asyncio.Task[None]] = set()
        self._behind = asyncio.Event()
        self._behind.set()
        self._reader_waits = False
        self._room = asyncio.Event()
        self._stopping = False

    async def start(self) -> None:
        """Create the group where it is missing, and start consuming.

        Raises:
            BusUnavailableError: the server does not answer now.
            BusClosedError: it was stopped meanwhile.
        """
        await self._groups.create()
        if self._stopping:
            raise BusClosedError
        for step in (
            self._catch_up, self._delayed.redeliver_due, self._claims.keep, self._claims.take_over,
            self._claims.forget_consumers, self._groups.follow,
        ):  # fmt: skip
            what = f"{self._name}: {step.__name__.strip('_')}"
            self._maintenance.add(asyncio.create_task(keep_going(step, what), name=what))
        self._reader.add(self)

    async def stop(self, drain_s: float, *, hand_back: bool = False) -> None:
        """Stop reading, wait `drain_s` for the running handlers, then cancel them without acknowledging.

        Args:
            drain_s: at most; `hand_back` takes as long again.
            hand_back: give deliveries that were not started to other consumers now, not after the idle time.
        """
        try:
            await self._drain(drain_s, hand_back=hand_back)
        finally:
            # Also when `stop` is cancelled: otherwise the idle time of what is in flight would be reset for ever.
            for task in self._workers.running() | self._disposition.dead_lettering | self._maintenance:
                task.cancel()
            self._in_flight.clear()

    async def _drain(self, drain_s: float, *, hand_back: bool) -> None:
        if hand_back:
            self.resize(0)
            await self._reader.remove(self)  # what the read in progress returns is still added
        self._stopping = True
        # They are pending on the server, and the next start claims them. Until the end they stay in flight, so
        # that no consumer claims them before.
        self._in_flight.close()
        self._workers.close()
        self._gate.close()
        await self._reader.remove(self)
        try:
            async with asyncio.timeout(drain_s):
                if running := self._workers.running() | self._disposition.dead_lettering:
                    await asyncio.wait(running)
                await self._disposition.answered()
        except TimeoutError:
            pass
        await cancel(self._workers.running() | self._disposition.dead_lettering | self._maintenance)
        if hand_back:
            with contextlib.suppress(TimeoutError, BusError):  # then they are claimed after the idle time
                async with asyncio.timeout(drain_s):
                    await self._settlement.hand_back(self._in_flight.not_started())

    def resize(self, concurrency: int) -> None:
        """Set the number of concurrent handlers; 0 pauses, and running handlers finish."""
        self._workers.limit = concurrency
        self._in_flight.paused = concurrency == 0
        self._workers.wake(min(concurrency, self._in_flight.waiting))
        if concurrency:
            self._notify_reader()
        else:
            self._reader.wake()  # the read in progress must not fetch what other consumers could handle

    def holds(self, event_id: str) -> bool:
        """Whether an event is in flight here: being handled, or waiting for its manual acknowledgement."""
        return bool(self._in_flight.of_event(event_id))

    async def acknowledge(self, event_id: str) -> None:
        """Acknowledge an event that is in flight here."""
        for key in self._in_flight.of_event(event_id):
            await self._settlement.acknowledge(*key)
            self._counters.handled += 1
            self._in_flight.release(key)

    def wants_more(self) -> bool:
        """Whether `reader` should read the streams now."""
        wants = not self._behind.is_set() and self._in_flight.has_room()
        self._reader_waits = not wants
        return wants

    def mark_behind(self) -> None:
        """Recover lost deliveries before more is read; `reader` calls it."""
        self._behind.set()

    def receive(self, stream: str, entries: list[Entry]) -> None:
        """Add what `reader` has read."""
        self._groups.moved()
        self._intake.receive(stream, entries)

    async def _handle_next(self) -> bool:
        """Call the handler with the next delivery; False when none waits. The workers' step."""
        if not self._in_flight.waiting or self._stopping:
            return False
        wanted = True
        if self._gate:
            self._counters.limited_ms += await self._gate.enter()
            wanted = self._workers.wanted()  # the limit may have been lowered during the wait
        delivery = self._next() if wanted else None
        if delivery is None:
            self._gate.give_back()
            return False
        if self._batches is not None and len(batch := self._batches.begun_by(delivery, self._next)) > 1:
            await self._batches.handle(batch)
            return True
        delivery.started_s = time.monotonic()
        try:
            if delivery.delivered is not None:
                await self._count(delivery, delivery.delivered)
            with self._tracing.dispatching(delivery.event, self.group):
                await self._handle(delivery)
        except Exception:  # a supervisor: without an outcome the server will deliver it again
            logger.exception("%s: no outcome for %s", self._name, delivery.event.event_id)
            self._in_flight.release((delivery.stream, delivery.entry_id))
        except BaseException:  # cancelled from outside while the outcome was sent
            self._in_flight.release((delivery.stream, delivery.entry_id))
            raise
        return True

    async def _count(self, delivery: Delivery, delivered: int) -> None:
        """Count the delivery of a claimed entry. If that fails, a poison event is detected one delivery later."""
        try:
            await self._claims.count_delivery(delivery.stream, delivery.entry_id, delivered)
        except BusError as error:
            logger.info("%s: %s delivery not counted: %s", self._name, delivery.event.event_id, error)

    def _next(self) -> Delivery | None:
        delivery = self._in_flight.next()
        while (
            delivery is not None
            and delivery.event.meta.deadline is not None
            and self._responder.expired(delivery.event)
        ):
            self._disposition.expired(delivery)
            delivery = self._in_flight.next()
        self._notify_reader()
        return delivery

    async def _handle(self, delivery: Delivery) -> None:
        event, key = delivery.event, (delivery.stream, delivery.entry_id)
        began = time.perf_counter()
        try:
            with self._tracing.handling(event):
                result = await self._handler(event)
        except asyncio.CancelledError:
            self._in_flight.release(key)
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            logger.warning("%s: handling of %s was cancelled", self._name, event.event_id)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):  # the program ends, or the coroutine is closed
            self._in_flight.release(key)
            raise
        except BaseException as error:  # noqa: BLE001 -- everything else that a handler raises is an outcome
            self._counters.handling.observe((time.perf_counter() - began) * 1000)
            await self._disposition.failed(delivery, error)
        else:
            self._counters.handling.observe((time.perf_counter() - began) * 1000)
            if event.meta.reply_to is not None:
                await self._responder.answer(event, result)
            if self._auto_ack or result is IGNORED:
                self._disposition.handled(delivery)

    def _notify_reader(self) -> None:
        if self._reader_waits and self._in_flight.has_room():
            self._reader_waits = False
            self._room.set()
            if not self._behind.is_set():
                self._reader.wake()

    async def _catch_up(self) -> None:
        """Create missing groups, and claim what was delivered here and lost, before more is read."""
        await self._behind.wait()
        if where := await self._groups.create_again():
            logger.warning(
                "%s: the stream or the group was missing and is created again. It goes on with %s",
                self._name, where,
            )  # fmt: skip
        if not await self._claims.claim_own():
            self._room.clear()
            self._reader_waits = True
            self._notify_reader()
            await self._room.wait()
            return  # the caller repeats it, for the rest
        self._behind.clear()
        self._reader.wake()
