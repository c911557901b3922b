"""The AsyncAPI document of a program's handlers."""

import json
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
import yaml

from titan_bus import BusConfig, Event, Handlers, asyncapi


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
    assert set(envelope["properties"]) == set(Event.__struct_fields__) - {"payload"}
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
            {"host": "a:1,b:2", "protocol": "redis+sentinel", "pathname": "/main"},
        ),
    ],
)
def test_the_server_is_told_without_secrets(url: str, server: dict[str, str]) -> None:
    """Where the bus is, but neither user nor password nor the paths of keys."""
    document = asyncapi.document(handlers, BusConfig(url=url))
    assert document["servers"] == {"bus": server}
    assert "s3cr3t" not in asyncapi.to_json(document)


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
