"""What a handler's signature asks for: the event, the payload, or both."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypedDict
from unittest.mock import AsyncMock

import msgspec
import pytest

from tests.titan_bus.conftest import until
from titan_bus import Bus, Event, HandlerRefusedError, Handlers
from titan_bus.declaring.signatures import bind
from titan_bus.errors import PayloadMismatchError

if TYPE_CHECKING:
    from decimal import Decimal as OnlyForTheChecker

    import titan_bus as only_for_the_checker


class OrderPlaced(msgspec.Struct):
    """Somebody bought something."""

    number: int


class Card(msgspec.Struct, tag="card"):
    digits: str


class Cash(msgspec.Struct, tag="cash"):
    coins: int


class Row(msgspec.Struct, array_like=True):
    number: int


class Total(msgspec.Struct):
    cents: int


@dataclass
class OrderData:
    number: int


class OrderDict(TypedDict):
    number: int


class OrderModel:
    """Of a library that msgspec does not know, as a pydantic model is."""


seen: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


async def takes_event(event: Event) -> None:
    seen.append(event.payload_as(dict))


async def takes_payload(order: OrderPlaced) -> None:
    seen.append(order)


async def takes_both(order: OrderPlaced, event: Event) -> None:
    seen.append((order, event.event_type))


async def takes_both_the_other_way(event: Event, order: OrderPlaced) -> None:
    seen.append((order, event.event_type))


async def takes_dict(order: dict[str, Any]) -> None:
    seen.append(order)


async def takes_raw(order: msgspec.Raw) -> None:
    seen.append(bytes(order))


async def says_nothing(event) -> None:
    seen.append(event.payload_as(dict))


async def says_any(event: Any) -> None:
    seen.append(event.payload_as(dict))


async def says_optional(event: Event | None = None) -> None:
    seen.append(event and event.payload_as(dict))


async def says_optional_payload(order: OrderPlaced | None = None) -> None:
    seen.append(order)


async def says_optional_any(event: Any | None = None) -> None:
    seen.append(event and event.payload_as(dict))


async def is_annotated(event: Annotated[Event, "what came"], order: Annotated[OrderPlaced, "a note"]) -> None:
    seen.append((order, event.event_type))


async def takes_a_dataclass(order: OrderData) -> None:
    seen.append(order)


async def takes_a_typed_dict(order: OrderDict) -> None:
    seen.append(order)


async def gathers(order: OrderPlaced, *rest: Event, **named: Event) -> None:
    seen.append((order, rest, named))


async def has_a_default(order: OrderPlaced, clock: Callable[[], int] = lambda: 5) -> None:
    seen.append((order, clock()))


async def event_of_the_checker(event: only_for_the_checker.Event) -> OnlyForTheChecker | None:
    seen.append(event.payload_as(dict))
    return None


async def with_a_store(store: list[Any], order: OrderPlaced) -> None:
    store.append(order)


class Service:
    async def method(self, order: OrderPlaced) -> None:
        seen.append(order)

    @classmethod
    async def of_the_class(cls, order: OrderPlaced) -> None:
        seen.append(order)

    @staticmethod
    async def static(order: OrderPlaced) -> None:
        seen.append(order)

    async def __call__(self, order: OrderPlaced) -> None:
        seen.append(order)


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return wrapper


def bare(function: Callable[..., Any]) -> Callable[..., Any]:
    async def wrapper(*args: Any) -> Any:
        return await function(*args)

    return wrapper


ORDER, PLAIN = OrderPlaced(7), {"number": 7}


@pytest.mark.parametrize(
    ("handler", "got"),
    [
        (takes_event, PLAIN),
        (takes_payload, ORDER),
        (takes_both, (ORDER, "order_placed")),
        (takes_both_the_other_way, (ORDER, "order_placed")),
        (takes_dict, PLAIN),
        (takes_raw, b'{"number":7}'),
        (says_nothing, PLAIN),
        (says_any, PLAIN),
        (says_optional, PLAIN),
        (says_optional_payload, ORDER),
        (says_optional_any, PLAIN),
        (is_annotated, (ORDER, "order_placed")),
        (takes_a_dataclass, OrderData(7)),
        (takes_a_typed_dict, PLAIN),
        (gathers, (ORDER, (), {})),
        (has_a_default, (ORDER, 5)),
        (event_of_the_checker, PLAIN),
        (functools.partial(with_a_store, seen), ORDER),
        (functools.partial(Service.method, Service()), ORDER),
        (Service().method, ORDER),
        (Service.of_the_class, ORDER),
        (Service.static, ORDER),
        (Service(), ORDER),
        (functools.partial(Service()), ORDER),
        (wrapped(takes_payload), ORDER),
        (bare(takes_event), PLAIN),
    ],
)
async def test_a_handler_gets_what_its_annotations_say(
    bus: Bus, topic: str, handler: Callable[..., Any], got: object
) -> None:
    """The Event, the payload as a struct, a dict or bytes, or both in any order, by every kind of callable."""
    await bus.subscribe(topic, "g", handler)
    await bus.publish(topic, "order_placed", {"number": 7})
    await until(lambda: seen, "the delivery")
    assert seen == [got]


async def test_a_mock_is_a_handler(bus: Bus, topic: str) -> None:
    """Who tests with AsyncMock subscribes it as it is, and it gets the Event."""
    mock = AsyncMock(return_value=None)
    await bus.subscribe(topic, "g", mock)
    event_id = await bus.publish(topic, "order_placed", {})
    await until(lambda: mock.await_count, "the delivery")
    assert mock.await_args is not None
    assert mock.await_args.args[0].event_id == event_id


def synchronous(event: Event) -> None: ...


async def generates(event: Event) -> AsyncIterator[int]:
    yield 1


def generates_synchronously(event: Event) -> Iterator[int]:
    yield 1


class Generating:
    async def __call__(self, event: Event) -> AsyncIterator[int]:
        yield 1


async def takes_nothing() -> None: ...


async def would_keep_none(order: OrderPlaced, event: Event | None = None) -> None: ...


async def would_keep_none_by_name(order: OrderPlaced, *, event: Annotated[Event, 1] = None) -> None: ...


async def takes_the_event_by_name(order: OrderPlaced, *, event: Event) -> None: ...


async def takes_orders(orders: list[OrderPlaced]) -> None: ...


async def takes_the_one_or_the_other(it: Event | OrderPlaced) -> None: ...


async def takes_a_model(order: OrderModel) -> None: ...


async def takes_three(a: OrderPlaced, b: Event, c: int) -> None: ...


async def takes_two_events(a: Event, b: Event) -> None: ...


async def takes_two_payloads(a: OrderPlaced, b: Card) -> None: ...


async def takes_by_name(order: OrderPlaced, *, store: list[int]) -> None: ...


async def takes_text(name: str) -> None: ...


async def takes_a_list(orders: list[OrderPlaced]) -> None: ...


async def takes_a_row(row: Row) -> None: ...


async def takes_a_function(what: Callable[[], int]) -> None: ...


async def takes_what_is_not_there(what: OnlyForTheChecker) -> None: ...


async def takes_an_untagged_union(what: OrderPlaced | Total) -> None: ...


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (synchronous, "synchronous: a handler is an async function"),
        (generates, "a handler is called for each event and has no `yield`: return the answer, or publish"),
        (generates_synchronously, "a handler is called for each event and has no `yield`"),
        (Generating(), "Generating.__call__: a handler is called for each event and has no `yield`"),
        (Service, "Service: this is a class, and a handler is an object of it or a function"),
        (Service.__dict__["of_the_class"], "give it below the class, as in `Service.method`"),
        (Service.method, "nobody gives it self: make the object first and give its method"),
        (would_keep_none, "event has a default and would keep it: write `event: Event`, before any `*`"),
        (would_keep_none_by_name, "event has a default and would keep it"),
        (takes_the_event_by_name, "nobody gives it event"),
        (takes_the_event_by_name, "the bus gives what stands before the `*`"),
        (takes_orders, "annotate an Event, a list[Event] of several at once"),
        (takes_the_one_or_the_other, "it has a type that JSON cannot be"),
        (takes_a_model, "or dict; of that pydantic's `model_validate` makes a model"),
        (lambda _: None, "async function"),
        (7, "7: a handler is an async function"),
        (takes_nothing, "takes no parameter"),
        (takes_three, "takes 3 parameters; a handler takes the Event, the payload, or both"),
        (takes_two_events, "one is annotated as Event and one as the payload"),
        (takes_two_payloads, "one is annotated as Event and one as the payload"),
        (takes_by_name, "nobody gives it store: give it a default or use functools.partial"),
        (takes_text, "name is annotated as str, and a payload is an object"),
        (takes_a_list, "and a payload is an object"),
        (takes_a_row, "row is annotated as Row, and a payload is an object"),
        (takes_a_function, "and a payload is an object"),
        (takes_what_is_not_there, "import the type at module level"),
        (takes_an_untagged_union, "has a type that JSON cannot be"),
    ],
)
async def test_what_is_no_handler_is_refused_when_it_is_declared(
    bus: Bus, topic: str, handler: Any, sentence: str
) -> None:
    """Nothing waits for the first event to fail: declaring and subscribing say what is wrong, and the cure."""
    with pytest.raises(HandlerRefusedError) as refused:
        await bus.subscribe(topic, "g", handler)
    assert sentence in str(refused.value)
    with pytest.raises(HandlerRefusedError):
        Handlers().on(topic, "g")(handler)


@pytest.mark.logs("goes to the dead letters")
async def test_a_payload_that_is_none_is_a_dead_letter_at_once(bus: Bus, topic: str) -> None:
    """A payload that does not fit the struct is not tried again, and says where it does not fit."""
    await bus.subscribe(topic, "g", takes_payload)
    event_id = await bus.publish(topic, "order_placed", {"number": "seven"})
    letters: list[Any] = []

    async def dead_lettered() -> bool:
        letters[:] = await bus.dead_letters.list(topic=topic)
        return bool(letters)

    await until(dead_lettered, "the dead letter")
    (letter,) = letters
    assert letter.event.event_id == event_id
    assert letter.event.meta.retries == 0
    assert letter.origin.error == PayloadMismatchError.__name__
    assert "$.number" in letter.origin.message
    assert not seen


@pytest.mark.logs("goes to the dead letters")
async def test_what_annotated_asks_for_is_looked_at(bus: Bus, topic: str) -> None:
    """A limit in a payload's annotation is a part of it: an event beyond it is a dead letter."""

    async def count(counts: dict[str, Annotated[int, msgspec.Meta(ge=0)]]) -> None:
        seen.append(counts)

    await bus.subscribe(topic, "g", count, concurrency=1)
    await bus.publish(topic, "counted", {"apples": -1})
    await bus.publish(topic, "counted", {"apples": 1})
    await until(lambda: seen, "the one within the limit")
    assert seen == [{"apples": 1}]


async def test_a_union_is_taken_by_its_tags(bus: Bus, topic: str) -> None:
    """A union of tagged structs gets each event as the struct that its tag says."""

    async def pay(paid: Card | Cash) -> None:
        seen.append(paid)

    await bus.subscribe(topic, "g", pay, concurrency=1)
    await bus.publish(topic, "paid", Card("1234"))
    await bus.publish(topic, "paid", Cash(3))
    await until(lambda: len(seen) == 2, "both")
    assert sorted(map(repr, seen)) == sorted(map(repr, [Card("1234"), Cash(3)]))


async def test_a_typed_handler_answers_a_request(bus: Bus, topic: str) -> None:
    """What a handler returns is the answer, decoded for the requester as what it asks for."""

    async def total(order: OrderPlaced) -> Total:
        return Total(order.number * 100)

    await bus.subscribe(topic, "g", total)
    assert await bus.request(topic, "total_wanted", OrderPlaced(7), Total) == Total(700)


def test_a_handler_that_takes_the_event_is_not_wrapped() -> None:
    """The plain handler costs nothing: the processor calls it itself."""
    assert bind(takes_event).call is takes_event
