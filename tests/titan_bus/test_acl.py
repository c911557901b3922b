"""One user a service: what is granted works on a real server, and nothing else does."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from titan_bus import ArchiveConfig, Bus, BusConfig, ClaimConfig, MetricsConfig, ServerRefusedError, names
from titan_bus.acl import rules
from titan_bus.archive.archive import Archive
from titan_bus.archive.restore import Restorer
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint
from titan_bus.deadletter import origin_of, pack
from titan_bus.erasure.eraser import Eraser

from .conftest import QUICK_RETRY, Recorder, Server, pending_is, settled, until
from .scraping import scrape, scraped

PASSWORD = "kept elsewhere"
SECRET = f"#{hashlib.sha256(PASSWORD.encode()).hexdigest()}"


@asynccontextmanager
async def user(raw: Connection, redis_url: str, line: str, **options: object) -> AsyncIterator[Bus]:
    """A bus of the user that the line makes."""
    words = line.split()
    await raw.call(*words)
    scheme, _, rest = redis_url.partition("://")
    login = f"{words[2]}:{PASSWORD.replace(' ', '%20')}@"
    config = BusConfig(url=f"{scheme}://{login}{rest.rpartition('@')[2]}", retry=QUICK_RETRY, **options)  # type: ignore[arg-type]  # the test's own
    try:
        async with Bus(config) as bus:
            yield bus
    finally:
        await raw.call("ACL", "DELUSER", words[2])


@pytest.mark.by_url
@pytest.mark.logs("goes to the dead letters")
async def test_what_is_granted_works(raw: Connection, redis_url: str, topic: str) -> None:
    """Publish, subscribe, retries, dead letters, requests, replay and tail need no right beside the printed."""
    [line] = rules(
        topic, PASSWORD, publishes=[topic], subscribes=[(topic, "g")], replays=[topic], requests=[topic]
    )
    failures: dict[str, int] = {}

    def fault(event: object) -> object:
        kind = event.event_type  # type: ignore[attr-defined]  # an Event
        failures[kind] = failures.get(kind, 0) + 1
        if kind == "never" or (kind == "later" and failures[kind] < 3):
            raise RuntimeError(kind)
        return {"pong": True}

    async with user(raw, redis_url, line) as bus:
        tail = bus.tail([topic])
        await tail.start()
        recorder = Recorder(fault)  # type: ignore[arg-type]  # takes any event
        await bus.subscribe(topic, "g", recorder)
        ids = [await bus.publish(topic, kind, {}) for kind in ("at once", "later", "never")]
        assert await bus.request(topic, "ping", {}, dict) == {"pong": True}
        await until(lambda: failures.get("later") == 3 and failures.get("never") == 9, "the retries")
        await settled(raw, names.stream_of(topic), "g")
        assert [(await anext(tail)).event_id for _ in ids] == ids
        assert [event.event_id async for event in bus.replay("2020-01-01T00:00:00Z", topic)][:3] == ids

        async def dead_lettered() -> bool:
            letters = await raw.call("XREVRANGE", names.DEAD_LETTERS, "+", "-", "COUNT", 10)
            return any(ids[2].encode() in part for _, fields in letters for part in fields)

        await until(dead_lettered, "the dead letter")
        await bus._maintenance._trimmer.trim(topic)


async def test_claims_and_readers_need_no_more(raw: Connection, redis_url: str, topic: str) -> None:
    """What a dead consumer held is taken over, and a blocking read can be ended, under the printed rights."""
    await raw.call("XGROUP", "CREATE", names.stream_of(topic), "g", "0", "MKSTREAM")
    [line] = rules(topic, SECRET, publishes=[topic], subscribes=[(topic, "g")])
    claim = ClaimConfig(min_idle_s=0.05)
    async with user(raw, redis_url, line, claim=claim) as bus:
        left = await bus.publish(topic, "e", {})
        await raw.call("XREADGROUP", "GROUP", "g", "dead", "STREAMS", names.stream_of(topic), ">")
        await pending_is(raw, names.stream_of(topic), "g", 1)
        recorder = Recorder()
        await bus.subscribe(topic, "g", recorder)
        assert (await recorder.wait_for(1))[0].event_id == left
        channel = bus._server.channel(names.stream_of(topic))
        number = await channel.call("CLIENT", "ID")
        reading = asyncio.ensure_future(
            channel.call(
                "XREADGROUP", "GROUP", "g", "c", "BLOCK", 10_000, "STREAMS", names.stream_of(topic), ">"
            )
        )

        async def ended() -> bool:
            return bool(await bus._server.unblock(names.stream_of(topic), number))

        await until(ended, "the read")
        assert await reading is None
        channel.close()


async def test_everything_else_is_refused(raw: Connection, redis_url: str, topic: str) -> None:
    """Other topics, reading what may only be written, and commands that see or change the server: NOPERM."""
    [line] = rules(topic, PASSWORD, publishes=[f"{topic}.out"], subscribes=[(f"{topic}.in", "g")])
    inward, outward = names.stream_of(f"{topic}.in"), names.stream_of(f"{topic}.out")
    async with user(raw, redis_url, line) as bus:
        refused = [
            ("XADD", names.stream_of(topic), "*", "e", "x"),
            ("XADD", inward, "*", "e", "x"),
            ("XREADGROUP", "GROUP", "g", "c", "STREAMS", outward, ">"),
            ("XREADGROUP", "GROUP", "g", "c", "STREAMS", names.stream_of(topic), ">"),
            ("XRANGE", names.DEAD_LETTERS, "-", "+"),
            ("XREAD", "STREAMS", "replies:someone", "0"),
            ("EVAL", "return redis.call('XADD', KEYS[1], '*', 'e', 'x')", 1, inward),
            ("EVAL", "return redis.call('XRANGE', KEYS[1], '-', '+')", 1, names.DEAD_LETTERS),
            ("DEL", outward),
            ("FLUSHALL",),
            ("KEYS", "*"),
            ("SCAN", 0),
            ("CONFIG", "GET", "*"),
            ("CLIENT", "LIST"),
            ("ACL", "WHOAMI"),
            ("SUBSCRIBE", "news"),
            ("PUBLISH", "news", "x"),
        ]
        for words in refused:
            try:
                await bus._connection.call(*words)
            except ServerRefusedError as error:
                assert error.code == "NOPERM" or "ACL failure in script" in str(error), words  # noqa: PT017 -- which one
            else:
                pytest.fail(f"allowed: {words}")


def test_the_line_holds_no_password() -> None:
    """A password is printed as its SHA-256, a hash as it is, and none makes a user that cannot log in."""
    assert PASSWORD not in rules("s", PASSWORD)[0]
    assert f" {SECRET} " in rules("s", PASSWORD)[0] + " "
    assert rules("s", PASSWORD) == rules("s", SECRET)
    assert "#" not in rules("s", None)[0]
    assert "nopass" not in rules("s", None)[0]


@pytest.mark.parametrize("name", ["a b", "a)", "(a", "a\n", ""])
def test_a_name_that_no_rule_can_say_is_refused(name: str) -> None:
    """A space or a parenthesis would end the rule, and grant something else."""
    with pytest.raises(ValueError, match="cannot stand in an ACL rule"):
        rules("s" if name else name, None, publishes=["t", name])


async def test_a_topic_is_no_pattern(raw: Connection, redis_url: str, topic: str) -> None:
    """A star in a topic's name grants that topic alone."""
    [line] = rules(topic, PASSWORD, publishes=["*"])
    async with user(raw, redis_url, line) as bus:
        await bus.publish("*", "e", {})
        with pytest.raises(ServerRefusedError, match="NOPERM"):
            await bus.publish(topic, "e", {})
    await raw.call("DEL", names.stream_of("*"))


