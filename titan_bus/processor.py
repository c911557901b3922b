"""One consumer at work: read, sort by priority, dispatch, come to a verdict.

A batch is dispatched whole before the next one is read, so a flood of high events delays a low one by its batch
and no more. Handlers run `concurrency` at a time, in workers that live as long as there is work.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from titan_bus import codec, names
from titan_bus.channel import Channel
from titan_bus.claims import Claims, Entry, Key
from titan_bus.config import BusConfig
from titan_bus.connection import Connection
from titan_bus.counters import GroupCounters
from titan_bus.delivery import Delivery
from titan_bus.errors import (
    BusClosedError,
    BusError,
    BusUnavailableError,
    EntryMalformedError,
    FatalError,
    RequestRefused,
    ServerRefusedError,
)
from titan_bus.event import Event
from titan_bus.request import Responder
from titan_bus.settlement import Settlement
from titan_bus.supervisor import keep_going
from titan_bus.tracing import Tracing

Handler = Callable[[Event], Awaitable[object]]
STUBBORN_S = 2.0
"""How long the end waits for a handler that swallows its cancellation."""
IDLE_RELEASE_S = 5.0
"""How often the delayed set is looked at when nothing is known to wait: a dead consumer may have left some."""

logger = logging.getLogger("titan_bus")


class Processor:
    """The consumer of one group on one topic. `start` it once, `stop` it once."""

    def __init__(
        self,
        connection: Connection,
        channel: Channel,
        config: BusConfig,
        responder: Responder,
        tracing: Tracing,
        counters: GroupCounters,
        *,
        topic: str,
        group: str,
        handler: Handler,
        concurrency: int,
        auto_ack: bool,
        start: str,
    ) -> None:
        self.topic = topic
        self.group = group
        self._name = f"{group} on {topic}"
        self._connection = connection
        self._channel = channel
        self._config = config
        self._consumer = config.consumer_name()
        self._responder = responder
        self._tracing = tracing
        self._counters = counters
        self._handler = handler
        self._auto_ack = auto_ack
        self._start_id = start
        self._streams = (names.stream_of(topic), names.retries_of(group, topic))
        self._settlement = Settlement(connection, topic, group, config.retry)
        self._held: dict[Key, Delivery | None] = {}
        self._claims = Claims(
            connection, self._settlement, config, group, self._streams, self._held.keys, self._receive
        )
        self._backlog: deque[Delivery] = deque()
        self._dispatched = asyncio.Event()
        self._dispatched.set()
        self._workers: set[asyncio.Task[None]] = set()
        self._idle = concurrency
        self._settling: set[asyncio.Task[None]] = set()
        self._upkeep: list[asyncio.Task[None]] = []
        self._own_taken = False
        self._postponed = asyncio.Event()
        self._stopping = False

    async def start(self) -> None:
        """Create the group where there is none, and begin.

        Raises:
            BusUnavailableError: the server does not answer now.
            BusClosedError: it was stopped meanwhile.
        """
        await self._create_groups()
        if self._stopping:
            raise BusClosedError
        for step in (self._read, self._release, self._claims.keep):
            what = f"titan_bus {self._name}: {step.__name__.strip('_')}"
            self._upkeep.append(asyncio.create_task(keep_going(step, what), name=what))

    async def stop(self, drain_s: float) -> None:
        """Read no more, wait `drain_s` for the handlers that run, then cancel them without acknowledging."""
        self._stopping = True
        self._backlog.clear()  # still pending on the server: the next start takes them up
        # The reader alone: upkeep goes on, so that nobody claims what still runs.
        await _cancel(set(self._upkeep[:1]))
        self._channel.close()
        if running := self._running():
            await asyncio.wait(running, timeout=drain_s)
        await _cancel(self._running() | set(self._upkeep))

    def holds(self, event_id: str) -> bool:
        """Whether an event waits here for its manual acknowledgement, or is being handled."""
        return any(held is not None and held.event.event_id == event_id for held in self._held.values())

    async def acknowledge(self, event_id: str) -> None:
        """Acknowledge an event that this consumer holds."""
        for delivery in [d for d in self._held.values() if d is not None and d.event.event_id == event_id]:
            await self._acknowledge(delivery)

    async def _create_groups(self) -> None:
        for stream, start in zip(self._streams, (self._start_id, "0"), strict=True):
            try:
                await self._connection.call("XGROUP", "CREATE", stream, self.group, start, "MKSTREAM")
            except ServerRefusedError as error:
                if error.code != "BUSYGROUP":
                    raise

    async def _read(self) -> None:
        await self._dispatched.wait()
        try:
            if not self._own_taken:
                await self._claims.take_own()
                self._own_taken = True
                return
            reply = await self._channel.call(
                "XREADGROUP", "GROUP", self.group, self._consumer,
                "COUNT", self._config.read.count, "BLOCK", self._config.read.block_ms,
                "STREAMS", *self._streams, ">", ">",
                block_s=self._config.read.block_ms / 1000,
            )  # fmt: skip
        except BusUnavailableError:
            # What the server sent into the lost connection is delivered to us and never came.
            self._own_taken = False
            raise
        except ServerRefusedError as error:
            if error.code not in {"NOGROUP", "UNBLOCKED"}:
                raise
            logger.warning("%s: the stream or the group is gone, creating it", self._name)
            self._start_id = "0"
            await self._create_groups()
            return
        for stream, entries in reply or ():
            self._receive(stream.decode(), entries)

    def _receive(self, stream: str, entries: list[Entry]) -> None:
        """Take entries in hand, in the order of their priority."""
        for entry_id, fields in entries:
            try:
                delivery = Delivery(stream, entry_id, fields, codec.decode(fields))
            except EntryMalformedError as error:
                self._held[stream, entry_id] = None
                self._spawn(self._bury_malformed(stream, entry_id, fields, error), self._settling)
                continue
            self._held[stream, entry_id] = delivery
            self._backlog.append(delivery)
        weights = self._config.priority_weights
        self._backlog = deque(
            sorted(self._backlog, key=lambda d: weights.get(d.event.meta.priority, 0), reverse=True)
        )
        self._dispatch()

    def _dispatch(self) -> None:
        if self._stopping:
            self._backlog.clear()
        if not self._backlog:
            return
        self._dispatched.clear()
        for _ in range(min(self._idle, len(self._backlog))):
            self._idle -= 1
            self._spawn(self._work(), self._workers)

    def _spawn(self, work: Any, tasks: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work, name=f"titan_bus {self._name}")
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _work(self) -> None:
        try:
            while self._backlog:
                delivery = self._backlog.popleft()
                if not self._backlog:
                    self._dispatched.set()
                try:
                    await self._handle(delivery)
                except Exception:  # a supervisor: without a verdict the server will deliver it again
                    logger.exception("%s: no verdict on %s", self._name, delivery.event.event_id)
                    self._let_go(delivery)
        finally:
            # Here and not when the task is done: a delivery that comes in between would find no worker.
            self._idle += 1
            self._dispatch()  # a handler that cancelled its own task leaves a backlog that nobody works on

    async def _handle(self, delivery: Delivery) -> None:
        with self._tracing.dispatching(delivery.event, self.group):
            await self._judge(delivery)

    async def _judge(self, delivery: Delivery) -> None:
        event = delivery.event
        if self._responder.expired(event):
            await self._acknowledge(delivery)
            return
        try:
            with self._tracing.handling(event):
                result = await self._handler(event)
        except asyncio.CancelledError:
            self._let_go(delivery)
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            logger.warning("%s: handling of %s was cancelled", self._name, event.event_id)
        except Exception as error:  # noqa: BLE001 -- whatever a handler raises is a verdict on the event
            await self._fail(delivery, error)
        else:
            await self._responder.answer(event, result)
            if self._auto_ack:
                await self._acknowledge(delivery)
                self._counters.handled += 1

    async def _fail(self, delivery: Delivery, error: Exception) -> None:
        event = delivery.event
        if event.meta.reply_to is not None:
            # Somebody waits: an answer now is worth more than one after the deadline.
            if not isinstance(error, RequestRefused):
                logger.error("%s: request %s failed", self._name, event.event_id, exc_info=error)
            await self._responder.refuse(event, error)
            await self._acknowledge(delivery)
            return
        limit = self._config.stream(self.topic).retry_limit
        if isinstance(error, FatalError) or event.meta.retries >= limit:
            logger.error("%s: %s goes to the dead letters", self._name, event.event_id, exc_info=error)
            await self._settlement.bury(delivery.stream, delivery.entry_id, delivery.fields, error)
        else:
            pause_s = await self._settlement.postpone(delivery)
            logger.info("%s: %s failed (%r), again in %.1f s", self._name, event.event_id, error, pause_s)
            self._postponed.set()
        self._let_go(delivery)

    async def _acknowledge(self, delivery: Delivery) -> None:
        await self._settlement.acknowledge(delivery.stream, delivery.entry_id)
        self._let_go(delivery)

    async def _bury_malformed(
        self, stream: str, entry_id: bytes, fields: list[bytes], error: EntryMalformedError
    ) -> None:
        logger.error("%s: entry %s is no event: %s", self._name, entry_id.decode(), error)
        try:
            await self._settlement.bury(stream, entry_id, fields or [], error)
        except BusError as trouble:
            logger.warning("%s: %s stays open: %s", self._name, entry_id.decode(), trouble)
        finally:
            self._held.pop((stream, entry_id), None)

    def _running(self) -> set[asyncio.Task[None]]:
        # A handler may stop its own subscription; it cannot wait for itself.
        return (self._workers | self._settling) - {asyncio.current_task()}

    def _let_go(self, delivery: Delivery) -> None:
        self._held.pop((delivery.stream, delivery.entry_id), None)

    async def _release(self) -> None:
        """Bring back failed events whose time has come, then wait for the next one's."""
        self._postponed.clear()
        next_s = await self._settlement.release()
        try:
            async with asyncio.timeout(
                IDLE_RELEASE_S if next_s is None else min(next_s + 0.001, IDLE_RELEASE_S)
            ):
                await self._postponed.wait()
        except TimeoutError:
            pass


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        _, stubborn = await asyncio.wait(tasks, timeout=STUBBORN_S)
        for task in stubborn:
            logger.error("%s does not end though it was cancelled", task.get_name())
