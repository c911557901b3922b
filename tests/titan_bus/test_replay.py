"""Replay by time."""

import asyncio
from datetime import UTC, datetime

import pytest

from titan_bus import Bus, names
from titan_bus.connection import Connection


async def test_a_span_of_time_is_replayed(bus: Bus, topic: str) -> None:
    """From one timestamp to another, both included, in order; the timestamps may be the events' own."""
    ids = []
    for n in range(5):
        ids.append(await bus.publish(topic, "e", {"n": n}))
        await asyncio.sleep(0.003)
    events = [event async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
    assert [event.event_id for event in events] == ids
    span = bus.replay(events[1].timestamp, topic, events[3].timestamp)
    replayed = [event.event_id async for event in span]
    assert replayed[0] == ids[1]
    assert replayed[-1] in ids[2:4]  # the server may have got the last one a millisecond after its timestamp


async def test_nothing_is_lost_over_many_pages(bus: Bus, topic: str) -> None:
    """A thousand events published while nobody consumed are all replayed, once."""
    before = datetime.now(UTC).isoformat()
    ids = await asyncio.gather(*[bus.publish(topic, "e", {"n": n}) for n in range(1_000)])
    assert [event.event_id async for event in bus.replay(before, topic)] == ids


async def test_malformed_entries_are_passed_over(bus: Bus, raw: Connection, topic: str) -> None:
    """Replay goes on behind an entry that is no event."""
    await raw.call("XADD", names.stream_of(topic), "*", "x", "y")
    event_id = await bus.publish(topic, "e", {})
    assert [event.event_id async for event in bus.replay("2020-01-01T00:00:00", topic)] == [event_id]


async def test_an_offset_counts(bus: Bus, topic: str) -> None:
    """A timestamp with an offset means that moment; a future one finds nothing."""
    event_id = await bus.publish(topic, "e", {})
    assert [event.event_id async for event in bus.replay("2020-01-01T00:00:00+03:00", topic)] == [event_id]
    assert [event async for event in bus.replay("2999-01-01T00:00:00Z", topic)] == []


async def test_a_timestamp_that_is_none_is_refused(bus: Bus, topic: str) -> None:
    """Anything but RFC 3339 raises ValueError."""
    with pytest.raises(ValueError, match="yesterday"):
        await anext(aiter(bus.replay("yesterday", topic)))
