"""The length of streams."""

import asyncio

import msgspec
import pytest

from titan_bus import Bus, BusConfig, StreamConfig, names
from titan_bus.connections.connection import Connection
from titan_bus.errors import ServerRefusedError
from titan_bus.publisher import Publisher
from titan_bus.tracing import TraceIds
from titan_bus.trimmer import Trimmer

from .conftest import Recorder, length_is, pending_is, settled


@pytest.fixture
def config(config: BusConfig, topic: str) -> BusConfig:
    """A configuration whose one stream keeps about 100 events."""
    return msgspec.structs.replace(config, streams=(StreamConfig(name=topic, maxlen=100),))


async def fill(bus: Bus, topic: str, count: int) -> None:
    await asyncio.gather(*[bus.publish(topic, "e", {"n": n}) for n in range(count)])


async def length(raw: Connection, topic: str) -> int:
    return int(await raw.call("XLEN", names.stream_of(topic)))


async def test_what_every_group_has_handled_goes(bus: Bus, raw: Connection, topic: str) -> None:
    """Of 2,500 acknowledged events exactly the newest 100 stay."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    await fill(bus, topic, 2_500)
    await recorder.wait_for(2_500)
    await settled(raw, names.stream_of(topic), "g")
    await bus._upkeep._trimmer.trim(topic)
    kept = [event.payload_as(dict)["n"] async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
    assert kept == list(range(2_400, 2_500))


async def test_unacknowledged_events_stay(bus: Bus, raw: Connection, topic: str) -> None:
    """The oldest pending event of the slowest group holds everything behind it, whatever `maxlen` says."""
    quick, slow = (
        Recorder(),
        Recorder(lambda e: asyncio.Event().wait() if e.payload_as(dict)["n"] == 40 else None),
    )
    await bus.subscribe(topic, "quick", quick)
    subscription = await bus.subscribe(topic, "slow", slow)
    await fill(bus, topic, 500)
    await quick.wait_for(500)
    await slow.wait_for(500)
    await pending_is(raw, names.stream_of(topic), "slow", 1)
    await bus._upkeep._trimmer.trim(topic)
    kept = [event.payload_as(dict)["n"] async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
    assert kept == list(range(40, 500))
    await subscription.stop(0.0)


async def test_what_no_group_has_read_stays(bus: Bus, raw: Connection, topic: str) -> None:
    """A group whose consumer is away keeps its unread events."""
    await raw.call("XGROUP", "CREATE", names.stream_of(topic), "away", "0", "MKSTREAM")
    await fill(bus, topic, 500)
    await bus._upkeep._trimmer.trim(topic)
    assert await length(raw, topic) == 500


async def test_a_stream_without_groups_keeps_about_maxlen(bus: Bus, raw: Connection, topic: str) -> None:
    """A topic that is only tailed is cut to about its length (by whole nodes of 100 entries)."""
    await fill(bus, topic, 1_000)
    await bus._upkeep._trimmer.trim(topic)
    assert 100 <= await length(raw, topic) <= 200


async def test_trimming_comes_by_itself(bus: Bus, raw: Connection, topic: str) -> None:
    """A topic that grows is trimmed within about a second, without anybody asking."""
    await fill(bus, topic, 1_000)
    await length_is(raw, names.stream_of(topic), 200)


async def test_a_stream_that_is_gone_is_no_error(bus: Bus, topic: str) -> None:
    """Trimming what somebody deleted does nothing."""
    await bus._upkeep._trimmer.trim(topic)


async def test_hard_trimming_asks_no_group(config: BusConfig, raw: Connection, topic: str) -> None:
    """With `trim: hard` the stream is cut to about `maxlen`, read or not, and that is counted."""
    hard = msgspec.structs.replace(config, streams=(StreamConfig(name=topic, maxlen=100, trim="hard"),))
    async with Bus(hard) as bus:
        await raw.call("XGROUP", "CREATE", names.stream_of(topic), "away", "0", "MKSTREAM")
        await fill(bus, topic, 1_000)
        await bus._upkeep._trimmer.trim(topic)
        left = await length(raw, topic)
        assert 100 <= left <= 200
        assert bus.counters.topic(topic).trimmed == 1_000 - left


async def test_what_was_trimmed_is_counted(bus: Bus, raw: Connection, topic: str) -> None:
    """The count is the entries that went, over as many steps as it took."""
    await raw.call("XGROUP", "CREATE", names.stream_of(topic), "g", "0", "MKSTREAM")
    await fill(bus, topic, 2_500)
    await raw.call("XGROUP", "SETID", names.stream_of(topic), "g", "$")
    await bus._upkeep._trimmer.trim(topic)
    assert await length(raw, topic) == 100
    assert bus.counters.topic(topic).trimmed == 2_400


FILL = """
for n = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], '*', 'e', ARGV[2]) end
"""


async def test_a_million_and_more(config: BusConfig, raw: Connection, topic: str) -> None:
    """T5: over a `maxlen` of a million, the old are trimmed and the new are written."""
    stream = names.stream_of(topic)
    million = msgspec.structs.replace(config, streams=(StreamConfig(name=topic, maxlen=1_000_000),))
    await raw.call("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM")
    for _ in range(101):
        await raw.call("EVAL", FILL, 1, stream, 10_000, "old")
    oldest = (await raw.call("XRANGE", stream, "-", "+", "COUNT", 1))[0][0]
    await raw.call("XGROUP", "SETID", stream, "g", "$")
    async with Bus(million) as bus:
        new = [await bus.publish(topic, "e", {"n": n}) for n in range(10)]
        # The group has not read the new ones: they stay, and what is before them goes.
        await length_is(raw, stream, 1_000_000)
        assert await length(raw, topic) == 1_000_000
        assert await raw.call("XRANGE", stream, oldest, oldest) == []
        last = await raw.call("XREVRANGE", stream, "+", "-", "COUNT", 10)
        assert [msgspec.json.decode(fields[1])["event_id"] for _, fields in reversed(last)] == new
        assert bus.counters.topic(topic).trimmed == 10_010
    await raw.call("UNLINK", stream)


async def test_a_topic_that_is_refused_keeps_no_other(
    bus: Bus, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many topics that grew, all but the refused one are trimmed in the rounds after it, without a publish."""
    monkeypatch.setattr("titan_bus.trimmer.EVERY_S", 0.001)
    others = {f"{topic}.{n}" for n in range(8)}
    publisher = Publisher(bus._server.publishing, "tests", TraceIds(), bus.counters)
    trimmer = Trimmer(bus._connection, publisher, bus.config, bus.counters)
    trimmed: set[str] = set()

    async def trim(grown: str) -> None:
        if grown == topic:
            raise ServerRefusedError("NOPERM")
        trimmed.add(grown)

    monkeypatch.setattr(trimmer, "trim", trim)
    publisher.published = {topic, *others}
    with pytest.raises(ServerRefusedError):
        await trimmer.round()
    await trimmer.round()
    assert trimmed == others
