"""Handlers declared in modules, before there is a bus; the bus, the worker and `asyncapi` take them from here.

    handlers = Handlers()

    @handlers.on("orders.v1", "billing", event_type="order_placed", concurrency=4)
    async def bill(order: OrderPlaced) -> None: ...

All that is declared for one topic and group is one subscription, which hands each event to the handler of its
type. An event whose type no handler of the group takes is acknowledged and logged once: a group that wants a few
types of a topic has not asked for the rest. So in a rolling upgrade the consumers of a new type go first. A group
that must not miss anything declares a handler without `event_type`; it gets all that no other takes.

`wrapped` puts a middleware around every handler of a collection.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import msgspec

from titan_bus.consumer.delivery import IGNORED
from titan_bus.consumer.spec import PartitionBy
from titan_bus.declaring.options import Options, checked
from titan_bus.declaring.signatures import AnyHandler, Bound, bind
from titan_bus.declaring.upcast import Upcasters
from titan_bus.errors import HandlerRefusedError, RequestRefused
from titan_bus.event import Event
from titan_bus.lifespan import Context, Lifespan, context_of

F = TypeVar("F", bound=AnyHandler)
L = TypeVar("L", bound=Lifespan)
Call = Callable[[Event], Awaitable[object]]
Middleware = Callable[[Event, Call], Awaitable[object]]
"""Takes an event and the call of its handler: `return await call(event)`, or raise, and the handler is not
called."""
IGNORED_NAMED_MAX = 100
"""How many event types without a handler the log names; a hostile publisher can invent any number."""

logger = logging.getLogger("titan_bus")


@dataclass(frozen=True, slots=True)
class Sent:
    """A declared publish."""

    topic: str
    event_type: str
    payload: Any
    description: str


@dataclass(slots=True)
class Declared:
    """A declared subscription: a group on a topic, and its handlers by event type; None takes the rest."""

    topic: str
    group: str
    options: Options = field(default_factory=Options)
    routes: dict[str | None, Bound] = field(default_factory=dict)

    def handler(self) -> AnyHandler:
        """Return the handler of the whole subscription."""
        catch_all = self.routes.get(None)
        return catch_all.handler if catch_all is not None and len(self.routes) == 1 else _Router(self)

    def take(self, event_type: str | None, bound: Bound, options: Options) -> None:
        """Add a handler.

        Raises:
            HandlerRefusedError: its event type has one, or an option was given otherwise before.
        """
        where = f"{self.group} on {self.topic}"
        if (bound.batch and event_type is not None) or any(
            bound.batch or other.batch for other in self.routes.values()
        ):
            raise HandlerRefusedError(
                bound.name,
                f"a handler of `list[Event]` takes all events of {where}, without others beside it",
            )
        if event_type in self.routes:
            what = "all event types without a handler" if event_type is None else event_type
            raise HandlerRefusedError(
                bound.name, f"{self.routes[event_type].name} handles {what} for {where} already"
            )
        for name, value in options.items():
            before = self.options.get(name, value)
            if before != value:
                raise HandlerRefusedError(
                    bound.name,
                    f"{name} is {before!r} for {where} already, not {value!r}: one subscription has one",
                )
        self.options.update(options)
        self.routes[event_type] = bound


class _Router:
    """Calls the handler of an event's type."""

    def __init__(self, declared: Declared) -> None:
        self._where = f"{declared.group} on {declared.topic}"
        self._routes = {name: bound.call for name, bound in declared.routes.items() if name is not None}
        catch_all = declared.routes.get(None)
        self._rest: Call = self._ignore if catch_all is None else catch_all.call
        self._ignored: set[str] = set()

    async def __call__(self, event: Event) -> object:
        return await self._routes.get(event.event_type, self._rest)(event)

    async def _ignore(self, event: Event) -> object:
        if event.meta.reply_to is not None:
            raise RequestRefused("unknown_event_type", f"{self._where} does not answer {event.event_type}")
        if event.event_type not in self._ignored and len(self._ignored) < IGNORED_NAMED_MAX:
            self._ignored.add(event.event_type)
            logger.info(
                "%s: no handler takes %s; such events are acknowledged", self._where, event.event_type
            )
        return IGNORED


