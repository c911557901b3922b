"""The `Bus`: the object that a program opens, uses and closes."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar, overload

import msgspec

from titan_bus import codec, names
from titan_bus.archive.archiver import Archived
from titan_bus.archive.restore import Restored
from titan_bus.config import BusConfig
from titan_bus.connections.access import Credentials
from titan_bus.connections.server import Server
from titan_bus.consumer.limits import RateLimit
from titan_bus.consumer.spec import PartitionBy
from titan_bus.consumer.subscription import Subscription
from titan_bus.deadletter import DeadLetters
from titan_bus.declaring.handlers import F, Handlers
from titan_bus.declaring.options import Options
from titan_bus.declaring.signatures import AnyHandler
from titan_bus.erasure.receipt import ErasureReceipt
from titan_bus.errors import (
    BusClosedError,
    BusError,
    HandlerRefusedError,
    RequestFailedError,
)
from titan_bus.event import SCHEMA_VERSION, Event, Payload, Priority
from titan_bus.inspection import Inspection
from titan_bus.lifespan import Lifespans
from titan_bus.maintenance import Maintenance
from titan_bus.observability.counters import Counters
from titan_bus.observability.tracing import TraceIds, Tracing
from titan_bus.once import KEEP_S, LEASE_S, RedisOnce
from titan_bus.publisher import Publisher
from titan_bus.removal import remove
from titan_bus.replay import Replay
from titan_bus.request import Requester, Responder
from titan_bus.running_time import limited
from titan_bus.subscriptions import Subscriptions
from titan_bus.tail import Tail

T = TypeVar("T")
FLUSH_S = 2.0
"""How long closing waits for the server's replies to publishes."""


