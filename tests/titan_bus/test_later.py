"""Events that are published later."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.titan_bus.conftest import QUICK_RETRY, Recorder, Server
from titan_bus import ArchiveConfig, Bus, BusConfig, EventMalformedError, names, trimmer
from titan_bus.acl import rules
from titan_bus.connections.connection import Connection
from titan_bus.consumer import delayed

HOUR_S = 3_600.0


async def waiting(bus: Bus, topic: str) -> int:
    return int(await bus._connection.call("ZCARD", names.later_of(topic)))


async def test_an_event_comes_when_it_is_due(bus: Bus, topic: str) -> None:
    """Under the id that the publish gave, with the time of its coming; what is due sooner comes sooner."""
    tail = bus.tail([topic])
    await tail.start()
    at = datetime.now(UTC) + timedelta(seconds=0.2)
    second = await bus.publish(topic, "e", {"n": 2}, at=at)
    first = await bus.publish(topic, "e", {"n": 1}, delay_s=0.05)
    found = [await anext(tail), await anext(tail)]
    assert [event.event_id for event in found] == [first, second]
    assert abs((datetime.fromisoformat(found[1].timestamp) - at).total_seconds()) < 0.01
    assert await waiting(bus, topic) == 0


async def test_one_that_is_not_due_waits(bus: Bus, topic: str) -> None:
    """It is in no stream, `topics` counts it, and a time that is over is now."""

    async def counted() -> list[tuple[int, int]]:
        return [(one.length, one.later) for one in await bus.inspection.topics() if one.topic == topic]

    await bus.publish(topic, "e", {}, delay_s=HOUR_S)
    assert await counted() == [(0, 1)]
    await bus.publish(topic, "e", {}, at=datetime(2020, 1, 1, tzinfo=UTC))
    assert await counted() == [(1, 1)]


async def test_a_consumer_publishes_what_its_publisher_left(
    config: BusConfig, bus: Bus, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who published may have ended long ago."""
    monkeypatch.setattr(delayed, "IDLE_S", 0.02)
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    async with Bus(config) as other:
        event_id = await other.publish(topic, "e", {}, delay_s=0.05)
    await recorder.wait_for(1)
    assert recorder.ids == [event_id]


async def test_a_publisher_that_comes_back_publishes_what_it_left(
    config: BusConfig, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soon after its first publish to the topic, though nobody handles events there."""
    monkeypatch.setattr(trimmer, "EVERY_S", 0.01)
    bus = Bus(config)
    async with bus:
        left = await bus.publish(topic, "e", {}, delay_s=0.01)
    async with bus:
        tail = bus.tail([topic], start="0")
        new = await bus.publish(topic, "e", {})
        assert {(await anext(tail)).event_id for _ in range(2)} == {left, new}


@pytest.mark.parametrize(
    "when",
    [
        {"delay_s": -1},
        {"delay_s": float("nan")},
        {"delay_s": 1e12},
        {"delay_s": "1"},
        {"at": datetime(2030, 1, 1)},  # noqa: DTZ001 -- that is the fault
        {"at": datetime(2300, 1, 1, tzinfo=UTC)},
        {"at": datetime(2030, 1, 1, tzinfo=UTC), "delay_s": 1},
    ],
)
async def test_a_time_that_is_none_is_refused(bus: Bus, topic: str, when: dict[str, Any]) -> None:
    """At the call, as every malformed event."""
    with pytest.raises(EventMalformedError, match="delay_s"):
        bus.publish(topic, "e", {}, **when)


async def test_what_waits_is_erased_archived_restored_and_removed(server: Server, tmp_path: Path) -> None:
    """As everything that the bus keeps."""
    archive = ArchiveConfig(target=str(tmp_path / "archive"), every_s=HOUR_S)
    async with Bus(BusConfig(url=server.url, archive=archive)) as bus:
        await bus.publish("t.v1", "e", {})
        kept, erased = [await bus.publish("t.v1", "e", {"n": n}, delay_s=HOUR_S) for n in range(2)]
        assert [one.place for one in (await bus.erase([erased], topics=["t.v1"])).found]
        assert await waiting(bus, "t.v1") == 1
        await bus.archive_now()
        await bus._connection.call("FLUSHALL")
        await bus.restore()
        [event] = await bus._connection.call("ZRANGE", names.later_of("t.v1"), 0, -1)
        assert msgspec.json.decode(event)["event_id"] == kept
        await bus.remove("t.v1")
        assert await waiting(bus, "t.v1") == 0


async def test_a_publishers_rights_are_enough(server: Server, topic: str) -> None:
    """And a consumer without them goes on, and leaves it to publishers."""
    async with Bus(BusConfig(url=server.url)) as admin:
        for line in (
            *rules("publisher", "pw", publishes=[topic]),
            *rules("consumer", "pw", subscribes=[(topic, "g")]),
        ):
            await admin._connection.call(*line.split())
    url = server.url.replace("unix://", "unix://{}:pw@")
    async with (
        Bus(BusConfig(url=url.format("consumer"), retry=QUICK_RETRY)) as consumer,
        Bus(BusConfig(url=url.format("publisher"))) as publisher,
    ):
        recorder = Recorder()
        await consumer.subscribe(topic, "g", recorder)
        event_id = await publisher.publish(topic, "e", {}, delay_s=0.02)
        await recorder.wait_for(1)
        assert recorder.ids == [event_id]


async def test_it_is_beneath_the_prefix(config: BusConfig, raw: Connection, topic: str) -> None:
    """A bus of another prefix does not publish it."""
    async with Bus(msgspec.structs.replace(config, prefix="shop:")) as bus:
        tail = bus.tail([topic])
        await tail.start()
        event_id = await bus.publish(topic, "e", {}, delay_s=0.02)
        assert (await anext(tail)).event_id == event_id
    assert not await raw.call("EXISTS", names.stream_of(topic))
