"""The AsyncAPI document of a program's handlers."""

import json
from collections.abc import Awaitable
from typing import Any, NoReturn
from urllib.parse import unquote

import msgspec
import pytest
import yaml

from titan_bus import BusConfig, Event, Handlers
from titan_bus.declaring import asyncapi
from titan_bus.declaring.signatures import type_name
from titan_bus.errors import UndescribableError


class OrderPlaced(msgspec.Struct):
    """Somebody bought something."""

    number: int
    place: tuple[str, int] = ("", 0)


class OrderSeen(msgspec.Struct):
    number: int


class Card(msgspec.Struct, tag="card"):
    digits: str


class Cash(msgspec.Struct, tag="cash"):
    coins: dict[str, int]


class Total(msgspec.Struct):
    """What it costs."""

    cents: int


handlers = Handlers()


@handlers.on("orders.v1", "archive", event_type="order_placed")
async def keep(order: dict[str, Any]) -> None: ...


@handlers.on("orders.v1", "billing", event_type="order_placed", concurrency=4)
async def bill(order: OrderPlaced) -> None:
    """Send a bill.

    With care.
    """


@handlers.on("orders.v1", "billing")
async def the_rest(event: Event) -> None: ...


@handlers.on("orders.v1", "looking", event_type="order_placed")
async def look(order: OrderSeen, event: Event) -> None: ...


@handlers.on("pay ments/v1~", "till", event_type="paid")
async def pay(paid: Card | Cash) -> Total:
    """Take it."""


handlers.sends("orders.v1", "order_shipped", OrderPlaced, "When the parcel is on its way.")

CONFIG = BusConfig(url="rediss://shop:s3cr3t@redis.example:7000/2?ssl_keyfile=/k", source="shop@v3")


@pytest.fixture
def document() -> dict[str, Any]:
    return asyncapi.document(handlers, CONFIG)


def resolved(document: dict[str, Any], reference: str) -> Any:
    """Follow a reference within the document, as RFC 6901 has it; KeyError when it leads nowhere."""
    assert reference.startswith("#/")
    found: Any = document
    for step in reference[2:].split("/"):
        found = found[unquote(step).replace("~1", "/").replace("~0", "~")]
    return found


def references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [reference for item in part for reference in references(item)]
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [reference for value in part.values() for reference in references(value)]
    return []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """Whatever a topic is called, channels, messages and schemas are found where the document says they are."""
    found = references(document)
    assert "#/channels/pay%20ments~1v1~0" in found
    assert all(resolved(document, reference) is not None for reference in found)


def test_operations_are_what_the_program_does(document: dict[str, Any]) -> None:
    """A handler receives, a declared event is sent; each names its channel, its message and its group."""
    operations = document["operations"]
    assert {name: operation["action"] for name, operation in operations.items()} == {
        "send.orders.v1.order_shipped": "send",
        "receive.orders.v1.archive.order_placed": "receive",
        "receive.orders.v1.billing.order_placed": "receive",
        "receive.orders.v1.billing.any": "receive",
        "receive.orders.v1.looking.order_placed": "receive",
        "receive.pay ments/v1~.till.paid": "receive",
    }
    billing = operations["receive.orders.v1.billing.order_placed"]
    assert billing["x-titan-bus"] == {"group": "billing", "handler": "bill"}
    assert (billing["summary"], billing["description"]) == ("Send a bill.", "Send a bill.\n\nWith care.")
    assert resolved(document, billing["channel"]["$ref"])["address"] == "orders.v1"
    for operation in operations.values():
        (message,) = operation["messages"]  # AsyncAPI: one of the channel's own messages
        assert message["$ref"].startswith(operation["channel"]["$ref"] + "/messages/")


def test_a_message_has_the_struct_as_payload_and_the_envelope_as_headers(document: dict[str, Any]) -> None:
    """The payload's schema is the handler's struct with its docstring; the headers are the rest of the event."""
    message = document["channels"]["orders.v1"]["messages"]["order_placed"]
    payload = resolved(document, message["payload"]["$ref"])
    assert payload["description"] == "Somebody bought something."
    assert payload["properties"]["number"] == {"type": "integer"}
    assert payload["required"] == ["number"]
    assert message["headers"]["properties"]["event_type"] == {"const": "order_placed"}
    envelope = resolved(document, message["headers"]["allOf"][0]["$ref"])
    assert set(envelope["properties"]) == set(Event.__struct_encode_fields__) - {"payload"}
    assert document["channels"]["orders.v1"]["x-titan-bus"] == {"stream": "topics:{orders.v1}", "field": "e"}


