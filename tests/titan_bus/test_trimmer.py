"""The length of streams."""

import asyncio

import msgspec
import pytest

from titan_bus import Bus, BusConfig, StreamConfig, names, scripts
from titan_bus.connections.connection import Connection
from titan_bus.errors import BusUnavailableError
from titan_bus.observability.tracing import TraceIds
from titan_bus.publisher import Publisher
from titan_bus.trimmer import Trimmer

from .conftest import Recorder, Server, length_is, pending_is, settled, until


@pytest.fixture
def config(config: BusConfig, topic: str) -> BusConfig:
    """A configuration whose one stream keeps about 100 events."""
    return msgspec.structs.replace(config, streams=(StreamConfig(name=topic, maxlen=100),))


async def fill(bus: Bus, topic: str, count: int) -> None:
    await asyncio.gather(*[bus.publish(topic, "e", {"n": n}) for n in range(count)])


async def length(raw: Connection, topic: str) -> int:
    return int(await raw.call("XLEN", names.stream_of(topic)))


@pytest.mark.by_url
async def test_what_every_group_has_handled_goes(bus: Bus, raw: Connection, topic: str) -> None:
    """Of 2,500 acknowledged events exactly the newest 100 stay."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    await fill(bus, topic, 2_500)
    await recorder.wait_for(2_500)
    await settled(raw, names.stream_of(topic), "g")
    await bus._maintenance._trimmer.trim(topic)
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
    await bus._maintenance._trimmer.trim(topic)
    kept = [event.payload_as(dict)["n"] async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
    assert kept == list(range(40, 500))
    await subscription.stop(0.0)


async def test_what_no_group_has_read_stays(bus: Bus, raw: Connection, topic: str) -> None:
    """A group whose consumer is away keeps its unread events."""
    await raw.call("XGROUP", "CREATE", names.stream_of(topic), "away", "0", "MKSTREAM")
    await fill(bus, topic, 500)
    await bus._maintenance._trimmer.trim(topic)
    assert await length(raw, topic) == 500


async def test_a_stream_without_groups_keeps_about_maxlen(bus: Bus, raw: Connection, topic: str) -> None:
    """A topic that is only tailed is cut to about its length (by whole nodes of 100 entries)."""
    await fill(bus, topic, 1_000)
    await bus._maintenance._trimmer.trim(topic)
    assert 100 <= await length(raw, topic) <= 200


async def test_trimming_comes_by_itself(bus: Bus, raw: Connection, topic: str) -> None:
    """A topic that grows is trimmed within about a second, without anybody asking."""
    await fill(bus, topic, 1_000)
    await length_is(raw, names.stream_of(topic), 200)


async def test_who_only_answers_trims_nothing(
    config: BusConfig, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reply is no publish on the request's topic: its stream is trimmed by who asks, who has the right to."""
    monkeypatch.setattr("titan_bus.trimmer.EVERY_S", 60.0)
    async with Bus(config) as responder, Bus(config) as asking:
        await responder.subscribe(topic, "g", Recorder(lambda _: {"pong": True}))
        assert await asking.request(topic, "ping", {}, dict) == {"pong": True}
        assert responder._publisher.published == set()
        assert asking._publisher.published == {topic}


async def test_a_stream_that_is_gone_is_no_error(bus: Bus, topic: str) -> None:
    """Trimming what somebody deleted does nothing."""
    await bus._maintenance._trimmer.trim(topic)


async def test_hard_trimming_asks_no_group(config: BusConfig, raw: Connection, topic: str) -> None:
    """With `trim: hard` the stream is cut to about `maxlen`, read or not, and that is counted."""
    hard = msgspec.structs.replace(config, streams=(StreamConfig(name=topic, maxlen=100, trim="hard"),))
    async with Bus(hard) as bus:
        await raw.call("XGROUP", "CREATE", names.stream_of(topic), "away", "0", "MKSTREAM")
        await fill(bus, topic, 1_000)
        await bus._maintenance._trimmer.trim(topic)
        left = await length(raw, topic)
        assert 100 <= left <= 200
        assert bus.counters.topic(topic).trimmed == 1_000 - left


async def test_what_was_trimmed_is_counted(bus: Bus, raw: Connection, topic: str) -> None:
    """The count is the entries that went, over as many steps as it took."""
    await raw.call("XGROUP", "CREATE", names.stream_of(topic), "g", "0", "MKSTREAM")
    await fill(bus, topic, 2_500)
    await raw.call("XGROUP", "SETID", names.stream_of(topic), "g", "$")
    await bus._maintenance._trimmer.trim(topic)
    assert await length(raw, topic) == 100
    assert bus.counters.topic(topic).trimmed == 2_400