class Bus:
    """An event bus on Redis Streams.

    `async with Bus(config, handlers) as bus:` connects, subscribes what is declared, and closes in order:
    subscriptions finish or are cancelled within `config.drain_s`, what was published is sent, then the connections
    go. A server that goes away meanwhile is waited for; everything resumes by itself.

    Args:
        config: all of it, or the server's URL alone.
        handlers: subscribed when it opens.
        tracing: `OpenTelemetryTracing` records spans; without it events carry trace ids alone.
        credentials: called at every connect for user and password, in place of the URL's; may be `async`.

    Attributes:
        upcasters: applied to every event that reaches a handler, a tail or a replay of this bus.
    """

    def __init__(
        self,
        config: BusConfig | str,
        *handlers: Handlers,
        tracing: Tracing | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        if isinstance(config, str):
            config = BusConfig(url=config)
        self.config = config
        self._handlers = Handlers()
        self._handlers.include(*handlers)
        self.upcasters = self._handlers.upcasters
        self.counters = Counters()
        self._server = Server(config, credentials)
        self._connection = self._server.connection
        self._tracing = tracing or TraceIds()
        self._publisher = Publisher(self._server.publishing, config.source, self._tracing, self.counters)
        self._responder = Responder(self._connection, self._publisher, config.source, self._tracing)
        self._limit = RateLimit(config.rate_limit) if config.rate_limit is not None else None
        self._begin()

    def _begin(self) -> None:
        """Make what lives from one opening to the next close."""
        self._requester = Requester(
            self._connection, self._server.channel, self._publisher, self.config.read.block_ms
        )
        self._maintenance = Maintenance(self._connection, self._publisher, self.config, self.counters)
        self._replay = Replay(self._connection, self._maintenance.archive, self._decode)
        self._subscriptions = Subscriptions(
            self._server,
            self.config,
            self._responder,
            self._tracing,
            self.counters,
            self.upcasters,
            self._limit,
        )
        self._lifespans = Lifespans()
        self._tails: set[Tail] = set()
        self._open = False
        self._closed = False
        self._opening = asyncio.Lock()
        self._finishing: asyncio.Task[None] | None = None
        self._shutting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Connect. Does nothing when the bus is open; may be repeated after a failure, and after `close`.

        Opened again, in another event loop, too, it has the declared handlers, not what was subscribed meanwhile.

        Raises:
            BusUnavailableError: the server does not answer within 3 s, or does not let us in.
            BusClosedError: it was closed while it opened.
            ExtraMissingError: the configuration needs a package that is not installed.
        """
        if (closing := self._shutting) is not None:
            if not closing.done():
                await asyncio.wait([closing])
            if closing is self._shutting:  # else another call was first
                self._begin()
        async with self._opening:
            if self._open:
                return
            self._closed = False
            self._maintenance.prepare()
            await self._server.open()
            if self._is_closed():  # closed meanwhile
                await self._server.close()
                raise BusClosedError
            self._open = True
            try:
                await self._maintenance.start()
                await self.include(self._handlers)
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        """Close within `drain_s` and a few seconds more, whatever the handlers and the server do.

        When cancelled it stops waiting for handlers, and closes the rest. A handler that awaits `close` waits for
        itself: let it create a task.
        """
        if self._shutting is None:
            if not self._open:
                self._closed = self._closed or self._opening.locked()
                return
            self._open = False
            self._closed = True
            self._finishing = asyncio.create_task(self._finish(), name="titan_bus draining")
            self._shutting = asyncio.create_task(self._shut(self._finishing), name="titan_bus closing")
        try:
            await asyncio.shield(self._shutting)
        except asyncio.CancelledError:
            if self._finishing is not None:
                self._finishing.cancel()
            await asyncio.wait([self._shutting])
            raise

    def _is_closed(self) -> bool:
        return self._closed

    async def _finish(self) -> None:
        """Wait for running handlers and for the replies to publishes."""
        try:
            for tail in tuple(self._tails):
                await tail.close()
            await self._subscriptions.stop(self.config.drain_s)
            await self._lifespans.leave(self.config.drain_s)
            await self._subscriptions.release_names()
            async with limited(FLUSH_S):
                await self._requester.close()
                await self._server.drain()
        except TimeoutError:
            pass  # the remaining futures fail with BusClosedError

    async def _shut(self, finishing: asyncio.Task[None]) -> None:
        """Close everything else."""
        try:
            await asyncio.wait([finishing])
            await self._subscriptions.stop(0.0)
            await self._lifespans.leave(0.0)
            for tail in tuple(self._tails):
                await tail.close()
            await self._requester.close()
        finally:
            await self._subscriptions.release_names()
            await self._maintenance.close()
            await self._server.close()
        if not finishing.cancelled():
            await finishing  # raises its error

    @property
    def connected(self) -> bool:
        """Whether the server is connected."""
        return self._connection.connected

    @property
    def metrics_port(self) -> int | None:
        """The port of the Prometheus metrics; None when none is configured, or it could not be opened."""
        return self._maintenance.metrics_port

    @property
    def archive_failure(self) -> BusError | None:
        """What kept the last round from being archived; None when that went well, or there is no archive."""
        return self._maintenance.archive_failure

    def on_connection(self, callback: Callable[[bool], None]) -> Callable[[], None]:
        """Call `callback` with False when the connection is lost, True when it is back. Returns a remover."""
        return self._connection.on_change(callback)

    @property
    def dead_letters(self) -> DeadLetters:
        """The events that could not be handled."""
        return DeadLetters(self._connection)

    @property
    def inspection(self) -> Inspection:
        """The current state of the server: topics, groups, and what they have in flight."""
        return Inspection(self._connection)

    def publish(
        self,
        topic: str,
        event_type: str,
        payload: Payload,
        priority: Priority | str = Priority.MEDIUM,
        *,
        schema_version: int = SCHEMA_VERSION,
        source: str | None = None,
        delay_s: float | None = None,
        at: datetime | None = None,
    ) -> asyncio.Future[str]:
        """Publish an event. The returned future has its id once the server has stored it.

        Cancelling the future does not withdraw the event. While the server is away the event waits `patience_s`;
        one that was sent and not answered is sent again under the same id, so it may be stored twice.

        Args:
            topic: the topic.
            event_type: what happened.
            payload: the data.
            priority: decides the order of the events of a batch.
            schema_version: the version of the payload.
            source: the original publisher, for a program that forwards events; None for the bus's own.
            delay_s: publish it in so many seconds by the server's clock; until then it waits on the server.
            at: publish it at this time, which has a time zone, by this machine's clock; one that is over is now.

        Raises:
            PublishRefusedError: at the call: the event is malformed or longer than 32,768 bytes.
            BusUnavailableError: from the future: the server did not store it in time; AccessRefusedError, one of
                these, when it does not let us in any more.
            NotReplicatedError: from the future: with `replicas`, too few had it in time.
            BusClosedError: the bus is not open.
            BusOverloadedError: 64 MiB are waiting for the server.
        """
        return self._publisher.publish(
            topic, event_type, payload, priority, schema_version=schema_version, source=source,
            delay_s=delay_s, at=at,
        )  # fmt: skip

    async def subscribe(
        self,
        topic: str,
        group: str,
        handler: AnyHandler,
        *,
        concurrency: int = 16,
        auto_ack: bool = True,
        start: str = "0",
        partition_by: PartitionBy | None = None,
        timeout_s: float | None = None,
    ) -> Subscription:
        """Handle every event of a topic once in this group.

        The handler's return acknowledges the event. An exception leads to a retry, FatalError to the dead letters.
        A cancelled handler leaves the event unacknowledged. The return value answers a request.

        Args:
            topic: the topic.
            group: the consumer group; its consumers share the events, and each group gets all.
            handler: `async def` of an `event: Event`, of an `order: OrderPlaced`, or of both. A struct, a union of
                tagged structs and `dict` are the validated payload; a parameter without annotation is the Event.
                One of `list[Event]` gets several at once, up to `read.count`, and returns for all; when it
                raises, each is tried again alone.
            concurrency: how many handlers run at once.
            auto_ack: False leaves the acknowledgement to `ack`. Reading pauses at ten times `read.count`
                unacknowledged events.
            start: where a new group begins: "0" at the oldest event, "$" at the next one.
            partition_by: returns an event's key. Events of one key are handled one after another in the order of
                their publishing, whatever their priority; a failed one is retried in place while those behind it
                wait. None as a key needs no order. The order holds within one consumer: others of the group may
                have events of the same key. With `auto_ack=False` the next one follows the acknowledgement.
            timeout_s: after so long a handler is cancelled; that is a failure (HandlerTimedOutError). None for no
                limit: a handler may take hours, and keeps its event.

        Raises:
            ValueError: this bus already has a subscription of the group to the topic.
            ConsumerNameTakenError: another consumer of the group has the configured name, and keeps it.
            HandlerRefusedError: the function, a name or an option is invalid.
            BusUnavailableError: the server does not answer.
            BusClosedError: the bus is not open.
        """
        if not self._open:
            raise BusClosedError
        options = Options(
            concurrency=concurrency, auto_ack=auto_ack, start=start, partition_by=partition_by,
            timeout_s=timeout_s,
        )  # fmt: skip
        return await self._subscriptions.start(topic, group, handler, options)

    def on(
        self,
        topic: str,
        group: str,
        *,
        event_type: str | type[msgspec.Struct] | None = None,
        concurrency: int | None = None,
        auto_ack: bool | None = None,
        start: str | None = None,
        partition_by: PartitionBy | None = None,
        timeout_s: float | None = None,
    ) -> Callable[[F], F]:
        """Declare the decorated function a handler, subscribed when the bus opens; see `Handlers.on`.

        Raises:
            HandlerRefusedError: the function is no handler, contradicts another, or the bus is open already: then
                use `include`.
        """
        if self._open:
            raise HandlerRefusedError(
                "on", "the bus is open: declare in `Handlers` and `await bus.include(handlers)`"
            )
        return self._handlers.on(
            topic, group, event_type=event_type, concurrency=concurrency, auto_ack=auto_ack, start=start,
            partition_by=partition_by, timeout_s=timeout_s,
        )  # fmt: skip

    async def include(self, *handlers: Handlers) -> list[Subscription]:
        """Enter the lifespans of these collections and subscribe their handlers, all or none.

        Raises:
            HandlerRefusedError: they contradict each other.
            ValueError: this bus already has a subscription of one of the groups.
            BusUnavailableError: the server does not answer.
            BusClosedError: the bus is not open; before opening, pass them to `Bus(config, *handlers)`.
        """
        if not self._open:
            raise BusClosedError
        together = Handlers()
        together.include(*handlers)
        self.upcasters.include(together.upcasters)
        lifespans = await self._lifespans.enter(together.lifespans().values(), self)
        begun: list[Subscription] = []
        try:
            for one in together:
                subscription = await self.subscribe(one.topic, one.group, one.handler(), **one.options)
                begun.append(subscription)
        except BaseException:
            await asyncio.gather(*(subscription.stop(0.0) for subscription in begun))
            await self._lifespans.leave(self.config.drain_s, lifespans)
            raise
        return begun

    async def ack(self, event_id: str) -> None:
        """Acknowledge an event of a subscription with `auto_ack=False`.

        Raises:
            EventNotHeldError: it is in flight on no subscription of this bus.
        """
        await self._subscriptions.acknowledge(event_id)

    def once(self, scope: str, *, lease_s: float = LEASE_S, keep_s: float = KEEP_S) -> RedisOnce:
        """Return a guard that makes an effect happen once for all deliveries of its event; see `RedisOnce`."""
        return RedisOnce(self._connection, scope, lease_s=lease_s, keep_s=keep_s)

    @overload
    async def request(
        self, topic: str, event_type: str, payload: Payload, reply_type: type[T], timeout_s: float = 5.0,
        *, source: str | None = None,
    ) -> T: ...  # fmt: skip

    @overload
    async def request(
        self, topic: str, event_type: str, payload: Payload, reply_type: None = None, timeout_s: float = 5.0,
        *, source: str | None = None,
    ) -> msgspec.Raw: ...  # fmt: skip

    async def request(
        self, topic: str, event_type: str, payload: Payload, reply_type: Any = None, timeout_s: float = 5.0,
        *, source: str | None = None,
    ) -> Any:  # fmt: skip
        """Send a request and return the answer, decoded as `reply_type`, or as `msgspec.Raw`.

        The request waits until the deadline for a responder that is not running yet. `source` is as in `publish`.

        Raises:
            RequestTimedOutError: no answer within `timeout_s`.
            RequestFailedError: the responder refused, or the answer has another type (`reply_malformed`).
            BusUnavailableError: the server is away.
            PublishRefusedError: the request is malformed or too long.
            BusClosedError: the bus is not open, or was closed meanwhile.
            ValueError: `timeout_s` is no number of seconds.
        """
        if not self._open:
            raise BusClosedError
        with self._tracing.requesting(topic, event_type):
            reply = await self._requester.request(topic, event_type, payload, timeout_s, source)
        if reply_type is None:
            return reply
        try:
            return msgspec.json.decode(reply, type=reply_type)
        except (msgspec.MsgspecError, ValueError) as error:
            raise RequestFailedError("reply_malformed", str(error)) from error

    def tail(self, topics: Iterable[str], start: str = "$") -> Tail:
        """Read topics without a group: every reader gets every event.

        Args:
            topics: the topics.
            start: "$" begins with the next event, "0" with the oldest.
        """
        topics = tuple(topics)
        channel = self._server.channel(*map(names.stream_of, topics))
        tail = Tail(
            channel, topics, start, self.config.read.block_ms, self._tails.discard, self.upcasters.apply
        )
        self._tails.add(tail)
        return tail

    def replay(
        self, from_timestamp: str, topic: str, to_timestamp: str | None = None
    ) -> AsyncGenerator[Event, None]:
        """Yield a topic's events of a span of time (RFC 3339, both ends included): archive, then stream."""
        return self._replay.between(from_timestamp, topic, to_timestamp)

    def replay_from(self, start_id: str, topic: str) -> AsyncGenerator[Event, None]:
        """Yield an event, given by its id or its entry's id, and all later ones; see `Replay.since`."""
        return self._replay.since(start_id, topic)

    def replay_unacknowledged(self, group: str, topic: str) -> AsyncGenerator[Event, None]:
        """Yield what a group has not acknowledged, without consuming it; see `Replay.unacknowledged`."""
        return self._replay.unacknowledged(group, topic)

    async def archive_now(self) -> Archived:
        """Archive new events now, without waiting for the next round; see `Archiver.archive_now`.

        Raises:
            ValueError: the configuration has no archive.
            StoreError: its store cannot be read or written.
        """
        return await self._maintenance.archiver().archive_now()

    async def restore(
        self, topics: Iterable[str] = (), since: datetime | None = None, *, newer_only: bool = False
    ) -> list[Restored]:
        """Restore the archive into a server that lost its data; see `Restorer.restore`.

        Raises:
            ValueError: the configuration has no archive.
            RestoreRefusedError: a stream is not empty; nothing was restored.
            StoreError: the archive cannot be read.
        """
        return await self._maintenance.restorer().restore(tuple(topics), since, newer_only=newer_only)

    async def erase(self, event_ids: Iterable[str], *, topics: Iterable[str] = ()) -> ErasureReceipt:
        """Erase events for good, wherever the bus keeps them; see `Eraser.erase` for what that promises.

        That is: streams, retries, dead letters, the archive, the server's files. Asked for again it changes no
        more and finishes what was killed before its end. It takes as long as to read the topics' streams from the
        oldest of the ids on, and to copy those that had something; of the archive it reads what is near the ids'
        times. An id that is nowhere costs a look at everything: name the topics.

        Args:
            event_ids: which; one alone may be given as it is.
            topics: where to look, beside the dead letters; none for all.

        Raises:
            ArchiveElsewhereError: the server is archived, and not to where the configuration says.
            StoreError: the archive cannot be read or written: erase again.
            ErasureInterruptedError: this program stood still for half a minute: erase again.
            BusUnavailableError: the server does not answer: erase again.
            ServerRefusedError: the rights are not enough: `titan-bus acl --erases`.
            BusClosedError: the bus is not open.
        """
        return await self._maintenance.eraser().erase(_several(event_ids), _several(topics))

    async def remove(self, topic: str, group: str | None = None) -> None:
        """Remove a group that nobody runs any more, with what it has not handled; without one, the whole topic.

        Dead letters and the archive stay as they are; `erase` takes events out of these.

        Raises:
            BusUnavailableError: the server does not answer: call it again.
            ServerRefusedError: the rights are not enough: `titan-bus acl` grants this to nobody.
            BusClosedError: the bus is not open.
        """
        if not self._open:
            raise BusClosedError
        await remove(self._connection, topic, group)

    def _decode(self, body: bytes) -> Event:
        return self.upcasters.apply(codec.decode_body(body))


def _several(names: Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