def test_groups_that_read_an_event_differently_have_messages_of_their_own(document: dict[str, Any]) -> None:
    """A plain dict takes over what another group knows of an event; a second struct is a message of its group."""
    operations = document["operations"]
    messages = {
        group: operations[f"receive.orders.v1.{group}.order_placed"]["messages"][0]["$ref"]
        for group in ("archive", "billing", "looking")
    }
    assert messages["archive"] == messages["billing"]
    seen = resolved(document, messages["looking"])
    assert seen["name"] == "order_placed"
    assert seen["payload"] == {"$ref": "#/components/schemas/OrderSeen"}


def test_a_handler_that_returns_something_replies(document: dict[str, Any]) -> None:
    """An annotated result is the reply, sent to whom the request's own headers name."""
    reply = document["operations"]["receive.pay ments/v1~.till.paid"]["reply"]
    assert reply["address"] == {"location": "$message.header#/meta/reply_to"}
    (message,) = reply["messages"]
    total = resolved(document, resolved(document, message["$ref"])["payload"]["$ref"])
    assert total["description"] == "What it costs."
    assert resolved(document, reply["channel"]["$ref"])["address"] is None
    assert "reply" not in document["operations"]["receive.orders.v1.billing.order_placed"]


def test_schemas_are_of_the_draft_that_asyncapi_has(document: dict[str, Any]) -> None:
    """Tuples are draft 7's, and tags stand for themselves without OpenAPI's discriminator object."""
    schemas = document["components"]["schemas"]
    place = schemas["OrderPlaced"]["properties"]["place"]
    assert place["items"] == [{"type": "string"}, {"type": "integer"}]
    assert place["additionalItems"] is False
    paid = document["channels"]["pay ments/v1~"]["messages"]["paid"]["payload"]
    assert set(paid) == {"anyOf"}
    assert schemas["Card"]["properties"]["type"] == {"enum": ["card"]}


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (CONFIG.url, {"host": "redis.example:7000", "protocol": "rediss", "pathname": "/2"}),
        ("redis://:s3cr3t@h", {"host": "h", "protocol": "redis"}),
        (
            "unix://:s3cr3t@/run/bus.sock",
            {
                "host": "localhost",
                "pathname": "/run/bus.sock",
                "protocol": "redis",
                "description": "A unix socket.",
            },
        ),
        (
            "redis+sentinel://u:s3cr3t@a:1,b:2/main",
            {"host": "a:1", "protocol": "redis+sentinel", "pathname": "/main"},
        ),
    ],
)
def test_the_server_is_told_without_secrets(url: str, server: dict[str, str]) -> None:
    """Where the bus is, but neither user nor password nor the paths of keys."""
    document = asyncapi.document(handlers, BusConfig(url=url))
    assert document["servers"]["bus"] == server
    assert "s3cr3t" not in asyncapi.to_json(document)


@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
def test_each_host_of_a_url_is_a_server(kind: str) -> None:
    """What AsyncAPI calls a host is one, so a URL that names three makes three servers."""
    config = BusConfig(url=f"rediss+{kind}://u:s3c,r3t@a:1,b,[::1]:3/")
    assert asyncapi.document(handlers, config)["servers"] == {
        "bus": {"host": "a:1", "protocol": f"rediss+{kind}"},
        "bus.2": {"host": "b", "protocol": f"rediss+{kind}"},
        "bus.3": {"host": "[::1]:3", "protocol": f"rediss+{kind}"},
    }


def test_title_and_version_come_from_the_source_or_the_caller() -> None:
    """A program's name and version stand in its configuration; who knows better says so."""
    assert asyncapi.document(handlers, CONFIG)["info"] == {"title": "shop", "version": "v3"}
    told = asyncapi.document(handlers, CONFIG, title="Shop", version="9", description="Sells.")
    assert told["info"] == {"title": "Shop", "version": "9", "description": "Sells."}
    assert asyncapi.document(Handlers())["servers"] == {}


def test_json_and_yaml_say_the_same(document: dict[str, Any]) -> None:
    """Both texts are the document, and the YAML has no aliases that its readers would have to follow."""
    written = asyncapi.to_yaml(document)
    assert json.loads(asyncapi.to_json(document)) == yaml.safe_load(written) == document
    assert not any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(written))


def test_two_structs_of_one_name_stay_apart() -> None:
    """A struct that is called as one of another module, or as one of the bus's own, has a schema of its own."""

    class Meta(msgspec.Struct):
        """Not the bus's."""

        colour: str

    both = Handlers()
    both.sends("a.v1", "e", Meta)
    document = asyncapi.document(both)
    payload = document["channels"]["a.v1"]["messages"]["e"]["payload"]
    assert resolved(document, payload["$ref"])["description"] == "Not the bus's."
    envelope = document["components"]["schemas"]["titan_bus.Envelope"]
    assert "trace_id" in resolved(document, envelope["properties"]["meta"]["$ref"])["properties"]


