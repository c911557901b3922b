"""Reading along."""

import asyncio

import pytest

from tests.titan_bus.conftest import WAIT_S, until
from titan_bus import Bus, ServerRefusedError, backoff, names
from titan_bus.connections.connection import Connection


@pytest.mark.by_url
async def test_every_reader_sees_everything(bus: Bus, topic: str) -> None:
    """Two tails of one topic get the same events; a subscription beside them changes nothing."""
    tails = [bus.tail([topic]) for _ in range(2)]
    for tail in tails:
        await tail.start()
    ids = [await bus.publish(topic, "e", {}) for _ in range(3)]
    for tail in tails:
        assert [(await anext(tail)).event_id for _ in range(3)] == ids


async def test_a_tail_begins_at_now(bus: Bus, topic: str) -> None:
    """`$` passes over what was there; `0` does not."""
    old = await bus.publish(topic, "e", {})
    now, everything = bus.tail([topic]), bus.tail([topic], start="0")
    await now.start()
    new = await bus.publish(topic, "e", {})
    assert (await anext(now)).event_id == new
    assert [(await anext(everything)).event_id for _ in range(2)] == [old, new]


@pytest.mark.parametrize("pattern", ["ab" * 50, "aab" * 30, "abbb" * 25])
async def test_topics_are_merged_as_they_were_said(bus: Bus, topic: str, pattern: str) -> None:
    """What was said first on any topic comes first, also within one millisecond, whatever the topics' order."""
    topics = {"a": f"{topic}.a", "b": f"{topic}.b"}
    ids = await asyncio.gather(*(bus.publish(topics[name], "e", {}) for name in pattern))
    for order in ("ab", "ba"):
        tail = bus.tail([topics[name] for name in order], start="0")
        assert [(await anext(tail)).event_id for _ in pattern] == ids


async def test_a_cancelled_step_loses_nothing(bus: Bus, topic: str) -> None:
    """A step that is given up in time leaves the next event for the next step."""
    tail = bus.tail([topic])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(tail), 0.03)
    event_id = await bus.publish(topic, "e", {})
    assert (await anext(tail)).event_id == event_id


async def test_malformed_entries_are_passed_over(bus: Bus, raw: Connection, topic: str) -> None:
    """An entry that is no event does not end the reading."""
    tail = bus.tail([topic], start="0")
    await raw.call("XADD", names.stream_of(topic), "*", "e", "{")
    event_id = await bus.publish(topic, "e", {})
    assert (await anext(tail)).event_id == event_id


async def test_what_is_refused_is_logged_once_and_tried_again(
    bus: Bus, raw: Connection, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A program goes on where something else lay on the key for a while, and its log tells why it saw nothing."""
    await raw.call("SET", names.stream_of(topic), "no stream")
    tail = bus.tail([topic], start="0")
    reading = asyncio.create_task(anext(tail))
    await until(lambda: "WRONGTYPE" in caplog.text, "the refusal is logged")
    await asyncio.sleep(backoff.LONGEST_S)  # some more refusals
    await raw.call("DEL", names.stream_of(topic))
    event_id = await bus.publish(topic, "e", {})
    assert (await asyncio.wait_for(reading, WAIT_S)).event_id == event_id
    (record,) = caplog.records
    assert f"topics:{{{topic}}} cannot be tailed" in record.message


async def test_who_asks_for_it_is_told_what_is_refused(bus: Bus, raw: Connection, topic: str) -> None:
    """With `ends_when_refused` a step raises; so does the beginning, for everybody."""
    await raw.call("SET", names.stream_of(topic), "no stream")
    tail = bus.tail([topic], start="0")
    tail.ends_when_refused = True
    with pytest.raises(ServerRefusedError, match="WRONGTYPE"):
        await anext(tail)
    with pytest.raises(ServerRefusedError, match="WRONGTYPE"):
        await bus.tail([topic]).start()
    await raw.call("DEL", names.stream_of(topic))


@pytest.mark.parametrize("start", ["x", "5-x", "-1", "99999999999999999999999", f"1-{2**64}", ""])
async def test_a_beginning_that_is_no_place_is_refused(bus: Bus, topic: str, start: str) -> None:
    """At the call: the server would refuse it at every step."""
    with pytest.raises(ValueError, match=r"id of a stream's entry|behind every entry"):
        bus.tail([topic], start=start)


@pytest.mark.parametrize("how", ["tail", "bus"])
async def test_closing_ends_the_iteration(config: object, topic: str, how: str) -> None:
    """Who waits for the next event when the tail or the bus is closed, falls out of the loop."""
    async with Bus(config) as bus:  # type: ignore[arg-type]
        tail = bus.tail([topic])
        await tail.start()

        async def read() -> list[str]:
            return [event.event_id async for event in tail]

        reading = asyncio.create_task(read())
        event_id = await bus.publish(topic, "e", {})
        await asyncio.sleep(0.02)
        if how == "tail":
            await tail.close()
            assert await asyncio.wait_for(reading, WAIT_S) == [event_id]
    assert await asyncio.wait_for(reading, WAIT_S) == [event_id]