async def test_a_step_is_small(raw: Connection, topic: str) -> None:
    """The server copies no more than 100 entries at a time, which may have 32 KB each."""
    stream = names.stream_of(topic)
    await raw.call("EVAL", FILL, 1, stream, 1_000, "old")
    await raw.call("XGROUP", "CREATE", stream, "g", "$")
    assert await raw.call("EVAL", scripts.TRIM, 1, stream, 100) == [99, 1, 1]


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


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds that come at once; what is left over is looked at in each."""
    monkeypatch.setattr("titan_bus.trimmer.EVERY_S", 0.001)
    monkeypatch.setattr("titan_bus.trimmer.LEFT_EVERY", 1)


@pytest.mark.usefixtures("quick")
async def test_what_is_acknowledged_later_goes_then(bus: Bus, raw: Connection, topic: str) -> None:
    """A burst that its group handles long after the last publish is trimmed without another one."""
    stream = names.stream_of(topic)
    await raw.call("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM")
    await fill(bus, topic, 1_000)
    await until(lambda: topic in bus._maintenance._trimmer._left, "the first look")
    assert await length(raw, topic) == 1_000
    await raw.call("XGROUP", "SETID", stream, "g", "$")
    await length_is(raw, stream, 100)
    await until(lambda: topic not in bus._maintenance._trimmer._left, "the last look")


async def test_what_waits_is_looked_at_seldom(
    config: BusConfig, raw: Connection, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asks the server every second for a topic whose group is away: in one round of ten."""
    monkeypatch.setattr("titan_bus.trimmer.EVERY_S", 0.001)
    await raw.call("XGROUP", "CREATE", names.stream_of(topic), "away", "0", "MKSTREAM")
    async with Bus(config) as bus:
        await fill(bus, topic, 200)
        publisher = Publisher(bus._server.publishing, "tests", TraceIds(), bus.counters)
        publisher.published = {topic}
        trimmer = Trimmer(bus._connection, publisher, config, bus.counters)
        looks = 0
        trim = trimmer.trim

        async def counted(grown: str) -> bool:
            nonlocal looks
            looks += 1
            return await trim(grown)

        monkeypatch.setattr(trimmer, "trim", counted)
        for _ in range(30):
            await trimmer.round()
        assert looks == 4


@pytest.mark.usefixtures("quick")
async def test_a_topic_that_is_refused_keeps_no_other(
    bus: Bus, topic: str, raw: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """One that cannot be trimmed is said once and tried again; the others are trimmed meanwhile."""
    publisher = Publisher(bus._server.publishing, "tests", TraceIds(), bus.counters)
    others = [f"{topic}.{n}" for n in range(4)]
    streams = tuple(StreamConfig(name=name, maxlen=100) for name in (topic, *others))
    config = msgspec.structs.replace(bus.config, streams=streams)
    trimmer = Trimmer(bus._connection, publisher, config, bus.counters)
    await raw.call("SET", names.stream_of(topic), "no stream")
    for other in others:
        await raw.call("EVAL", FILL, 1, names.stream_of(other), 300, "old")
    publisher.published = {topic, *others}
    for _ in range(3):
        await trimmer.round()
    for other in others:
        assert await length(raw, other) <= 200
    (said,) = [record.getMessage() for record in caplog.records if topic in record.getMessage()]
    assert "WRONGTYPE" in said
    assert "titan-bus acl --publish" in said
    caplog.clear()
    await raw.call("DEL", names.stream_of(topic))
    await raw.call("EVAL", FILL, 1, names.stream_of(topic), 300, "old")
    await trimmer.round()
    assert await length(raw, topic) <= 200


@pytest.mark.usefixtures("quick")
async def test_a_server_that_is_away_makes_no_topic_forgotten(server: Server, topic: str) -> None:
    """What could not be trimmed because the server went is trimmed when it is back."""
    streams = (StreamConfig(name=topic, maxlen=100),)
    async with Bus(BusConfig(url=server.url, patience_s=0.2, streams=streams)) as bus:
        publisher = Publisher(bus._server.publishing, "tests", TraceIds(), bus.counters)
        trimmer = Trimmer(bus._connection, publisher, bus.config, bus.counters)
        await bus._connection.call("EVAL", FILL, 1, names.stream_of(topic), 300, "old")
        publisher.published = {topic}
        server.kill()
        with pytest.raises(BusUnavailableError):
            await trimmer.round()
        server.start()
        await until(lambda: bus.connected, "the server")
        await trimmer.round()
        assert await bus._connection.call("XLEN", names.stream_of(topic)) <= 200