def answering(returns: Any) -> Any:
    async def answer(order: OrderPlaced) -> Any: ...

    answer.__annotations__["return"] = returns
    return answer


def test_handlers_of_one_name_keep_their_replies() -> None:
    """Functions called alike in different modules answer differently, and each operation points at its own."""
    both = Handlers()
    both.on("a.v1", "g")(answering(Total))
    both.on("b.v1", "g")(answering(Card))
    both.on("c.v1", "g")(answering(Total))
    document = asyncapi.document(both)
    answers = [
        resolved(document, operation["reply"]["messages"][0]["$ref"])["payload"]["$ref"].rpartition("/")[2]
        for operation in document["operations"].values()
    ]
    assert answers == ["Total", "Card", "Total"]
    assert len(document["channels"]["titan_bus.replies"]["messages"]) == 2


def test_what_dots_make_alike_stays_apart() -> None:
    """Topics, groups and types have dots of their own; the first keeps the plain id, the next gets a number."""
    alike = Handlers()
    alike.sends("orders", "v1.placed", OrderPlaced)
    alike.sends("orders.v1", "placed", OrderPlaced)
    alike.on("orders", "b.c", event_type="e")(keep)
    alike.on("orders.b", "c", event_type="e")(bill)
    operations = asyncapi.document(alike)["operations"]
    assert {name: operation["channel"]["$ref"] for name, operation in operations.items()} == {
        "send.orders.v1.placed": "#/channels/orders",
        "send.orders.v1.placed.2": "#/channels/orders.v1",
        "receive.orders.b.c.e": "#/channels/orders",
        "receive.orders.b.c.e.2": "#/channels/orders.b",
    }


def test_a_type_named_any_is_not_every_type() -> None:
    """A catch-all handler and one of a type that is called `any` have an operation and a message each."""
    group = Handlers()
    group.on("a.v1", "g", event_type="any")(bill)
    group.on("a.v1", "g")(look)
    document = asyncapi.document(group)
    one, every = (
        resolved(document, operation["messages"][0]["$ref"]) for operation in document["operations"].values()
    )
    assert one["payload"] == {"$ref": "#/components/schemas/OrderPlaced"}
    assert one["headers"]["properties"] == {"event_type": {"const": "any"}}
    assert every["payload"] == {"$ref": "#/components/schemas/OrderSeen"}
    assert "properties" not in every["headers"]


def test_a_groups_own_message_is_no_other_types() -> None:
    """How one group reads `e`, and a type that is called `e.g`, are two messages."""
    two = Handlers()
    two.sends("a.v1", "e", OrderPlaced)
    two.sends("a.v1", "e.g", Total)
    two.on("a.v1", "g", event_type="e")(look)
    document = asyncapi.document(two)
    payloads = [
        resolved(document, operation["messages"][0]["$ref"])["payload"]["$ref"].rpartition("/")[2]
        for operation in document["operations"].values()
    ]
    assert payloads == ["OrderPlaced", "Total", "OrderSeen"]


def test_a_topic_may_be_called_as_the_replies_are() -> None:
    """The channel of the replies is none of the program's topics, whatever these are called."""
    program = Handlers()
    program.on("titan_bus.replies", "g")(answering(Total))
    document = asyncapi.document(program)
    (operation,) = document["operations"].values()
    assert resolved(document, operation["channel"]["$ref"])["address"] == "titan_bus.replies"
    assert resolved(document, operation["reply"]["channel"]["$ref"])["address"] is None


class Resp:
    """No struct: JSON Schema cannot say what it is."""


@pytest.mark.parametrize("returns", [object, dict[str, object], Any])
def test_object_may_be_anything(returns: Any) -> None:
    """`object` is how a strict checker has one write Any."""
    handlers = Handlers()
    handlers.on("a.v1", "g")(answering(returns))
    handlers.sends("a.v1", "e", dict[str, object])
    document = asyncapi.document(handlers)
    assert "reply" in document["operations"]["receive.a.v1.g.any"]
    assert document["channels"]["a.v1"]["messages"]["e"]["payload"]["type"] == "object"


@pytest.mark.parametrize("returns", [Resp, list[Resp], NoReturn, Awaitable[int]])
def test_a_type_that_has_no_schema_is_named_with_its_handler(returns: Any) -> None:
    """The error says which handler, or which event that is sent, has which type."""
    handlers = Handlers()
    handlers.on("a.v1", "g")(answering(returns))
    with pytest.raises(UndescribableError) as refused:
        asyncapi.document(handlers)
    assert (refused.value.where, refused.value.kind) == ("answering.<locals>.answer", type_name(returns))
    sending = Handlers()
    sending.sends("a.v1", "e", returns)
    with pytest.raises(UndescribableError, match=r"^a\.v1 e: "):
        asyncapi.document(sending)