async def test_archiving_and_restoring_need_no_more(
    server: Server, topic: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Rounds by themselves, snapshots and the way back; who has one of the two rights has not the other."""
    admin = Connection(Endpoint.parse(server.url), 5.0)
    await admin.open()
    archive = ArchiveConfig(target=str(tmp_path), every_s=0.01)
    stream = names.stream_of(topic)
    await admin.call("XADD", stream, "*", "e", "{}")
    await admin.call("XADD", names.DEAD_LETTERS, "*", "d", "{}")
    await admin.call("XGROUP", "CREATE", stream, "g", "0")
    await admin.call("ZADD", names.delayed_of("g", topic), 1, "{}")
    await admin.call("XADD", names.retries_of("g", topic), "*", "e", "{}")
    [line] = rules("archiver", PASSWORD, archives=True)
    async with user(admin, server.url, line, archive=archive) as bus:
        await until(lambda: bus.counters.archived >= 2, "a round by itself")
        await bus.archive_now()
        with pytest.raises(ServerRefusedError, match="NOPERM"):
            await bus.restore(newer_only=True)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    await admin.call("FLUSHALL")
    [line] = rules("bringer", PASSWORD, restores=True)
    async with user(admin, server.url, line) as bus:
        restorer = Restorer(bus._connection, Archive.open(archive), bus.config)
        done = {one.topic: one for one in await restorer.restore()}
        with pytest.raises(ServerRefusedError, match="NOPERM"):
            await bus._connection.call("XRANGE", stream, "-", "+")
    assert (done[topic].entries, done[topic].groups, done[topic].waiting) == (1, 1, 1)
    assert done[names.DEAD_LETTERS].entries == 1
    await admin.close()


async def test_erasing_needs_no_more(server: Server, topic: str, tmp_path: Path) -> None:
    """Streams, what waits, dead letters, archive, copies and files; other keys and settings stay out of reach."""
    admin = Connection(Endpoint.parse(server.url), 5.0)
    await admin.open()
    archive = ArchiveConfig(target=str(tmp_path), every_s=3_600)
    stream = names.stream_of(topic)
    async with Bus(BusConfig(url=server.url, archive=archive)) as bus:
        sent = [await bus.publish(topic, "e", {}) for _ in range(3)]
        [(_, fields), *_] = await admin.call("XRANGE", stream, "-", "+")
        await admin.call("XGROUP", "CREATE", stream, "g", "0")
        await admin.call("XREADGROUP", "GROUP", "g", "c", "STREAMS", stream, ">")
        for _ in range(2):
            await admin.call("XADD", names.retries_of("g", topic), "*", *fields)
            await admin.call("XADD", names.retries_of("g", topic), "*", "e", "{}")
            packed = pack(origin_of(RuntimeError("x"), stream, "g", b"1-1"), fields)
            await admin.call("XADD", names.DEAD_LETTERS, "*", *packed)
            await admin.call("XADD", names.DEAD_LETTERS, "*", "any", "thing")
        await admin.call("ZADD", names.delayed_of("g", topic), 1, fields[1])
        await bus.archive_now()
    [line] = rules("eraser", PASSWORD, erases=True)
    async with user(admin, server.url, line) as bus:
        receipt = await Eraser(bus._connection, Archive.open(archive)).erase(sent[:1])
        assert receipt.complete
        assert len({one.place for one in receipt.found}) == 6
        with pytest.raises(ServerRefusedError, match="NOPERM"):
            await bus._connection.call("XADD", "other", "*", "e", "{}")
        with pytest.raises(ServerRefusedError, match="NOPERM"):
            await bus._connection.call("CONFIG", "GET", "*")
    await admin.close()


async def test_dead_letters_need_no_more(raw: Connection, redis_url: str, topic: str) -> None:
    """Listed, counted, given back to the group and to the topic, and dropped; the streams stay unread."""
    ids = []
    for _ in range(3):
        packed = pack(origin_of(RuntimeError("x"), names.stream_of(topic), "g", b"1-1"), [b"e", b"no event"])
        ids.append((await raw.call("XADD", names.DEAD_LETTERS, "*", *packed)).decode())
    [line] = rules(topic, PASSWORD, dead_letters=True)
    async with user(raw, redis_url, line) as bus:
        letters = bus.dead_letters
        assert [letter.letter_id for letter in await letters.list(topic=topic)] == ids[::-1]
        assert await letters.count() >= 3
        assert await letters.redrive(ids[0]) == 1
        assert await letters.redrive(ids[1], to="topic") == 1
        assert await letters.drop(ids[2]) == 1
        assert await letters.count(topic=topic) == 0
        for stream in (names.stream_of(topic), names.retries_of("g", topic)):
            with pytest.raises(ServerRefusedError, match="NOPERM"):
                await bus._connection.call("XRANGE", stream, "-", "+")
    assert await raw.call("XLEN", names.stream_of(topic)) == 1
    assert await raw.call("XLEN", names.retries_of("g", topic)) == 1


async def test_metrics_need_no_more(
    raw: Connection, redis_url: str, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With `metrics` a consumer sees lag, retries and dead letters of every group on its topic, without it not."""
    handles = [(topic, "g")]
    metrics = MetricsConfig(port=0, every_s=0.01)
    labels = {"topic": topic, "group": "another"}
    await raw.call("XGROUP", "CREATE", names.stream_of(topic), "another", "0", "MKSTREAM")
    [line] = rules(topic, PASSWORD, subscribes=handles, metrics=True)
    async with user(raw, redis_url, line, metrics=metrics) as bus:
        await bus.subscribe(topic, "g", Recorder())
        await raw.call("XADD", names.stream_of(topic), "*", "any", "thing")
        found = await scraped(bus, lambda now: now.value("titan_bus_lag", **labels) == 1, "the lag")
        for name in ("delayed", "pending", "oldest_unacknowledged_timestamp_seconds"):
            assert found.value(f"titan_bus_{name}", **labels) is not None
        assert found.value("titan_bus_dead_letters") is not None
    [line] = rules(topic, PASSWORD, subscribes=handles)
    async with user(raw, redis_url, line, metrics=metrics) as bus:
        await bus.subscribe(topic, "g", Recorder())
        await until(lambda: "titan-bus acl --metrics" in caplog.text, "the refusal is said")
        assert (await scrape(bus)).value("titan_bus_lag", **labels) is None
