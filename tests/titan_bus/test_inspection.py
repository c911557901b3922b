"""What is on the server."""

import pytest

from titan_bus import Bus, BusConfig, Event, FatalError, RetryConfig, names
from titan_bus.connections.connection import Connection

from .conftest import Recorder, pending_is, until


async def test_a_topic_tells_its_length_and_span(bus: Bus, topic: str) -> None:
    """A topic says how many events it holds, when the first and the last came, and how many groups read it."""
    for number in range(3):
        await bus.publish(topic, "counted", {"number": number})
    await bus.subscribe(topic, "g", Recorder())
    state = next(state for state in await bus.inspection.topics() if state.topic == topic)
    assert (state.length, state.groups) == (3, 1)
    assert state.first_at is not None
    assert state.last_at is not None
    assert state.first_at <= state.last_at


@pytest.mark.logs("goes to the dead letters")
async def test_the_dead_letters_are_listed_as_a_topic(bus: Bus, topic: str) -> None:
    """`errors.dlq` stands among the topics once something lies in it."""

    def fault(_event: Event) -> None:
        raise FatalError

    recorder = Recorder(fault)
    await bus.subscribe(topic, "g", recorder)
    await bus.publish(topic, "e", {})
    await recorder.wait_for(1)

    async def listed() -> bool:
        return names.DEAD_LETTERS in [state.topic for state in await bus.inspection.topics()]

    await until(listed, "the dead letters are listed")


@pytest.mark.by_url
async def test_a_group_tells_what_is_in_flight_and_what_is_to_come(
    bus: Bus, config: BusConfig, raw: Connection, topic: str
) -> None:
    """Pending, lag, and when the oldest unacknowledged event came, be it delivered or not."""
    await bus.subscribe(topic, "g", Recorder(), auto_ack=False)
    await bus.publish(topic, "e", {})
    await pending_is(raw, names.stream_of(topic), "g", 1)
    await raw.call("XGROUP", "CREATE", names.stream_of(topic), "idle", "0")
    held, idle = await bus.inspection.groups(topic)
    assert (held.group, held.consumers, held.pending, held.lag) == ("g", 1, 1, 0)
    assert held.oldest_at is not None
    assert (idle.group, idle.consumers, idle.pending, idle.lag) == ("idle", 0, 0, 1)
    assert idle.oldest_id == held.oldest_id  # what nobody took yet is unacknowledged too


async def test_pending_events_name_who_holds_them(bus: Bus, raw: Connection, topic: str) -> None:
    """Each says its consumer, for how long, how often delivered, and which event it is."""
    await bus.subscribe(topic, "g", Recorder(), auto_ack=False)
    event_id = await bus.publish(topic, "asked", {})
    await pending_is(raw, names.stream_of(topic), "g", 1)
    (state,) = await bus.inspection.pending(topic, "g")
    assert (state.event_id, state.event_type, state.consumer) == (
        event_id,
        "asked",
        bus.config.consumer_name(),
    )
    assert state.deliveries == 1
    assert state.idle_ms >= 0
    assert not state.retry


async def test_a_pending_event_that_was_deleted_is_still_listed(
    bus: Bus, raw: Connection, topic: str
) -> None:
    """An entry that is gone from the stream has no event id, and stays visible as pending."""
    await bus.subscribe(topic, "g", Recorder(), auto_ack=False)
    await bus.publish(topic, "e", {})
    stream = names.stream_of(topic)
    await pending_is(raw, stream, "g", 1)
    entries = await raw.call("XRANGE", stream, "-", "+")
    await raw.call("XDEL", stream, entries[0][0])
    (state,) = await bus.inspection.pending(topic, "g")
    assert (state.event_id, state.entry_id) == (None, entries[0][0].decode())


async def test_failed_events_are_counted_as_retrying(redis_url: str, topic: str) -> None:
    """An event that waits for its next try is no longer pending, but not forgotten either."""

    def fault(_event: Event) -> None:
        raise RuntimeError("not now")

    config = BusConfig(url=redis_url, source="tests@v1", retry=RetryConfig(base_s=60, cap_s=60))
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", Recorder(fault))
        await bus.publish(topic, "e", {})

        async def waits() -> bool:  # each figure is asked for by itself, so one may be of a moment before
            [state] = await bus.inspection.groups(topic)
            return (state.retrying, state.pending) == (1, 0)

        await until(waits, "the event waits, and is not pending")


async def test_what_is_not_there_has_no_rows(bus: Bus, topic: str) -> None:
    """A topic without a stream has no groups, a group that is none has nothing pending."""
    assert await bus.inspection.groups(topic) == []
    assert await bus.inspection.pending(topic, "g") == []
    assert topic not in await bus.inspection.topic_names()


async def test_a_time_that_no_calendar_has_is_none(bus: Bus, raw: Connection, topic: str) -> None:
    """One entry with an id far in the future takes neither the other topics nor its own groups out of sight."""
    stream = names.stream_of(topic)
    await raw.call("XADD", stream, "99999999999999999-0", "e", "x")
    await raw.call("XADD", stream, f"{2**64 - 1}-0", "e", "x")
    await raw.call("XGROUP", "CREATE", stream, "g", "0")
    state = next(state for state in await bus.inspection.topics() if state.topic == topic)
    assert (state.length, state.first_at, state.last_at) == (2, None, None)
    (group,) = await bus.inspection.groups(topic)
    assert (group.oldest_id, group.oldest_at) == ("99999999999999999-0", None)
    await raw.call("DEL", stream)