class Handlers:
    """A collection of handlers, of upcasters for their events, and of the program's publishes.

    Attributes:
        upcasters: applied to every event that the bus reads once it has included this collection.
    """

    def __init__(self, upcasters: Upcasters | None = None) -> None:
        self.upcasters = upcasters if upcasters is not None else Upcasters()
        self._declared: dict[tuple[str, str], Declared] = {}
        self._sent: dict[tuple[str, str], Sent] = {}
        self._lifespans: dict[Lifespan, Context] = {}

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
        """Declare the decorated function a handler; it stays as it is, so a test can call it.

        The options are those of `Bus.subscribe`. They belong to the subscription: one handler of a group may give
        them for all.

        Args:
            topic: which events.
            group: who shares them.
            event_type: the only type that this handler takes, or the struct whose tag it is; None takes what no
                other handler of the group does.
            concurrency: how many handlers of the group run at once.
            auto_ack: False leaves the acknowledgement to `ack`; with ten times `read.count` events in flight and
                unacknowledged no more are read.
            start: where a group that is new begins.
            partition_by: returns an event's key; events of one key are handled in their order.
            timeout_s: after so long a handler is cancelled, which is a failure like others.

        Raises:
            HandlerRefusedError: when decorating: the function is no handler, the group has one for these events,
                or an option cannot be, or was given otherwise before.
        """
        options = _options(
            concurrency=concurrency, auto_ack=auto_ack, start=start, partition_by=partition_by,
            timeout_s=timeout_s,
        )  # fmt: skip

        def declare(function: F) -> F:
            name = tag_of(event_type) if isinstance(event_type, type) else event_type
            bound = checked(bind(function), topic, group, options, name)
            declared = self._declared.setdefault((topic, group), Declared(topic, group))
            declared.take(name, bound, options)
            return function

        return declare

    def sends(self, topic: str, event_type: str, payload: Any, description: str = "") -> None:
        """Declare what the program publishes, for its AsyncAPI document.

        Args:
            topic: the topic.
            event_type: the event type.
            payload: the struct of its payload.
            description: when it is sent; the struct's docstring says what it is.

        Raises:
            ValueError: it was declared with another payload.
        """
        sent = Sent(topic, event_type, payload, description)
        if self._sent.setdefault((topic, event_type), sent).payload != payload:
            raise ValueError(f"{topic} {event_type} is declared with another payload already")

    def lifespan(self, function: L) -> L:
        """Declare what surrounds these handlers: an async generator that takes the bus and yields once.

            @handlers.lifespan
            async def pool(bus: Bus) -> AsyncIterator[None]:
                async with asyncpg.create_pool(DSN) as shop.pool:
                    yield

        What stands before the `yield` runs before the first handler, what stands behind it after the last one,
        while the bus can still publish. A function that returns an async context manager will do as well.

        Raises:
            HandlerRefusedError: it is neither.
        """
        self._lifespans[function] = context_of(function)
        return function

    def include(self, *others: "Handlers") -> None:
        """Include the declarations of other collections.

        Raises:
            HandlerRefusedError: two of them declare a group's handler of one type, or different options.
            ValueError: the steps of upcasters, or publishes, contradict each other.
        """
        for other in others:
            self.upcasters.include(other.upcasters)
            self._lifespans.update(other.lifespans())
            for sent in other.sent():
                self.sends(sent.topic, sent.event_type, sent.payload, sent.description)
            for theirs in other:
                mine = self._declared.setdefault(
                    (theirs.topic, theirs.group), Declared(theirs.topic, theirs.group)
                )
                for event_type, bound in theirs.routes.items():
                    mine.take(event_type, bound, theirs.options)

    def wrapped(self, middleware: Middleware) -> "Handlers":
        """Return this collection with every handler called by `middleware`, before its payload is decoded.

        Events without a handler do not reach it.

        Raises:
            HandlerRefusedError: a handler takes a list of events.
        """

        def around(bound: Bound) -> Bound:
            if bound.batch:
                raise HandlerRefusedError(bound.name, "a middleware is given one event, not a list of them")

            async def call(event: Event) -> object:
                return await middleware(event, bound.call)

            return replace(bound, handler=call, call=call)

        made = Handlers(self.upcasters)
        made._sent = self._sent
        made._lifespans = self._lifespans
        made._declared = {
            key: replace(one, routes={name: around(bound) for name, bound in one.routes.items()})
            for key, one in self._declared.items()
        }
        return made

    def __iter__(self) -> Iterator[Declared]:
        """Iterate over the declared subscriptions."""
        return iter(self._declared.values())

    def __len__(self) -> int:
        return len(self._declared)

    def __bool__(self) -> bool:
        return True  # a collection without handlers may have upcasters

    def lifespans(self) -> dict[Lifespan, Context]:
        """Return the declared lifespans, each with what makes its context manager."""
        return dict(self._lifespans)

    def sent(self) -> Iterator[Sent]:
        """Iterate over the declared publishes."""
        return iter(self._sent.values())


def tag_of(kind: type[Any]) -> str:
    """Return the event type of a struct: its tag.

    Raises:
        HandlerRefusedError: it has no tag, or one that is no text.
    """
    tag = kind.__struct_config__.tag if issubclass(kind, msgspec.Struct) else None
    if not isinstance(tag, str):
        raise HandlerRefusedError(kind.__name__, "only a struct with a tag stands for an event type")
    return tag


def _options(**given: Any) -> Options:
    options = Options()
    options.update({name: value for name, value in given.items() if value is not None})  # type: ignore[typeddict-item]
    return options
