"""The event and its ids."""

import re
from itertools import pairwise

import msgspec
import pytest
from ulid import ULID

from titan_bus.errors import FatalError, PayloadMismatchError
from titan_bus.event import Event, Meta, Priority, UlidSource, new_ulid, timestamp_now


class Order(msgspec.Struct):
    number: int


def event(payload: bytes) -> Event:
    meta = Meta(priority=Priority.LOW, retries=0, trace_id="0" * 32, source="s")
    return Event(
        event_id=new_ulid(), schema_version=1, topic="t", event_type="e", timestamp=timestamp_now(),
        payload=msgspec.Raw(payload), meta=meta,
    )  # fmt: skip


def test_ids_are_ulids() -> None:
    """An id parses as a ULID and carries the time it was made."""
    source = UlidSource(lambda: 1_751_352_312_000)
    assert ULID.from_str(source.next()).milliseconds == 1_751_352_312_000


def test_ids_rise_within_a_millisecond() -> None:
    """Ten thousand ids of one millisecond rise strictly."""
    source = UlidSource(lambda: 5)
    ids = [source.next() for _ in range(10_000)]
    assert all(earlier < later for earlier, later in pairwise(ids))


def test_ids_rise_when_the_clock_is_set_back() -> None:
    """A clock set back by an hour does not make a smaller id."""
    times = iter([10_000_000, 10_000_001, 6_400_000, 6_400_001, 10_000_002])
    source = UlidSource(lambda: next(times))
    ids = [source.next() for _ in range(5)]
    assert ids == sorted(set(ids))


def test_timestamp_is_rfc_3339_in_utc() -> None:
    """A timestamp ends with Z and has milliseconds."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp_now())


def test_payload_is_decoded_as_asked() -> None:
    """A payload becomes the struct or the dict that is asked for."""
    found = event(b'{"number": 7}')
    assert found.payload_as(Order) == Order(7)
    assert found.payload_as(dict) == {"number": 7}


@pytest.mark.parametrize("payload", [b'{"number": "x"}', b"[]", b"{", b"\xff"])
def test_another_payload_is_fatal(payload: bytes) -> None:
    """A payload of another kind raises a FatalError that names event and kind."""
    found = event(payload)
    with pytest.raises(PayloadMismatchError) as raised:
        found.payload_as(Order)
    assert isinstance(raised.value, FatalError)
    assert (raised.value.event_id, raised.value.expected) == (found.event_id, "Order")
