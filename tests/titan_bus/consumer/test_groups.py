"""A group that vanishes under its consumers begins again where it was."""

import asyncio

import pytest

from tests.titan_bus.conftest import Recorder, settled, until
from titan_bus import Bus, BusConfig, acl, names
from titan_bus.connections.connection import Connection
from titan_bus.consumer.groups import Groups
from titan_bus.entry_id import EntryId

pytestmark = pytest.mark.logs("is created again")


async def destroy(raw: Connection, topic: str) -> None:
    assert await raw.call("XGROUP", "DESTROY", names.stream_of(topic), "g") == 1


async def publish(bus: Bus, topic: str, count: int) -> list[str]:
    return list(await asyncio.gather(*(bus.publish(topic, "e", {}) for _ in range(count))))


async def test_what_was_handled_is_not_handled_again(
    bus: Bus, raw: Connection, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes on behind what all of its consumers have acknowledged, and says so."""
    recorder = Recorder()
    subscription = await bus.subscribe(topic, "g", recorder)
    before = await publish(bus, topic, 20)
    await recorder.wait_for(20)
    await settled(raw, names.stream_of(topic), "g")
    [(last, _)] = await raw.call("XREVRANGE", names.stream_of(topic), "+", "-", "COUNT", 1)
    groups = subscription._processor._groups
    await until(lambda: groups._place == EntryId.parse(last), "the place is known")
    await destroy(raw, topic)
    after = await publish(bus, topic, 3)
    await recorder.wait_for(23)
    assert recorder.ids == [*before, *after]
    assert f"goes on with what came after {last.decode()}" in caplog.text


async def test_a_group_that_began_later_begins_there_again(bus: Bus, raw: Connection, topic: str) -> None:
    """With `start="$"` the past stays the past, also when the group vanishes before its first event."""
    await publish(bus, topic, 20)
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder, start="$")
    await destroy(raw, topic)
    after = await publish(bus, topic, 3)
    await recorder.wait_for(3)
    assert recorder.ids == after


async def test_what_was_in_flight_is_handled_again(bus: Bus, raw: Connection, topic: str) -> None:
    """What a dead consumer had, and the group with it: the place is before that."""
    first, lost = await publish(bus, topic, 2)
    stream = names.stream_of(topic)
    await raw.call("XGROUP", "CREATE", stream, "g", "0")
    reply = await raw.call("XREADGROUP", "GROUP", "g", "dead", "STREAMS", stream, ">")
    await raw.call("XACK", stream, "g", reply[0][1][0][0])
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    await destroy(raw, topic)
    later = await bus.publish(topic, "e", {})
    await recorder.wait_for(2)
    assert recorder.ids == [lost, later]
    assert first not in recorder.ids


async def test_a_clock_that_is_behind_hides_no_event(
    bus: Bus, raw: Connection, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a server that lost the stream and whose clock is behind, new events may be before the place."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    subscription = bus._subscriptions._processors[0]
    subscription._groups._place = EntryId(2**50)
    await raw.call("DEL", names.stream_of(topic))
    event_id = await bus.publish(topic, "e", {})
    await recorder.wait_for(1)
    assert recorder.ids == [event_id]


@pytest.mark.parametrize("right", ["+xinfo|groups", "+time"])
async def test_the_past_is_past_without_the_right_to_look(
    config: BusConfig, raw: Connection, bus: Bus, redis_url: str, topic: str, right: str
) -> None:
    """A user who may not ask for the place, or for the time, begins at the moment of its own start again."""
    [line] = acl.rules(topic, "secret", subscribes=[(topic, "g")])
    await raw.call(*line.replace(f" {right}", "").split())
    scheme, _, rest = redis_url.partition("://")
    connection = Connection(
        Bus(f"{scheme}://{topic}:secret@{rest.rpartition('@')[2]}")._server.connection._endpoint, 5.0
    )
    await connection.open()
    await publish(bus, topic, 2)
    await asyncio.sleep(0.002)  # the place is a whole millisecond
    groups = Groups(connection, "g", (names.stream_of(topic), names.retries_of("g", topic)), "$")
    await groups.create()
    await destroy(raw, topic)
    await asyncio.sleep(0.002)
    assert "what came after" in await groups.create_again()
    assert await groups.create_again() == ""
    await bus.publish(topic, "e", {})
    reply = await raw.call("XREADGROUP", "GROUP", "g", "c", "STREAMS", names.stream_of(topic), ">")
    assert len(reply[0][1]) == 1
    await connection.close()
    await raw.call("ACL", "DELUSER", topic)
