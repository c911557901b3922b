"""What holds on the wire for every event, whoever made it."""

import contextlib
import string
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from titan_bus import EVENT_BYTES_MAX, Event, EventTooLargeError, Meta, Priority, codec
from titan_bus.errors import EntryMalformedError, PayloadMismatchError

many = settings(deadline=None, max_examples=200, database=None)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
payloads = st.dictionaries(texts, json_values, max_size=5)
metas = st.builds(
    Meta,
    priority=st.sampled_from(Priority),
    retries=st.integers(0, 2**31),
    trace_id=st.text(string.hexdigits, min_size=32, max_size=32),
    source=texts,
    parent_id=st.none() | st.text(string.hexdigits, min_size=16, max_size=16),
    reply_to=st.none() | texts,
    deadline=st.none() | st.integers(0, 2**53),
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    return Event(
        event_id=draw(texts),
        schema_version=draw(st.integers(1, 2**31)),
        topic=draw(texts),
        event_type=draw(texts),
        timestamp=draw(texts),
        encoded_payload=codec.encode_payload("t", "e", draw(payloads)),
        meta=draw(metas),
    )


@many
@given(events())
def test_every_event_survives_the_wire(event: Event) -> None:
    """What is decoded equals what was encoded, and encodes to the same bytes again."""
    encoded = codec.encode(event)
    found = codec.decode([b"x", b"{}", codec.FIELD, encoded])
    assert found == event
    assert codec.encode(found) == encoded


@many
@given(payloads)
def test_every_payload_comes_out_as_it_went_in(payload: dict[str, Any]) -> None:
    """Any JSON object, in any script, with numbers of any length."""
    assert msgspec.json.decode(codec.encode_payload("t", "e", payload)) == payload


@many
@given(events(), st.integers(-40, 40))
def test_the_limit_is_exact(event: Event, over: int) -> None:
    """An event of 32,768 bytes is encoded, each byte more raises an error that tells the length."""
    bare = msgspec.structs.replace(event, encoded_payload=codec.encode_payload("t", "e", {"text": ""}))
    size = EVENT_BYTES_MAX + over
    text = "x" * (size - len(codec.encode(bare)))
    full = msgspec.structs.replace(event, encoded_payload=codec.encode_payload("t", "e", {"text": text}))
    if over <= 0:
        assert len(codec.encode(full)) == size
    else:
        with pytest.raises(EventTooLargeError) as raised:
            codec.encode(full)
        assert raised.value.size == size


@many
@given(events(), payloads, payloads, st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
def test_what_is_unknown_survives_every_retry(
    event: Event, beside: dict[str, Any], in_meta: dict[str, Any], retries: list[int]
) -> None:
    """Fields of a later version, in the envelope and in the meta, stay through any number of retries."""
    known = msgspec.json.decode(codec.encode(event))
    sent = beside | known | {"meta": in_meta | known["meta"]}
    encoded = msgspec.json.encode(sent)
    for count in retries:
        encoded = codec.with_retries(encoded, count)
    sent["meta"]["retries"] = retries[-1]
    assert msgspec.json.decode(encoded) == sent
    assert codec.decode([codec.FIELD, encoded]).meta.retries == retries[-1]


EVENT = (
    b'{"event_id":"01J25T91SA3G7G9F2W3ZVQ7E7N","schema_version":1,"topic":"chat.v1","event_type":"said",'
    b'"timestamp":"2025-07-01T06:45:12Z","payload":{},"meta":{"priority":"medium","retries":0,"trace_id":"f",'
    b'"source":"d"}}'
)
DEEP = b"[" * 15_000 + b"]" * 15_000
hostile_parts = st.sampled_from(
    [
        DEEP,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"9" * 5_000,
        b"-1e99999",
        b"NaN",
        b'"\\ud800"',
        b'"\xff\xfe"',
        b'"\x00"',
        b'"\\u0000"',
        b'{"\xff":1}',
        b'{"\\ud800":1}',
        b'{"a":1,"a":2}',
        b"null",
        b"",
    ]
) | st.binary(max_size=40)


def handled_like_any_other(encoded: bytes) -> None:
    """Decode, read, retry: nothing but the two named errors may come of it."""
    with contextlib.suppress(EntryMalformedError, PayloadMismatchError):
        event = codec.decode([codec.FIELD, encoded])
        codec.decode([codec.FIELD, codec.with_retries(encoded, 1)])
        codec.encode(event)
        event.payload_as(dict)


@many
@given(st.sampled_from([b"{}", b"0", b'"d"', b'"meta"', b'"payload"', b"1", b'"chat.v1"']), hostile_parts)
def test_a_hostile_part_harms_nobody(place: bytes, part: bytes) -> None:
    """Deep nesting, huge numbers, lone surrogates, NUL, wrong UTF-8 in any place: a named error, or none."""
    handled_like_any_other(EVENT.replace(place, part, 1))


@many
@given(hostile_parts, hostile_parts)
def test_hostile_fields_beside_the_known_harm_nobody(beside: bytes, in_meta: bytes) -> None:
    """The same in fields that this version does not know, and in keys that come twice."""
    known, _, end = EVENT.rpartition(b"}}")
    handled_like_any_other(
        known + b',"retries":1,"x":' + in_meta + b'},"topic":"t","y":' + beside + b"}" + end
    )


@many
@given(st.lists(st.binary(max_size=20), max_size=6) | st.binary(max_size=200).map(lambda b: [codec.FIELD, b]))
def test_any_fields_are_an_event_or_malformed(fields: list[bytes]) -> None:
    """Bytes at random, in any number of fields."""
    with pytest.raises(EntryMalformedError):
        codec.decode(fields)


@pytest.mark.parametrize("place", [b'"payload":{}', b'"source":"d"', b'"schema_version":1'])
def test_nesting_beyond_reason_is_malformed(place: bytes) -> None:
    """So deep that the decoder gives up, in the payload or in a field nobody knows: named, as any other fault."""
    name, _, _ = place.partition(b":")
    unknown = place + b',"x":' + DEEP if name != b'"payload"' else name + b":" + DEEP
    with pytest.raises(EntryMalformedError):
        codec.decode([codec.FIELD, EVENT.replace(place, unknown)])


@pytest.mark.parametrize("key", [b'"event_id"', b'"priority"'])
def test_what_is_not_utf_8_is_malformed(key: bytes) -> None:
    """Also in a field that nobody knows: a retry would stumble over it."""
    with pytest.raises(EntryMalformedError):
        codec.decode([codec.FIELD, EVENT.replace(key, b'"\xff":1,' + key)])
