"""The event and its ids."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ulid import ULID

from titan_bus.errors import FatalError, PayloadMismatchError
from titan_bus.event import Event, Meta, Priority, TimestampSource, UlidSource, new_ulid, timestamp_now


class Order(msgspec.Struct):
    number: int


def event(payload: bytes) -> Event:
    meta = Meta(priority=Priority.LOW, retries=0, trace_id="0" * 32, source="s")
    return Event(
        event_id=new_ulid(), schema_version=1, topic="t", event_type="e", timestamp=timestamp_now(),
        encoded_payload=msgspec.Raw(payload), meta=meta,
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


@settings(deadline=None, max_examples=200, database=None)
@given(st.lists(st.integers(0, 2**48 - 1), min_size=2, max_size=60))
def test_ids_rise_whatever_the_clock_says(times: list[int]) -> None:
    """Ids rise strictly under any sequence of clock values, and each has the latest time that was seen."""
    clock = iter(times)
    source = UlidSource(lambda: next(clock))
    ids = [source.next() for _ in times]
    assert all(earlier < later for earlier, later in pairwise(ids))
    latest = [max(times[: n + 1]) for n in range(len(times))]
    assert [ULID.from_str(made).milliseconds for made in ids] == latest


def test_ids_rise_beyond_what_is_counted_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the characters that count up are at their end, those before them rise."""
    monkeypatch.setattr(os, "urandom", lambda length: b"\xff" * length)
    source = UlidSource(lambda: 5)
    ids = [source.next() for _ in range(3)]
    assert [int(ULID.from_str(made)) - int(ULID.from_str(ids[0])) for made in ids] == [0, 1, 2]
    assert ids == sorted(ids)


@settings(deadline=None, max_examples=200, database=None)
@given(st.lists(st.integers(0, 4_102_444_800_000), min_size=1, max_size=20))
def test_a_timestamp_is_the_clocks_time(times: list[int]) -> None:
    """Any sequence of clock values is told to the millisecond, backwards too."""
    clock = iter(times)
    source = TimestampSource(lambda: next(clock))
    told = [datetime.fromisoformat(source.now()) for _ in times]
    assert [round(moment.timestamp() * 1000) for moment in told] == times
    assert {moment.tzinfo for moment in told} == {UTC}


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


FORKING = """
import os, time
from titan_bus import new_ulid
from titan_bus.observability.tracing import TraceIds
time.time_ns = lambda: 1_751_352_312_000_000_000  # all within one millisecond, where ids count up
new_ulid()
trace_id = lambda: TraceIds().publishing("t", "e", "").trace_id
trace_id()
child = os.fork()
made = [make() for _ in range(200) for make in (new_ulid, trace_id)]
if child:
    os.waitpid(child, 0)
os.write(1, " ".join([*made, ""]).encode())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_makes_ids_of_its_own() -> None:
    """Parent and child have no id in common."""
    ids = subprocess.run([sys.executable, "-c", FORKING], check=True, capture_output=True).stdout.split()
    assert len(ids) == 800
    assert len(set(ids)) == 800


def test_a_payload_deeper_than_the_stack_is_fatal() -> None:
    """A payload that nests deeper than can be decoded here is a PayloadMismatchError."""
    with pytest.raises(PayloadMismatchError):
        event(b"[" * 100_000 + b"]" * 100_000).payload_as(list)


def test_a_payload_is_a_dict() -> None:
    """Whoever takes the Event reads its payload as what it is; what is no object is told, by name."""
    assert event(b'{"number":7,"lines":["a"]}').payload == {"number": 7, "lines": ["a"]}
    with pytest.raises(PayloadMismatchError, match="dict"):
        _ = event(b"[7]").payload
