"""The wire: one field, one JSON document."""

from typing import Any

import msgspec
import pytest

from titan_bus import codec
from titan_bus.errors import EntryMalformedError, EventMalformedError

from .test_event import event

SCHEMA_EXAMPLE = """{"event_id": "01J25T91SA3G7G9F2W3ZVQ7E7N", "schema_version": 1, "topic": "chat.v1",
 "event_type": "user_message", "timestamp": "2025-07-01T06:45:12Z",
 "payload": {"user_id": "u-123", "text": "Привет, Titan!"},
 "meta": {"priority": "medium", "retries": 0, "trace_id": "f792", "source": "desktop_app@v0.9.1"}}""".encode()


def test_the_schemas_example_is_read() -> None:
    """The event of the specification decodes, Russian text and all."""
    found = codec.decode([b"e", SCHEMA_EXAMPLE])
    assert found.payload_as(dict)["text"] == "Привет, Titan!"
    assert found.meta.source == "desktop_app@v0.9.1"


def test_an_event_survives_the_wire() -> None:
    """What was encoded decodes to the same, and only the schema's fields are on the wire."""
    sent = event(b'{"a":1}')
    encoded = codec.encode(sent)
    found = codec.decode([b"e", encoded])
    assert bytes(found.encoded_payload) == bytes(sent.encoded_payload)
    assert found.meta == sent.meta
    assert set(msgspec.json.decode(encoded)["meta"]) == {"priority", "retries", "trace_id", "source"}


def test_unknown_fields_survive_a_retry() -> None:
    """A count of retries is changed without touching what this version does not know."""
    known = msgspec.json.decode(SCHEMA_EXAMPLE)
    known |= {"tenant": {"id": 3}}
    known["meta"] |= {"shard": 9}
    again = msgspec.json.decode(codec.with_retries(msgspec.json.encode(known), 2))
    known["meta"]["retries"] = 2
    assert again == known


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [b"x", b"{}"],
        [b"e", b""],
        [b"e", b"\xff\xfe"],
        [b"e", b"[1]"],
        [b"e", b"{}"],
        [b"e", SCHEMA_EXAMPLE.replace(b"medium", b"urgent")],
        [b"e", SCHEMA_EXAMPLE.replace(b'"retries": 0', b'"retries": "0"')],
        [b"e", b"[" * 100_000],
    ],
)
def test_what_is_no_event_is_named(fields: list[bytes]) -> None:
    """Any other bytes raise EntryMalformedError, nothing else."""
    with pytest.raises(EntryMalformedError):
        codec.decode(fields)


@pytest.mark.parametrize("payload", [[1], "text", 3, None, {"x": object()}, {"x": {1: {(1, 2): 3}}}])
def test_a_payload_is_a_json_object(payload: object) -> None:
    """Anything that is no object, or that JSON cannot hold, is refused with topic and type."""
    with pytest.raises(EventMalformedError) as raised:
        codec.encode_payload("t.v1", "e", payload)
    assert (raised.value.topic, raised.value.event_type) == ("t.v1", "e")


class Price(msgspec.Struct):
    amount: float
    note: str | None = None


NOTHING = float("nan")


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ({"x": NOTHING}, "x is nan"),
        ({"x": [1.0, float("inf")]}, r"x\[1\] is inf"),
        ({"by": {"id": Price(float("-inf"))}}, "by.id.amount is -inf"),
        (Price(NOTHING), "amount is nan"),
        ({"x": None, "y": ({"z": {NOTHING}},), "raw": msgspec.Raw(b"null")}, r"y\[0\].z\[0\] is nan"),
    ],
)
def test_numbers_that_json_cannot_hold_are_refused(payload: Any, place: str) -> None:
    """NaN and infinity would become null, which their own type refuses; the place is named, however deep."""
    with pytest.raises(EventMalformedError, match=place):
        codec.encode_payload("t.v1", "e", payload)


def test_null_is_a_value() -> None:
    """None, the word in a text, and a Raw beside them are published as they are."""
    payload = {"a": None, "b": "null", "c": msgspec.Raw(b'{"d":null}'), "e": [Price(1.5)]}
    encoded = codec.encode_payload("t.v1", "e", payload)
    assert bytes(encoded) == b'{"a":null,"b":"null","c":{"d":null},"e":[{"amount":1.5,"note":null}]}'


def test_a_field_that_was_never_set_is_refused_by_name() -> None:
    """It is a malformed event, as everything that cannot be encoded."""
    price = Price(1.0)
    del price.amount
    with pytest.raises(EventMalformedError, match="amount"):
        codec.encode_payload("t.v1", "e", price)
