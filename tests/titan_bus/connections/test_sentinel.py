"""Sentinel: the bus follows the primary. Failovers are real; a sentinel that lies is the test's own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

import hiredis
import pytest

from tests import servers
from tests.titan_bus.conftest import QUICK_RETRY, Recorder, until
from tests.titan_bus.deployments import NAME, Node, SentinelDeployment, data_node, free_ports, running
from titan_bus import Bus, BusConfig, BusUnavailableError, names
from titan_bus.connections.sentinel import Sentinel
from titan_bus.testing import private_server


@pytest.fixture
def deployment() -> Iterator[SentinelDeployment]:
    with running(SentinelDeployment) as deployment:
        yield deployment


async def ids_in(bus: Bus, topic: str) -> list[str]:
    return [event.event_id async for event in bus.replay("2020-01-01T00:00:00Z", topic)]


class Load:
    """Publishes five events at a time, until it is stopped."""

    def __init__(self, bus: Bus, topic: str) -> None:
        self.acknowledged: list[str] = []
        self._bus = bus
        self._topic = topic

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    async def reaches(self, count: int) -> None:
        await until(lambda: len(self.acknowledged) >= count or self._task.done(), f"{count} acknowledged")
        assert not self._task.done()

    async def _run(self) -> None:
        while True:
            self.acknowledged += await asyncio.gather(
                *(self._bus.publish(self._topic, "e", {}) for _ in range(5))
            )
            await asyncio.sleep(0.002)


@pytest.mark.logs("a step failed, going on")  # a new primary may lack replicas for a moment
async def test_the_primary_killed_under_load(deployment: SentinelDeployment, topic: str) -> None:
    """After kill -9 of the primary everything goes on by itself, and no publish that a replica had is missing."""
    changes: list[bool] = []
    config = BusConfig(url=deployment.url, replicas=1, patience_s=30, retry=QUICK_RETRY)
    async with Bus(config) as bus:
        bus.on_connection(changes.append)
        recorder = Recorder()
        await bus.subscribe(topic, "g", recorder)
        tail = bus.tail([topic])
        await tail.start()
        async with Load(bus, topic) as load:
            await load.reaches(300)
            deployment.nodes[0].kill()
            await load.reaches(len(load.acknowledged) + 300)
        last = await bus.publish(topic, "last", {})
        there = await ids_in(bus, topic)
        assert set(load.acknowledged) <= set(there)
        assert len(there) - len(set(there)) <= 2 * 5  # those in flight may be there twice, and no others
        await until(lambda: set(there) <= set(recorder.ids), "everything handled")
        while (await anext(tail)).event_id != last:
            pass
    assert changes[:2] == [False, True]


async def test_a_frozen_primary_is_left(deployment: SentinelDeployment, topic: str) -> None:
    """A primary that stands still and wakes up deposed gets nothing more: its successor has what was published."""
    async with Bus(BusConfig(url=deployment.url, replicas=1, patience_s=30)) as bus:
        recorder = Recorder()
        await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "e", {})
        await recorder.wait_for(1)
        deployment.nodes[0].freeze()
        event_id = await bus.publish(topic, "e", {})
        deployment.nodes[0].thaw()
        later = [await bus.publish(topic, "e", {}) for _ in range(20)]
        assert set(await ids_in(bus, topic)) >= {event_id, *later}
        await until(lambda: set(recorder.ids) >= {event_id, *later}, "everything handled")
    successor = deployment.primary()
    assert successor is not deployment.nodes[0]
    assert successor.ask("XLEN", names.stream_of(topic)) >= 22


async def test_the_sentinel_of_the_url_dies(deployment: SentinelDeployment, topic: str) -> None:
    """One sentinel in the URL is enough: when it dies, the others, that it named, tell of the failover."""
    url = f"redis+sentinel://{deployment.sentinels[0].address}/{NAME}"
    async with Bus(BusConfig(url=url, patience_s=30)) as bus:
        deployment.sentinels[0].kill()
        deployment.nodes[0].kill()
        event_id = await bus.publish(topic, "e", {})
        assert await ids_in(bus, topic) == [event_id]
    with pytest.raises(BusUnavailableError, match=str(deployment.sentinels[0].port)):
        await Bus(BusConfig(url=url)).open()
    dead_first = BusConfig(url=deployment.url)
    async with Bus(dead_first) as bus:
        assert await ids_in(bus, topic) == [event_id]


class FakeSentinel:
    """Answers what a test wants it to: a primary's port, by the configuration of an epoch."""

    def __init__(self, port: int | None, epoch: int, password: str = "") -> None:
        self.primary = port
        self.epoch = epoch
        self._password = password
        self._writers: list[asyncio.StreamWriter] = []
        self.others: list[tuple[str, str]] = []
        self.silent = False
        self.unheard = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self.listeners = 0
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()

    def tell(self, *words: str) -> None:
        """Send a message to all who subscribed."""
        for writer in self._writers:
            writer.write(hiredis.pack_command(("message", "+switch-master", " ".join(words))))  # type: ignore[arg-type]  # its stub means a tuple of one

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        commands = hiredis.Reader(encoding="utf-8")
        with contextlib.suppress(ConnectionError):  # who asked may hang up in any way
            while data := await reader.read(65_536):
                commands.feed(data)
                while (words := commands.gets()) is not False:
                    if self.silent:
                        self.unheard += 1
                    elif words:
                        writer.write(self._reply(words))
        writer.close()

    def _reply(self, words: list[str]) -> bytes:  # noqa: PLR0911 -- one a command
        match words:
            case ["AUTH", password]:
                return b"+OK\r\n" if password == self._password else b"-WRONGPASS no\r\n"
            case ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"] if self.primary:
                return self._array("127.0.0.1", str(self.primary))
            case ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", _]:
                return b"*-1\r\n"
            case ["SENTINEL", "MASTER", _]:
                return self._array("name", "main", "config-epoch", str(self.epoch))
            case ["SENTINEL", "SENTINELS", _]:
                rows = [self._array("ip", host, "port", port) for host, port in self.others]
                return b"*%d\r\n" % len(rows) + b"".join(rows)
            case ["SUBSCRIBE", channel]:
                self.listeners += 1
                return b"*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:1\r\n" % (len(channel), channel.encode())
        return b"+OK\r\n"

    @staticmethod
    def _array(*words: str) -> bytes:
        return bytes(hiredis.pack_command(words))  # type: ignore[arg-type]  # as above


@pytest.fixture(scope="module")
def primaries() -> Iterator[tuple[Node, Node]]:
    """Two servers that both take themselves for a primary."""
    with servers.short_folder() as folder:
        nodes = [data_node(folder, port) for port in free_ports(2)]
        for node in nodes:
            node.start()
        yield nodes[0], nodes[1]
        for node in nodes:
            node.kill()


@pytest.fixture
async def two(primaries: tuple[Node, Node]) -> AsyncIterator[tuple[FakeSentinel, FakeSentinel, str]]:
    """A sentinel that was left behind, one that was not, and their URL with the former first."""
    old, new = primaries
    async with FakeSentinel(old.port, 1) as behind, FakeSentinel(new.port, 2) as current:
        yield behind, current, f"redis+sentinel://{behind.address},{current.address}/{NAME}"


async def test_the_newest_configuration_wins(
    two: tuple[FakeSentinel, FakeSentinel, str], primaries: tuple[Node, Node], topic: str
) -> None:
    """A sentinel behind a split names a primary that is alive and deposed: nothing is written there."""
    async with Bus(BusConfig(url=two[2])) as bus:
        await bus.publish(topic, "e", {})
    assert [node.ask("XLEN", names.stream_of(topic)) for node in primaries] == [0, 1]


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.logs("is created again")
async def test_a_switch_is_followed_though_the_old_one_lives(
    two: tuple[FakeSentinel, FakeSentinel, str],
    primaries: tuple[Node, Node],
    topic: str,
    told: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    """Shared connection and readers leave a deposed primary that answers as ever, told by message or not."""
    behind, current, url = two
    async with Bus(BusConfig(url=url, retry=QUICK_RETRY)) as bus:
        recorder = Recorder()
        await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "before", {})
        await recorder.wait_for(1)
        await until(lambda: behind.listeners + current.listeners, "somebody listens")
        lost: list[bool] = []
        bus.on_connection(lost.append)
        current.primary, current.epoch = primaries[0].port, 3
        if told:
            for sentinel in (behind, current):
                sentinel.tell("main 127.0.0.1", str(primaries[1].port), "127.0.0.1", str(primaries[0].port))
        await until(lambda: lost == [False, True], "the switch")
        await bus.publish(topic, "after", {})
        await until(
            lambda: "after" in [event.event_type for event in recorder.events], "the reader has followed"
        )
    assert primaries[0].ask("XLEN", names.stream_of(topic)) == 1


async def test_a_replica_is_not_taken_for_the_primary(primaries: tuple[Node, Node]) -> None:
    """A server that says it is a replica is not used, whatever a sentinel says; the reason names it."""
    with servers.short_folder() as folder:
        [port] = free_ports(1)
        replica = data_node(folder, port, "--replicaof", f"127.0.0.1 {primaries[0].port}")
        replica.start()
        async with FakeSentinel(port, 1) as mistaken:
            with pytest.raises(
                BusUnavailableError, match=f"{port}: named as the primary, says it is a slave"
            ):
                await Bus(BusConfig(url=f"redis+sentinel://{mistaken.address}/{NAME}")).open()
        replica.kill()


async def test_a_name_that_nobody_knows_is_said() -> None:
    """The error has the sentinel and the name."""
    async with FakeSentinel(None, 0) as ignorant:
        with pytest.raises(BusUnavailableError, match=f"{ignorant.address}: does not know a primary 'other'"):
            await Bus(BusConfig(url=f"redis+sentinel://{ignorant.address}/other")).open()


async def test_sentinels_have_a_password_of_their_own(primaries: tuple[Node, Node]) -> None:
    """`sentinel_password` goes to the sentinels, the URL's password to the servers."""
    async with FakeSentinel(primaries[0].port, 1, "guard") as guarded:
        url = f"redis+sentinel://{guarded.address}/{NAME}"
        async with Bus(BusConfig(url=f"{url}?sentinel_password=guard")) as bus:
            assert bus.connected
        with pytest.raises(BusUnavailableError, match="WRONGPASS"):
            await Bus(BusConfig(url=f"{url}?sentinel_password=wrong")).open()


async def test_sentinels_that_are_silent_cost_a_second(primaries: tuple[Node, Node], topic: str) -> None:
    """A sentinel that takes the connection and says nothing holds nobody up for long."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent, FakeSentinel(primaries[0].port, 1) as current:
        address = f"127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        async with (
            asyncio.timeout(5),
            Bus(BusConfig(url=f"redis+sentinel://{address},{current.address}/{NAME}")) as bus,
        ):
            await bus.publish(topic, "e", {})


async def test_closing_while_the_primary_is_sought(primaries: tuple[Node, Node], topic: str) -> None:
    """A tail that waits for the sentinels ends as ever when the bus closes: nobody cancelled its task."""
    async with FakeSentinel(primaries[0].port, 1) as sentinel:
        async with Bus(BusConfig(url=f"redis+sentinel://{sentinel.address}/{NAME}")) as bus:
            await bus.publish(topic, "e", {})
            sentinel.silent = True

            async def read() -> list[str]:
                return [event.event_id async for event in bus.tail([topic])]

            reading = asyncio.create_task(read())
            await until(lambda: sentinel.unheard, "the question")
        assert await reading == []


async def test_sentinels_that_went_away_are_forgotten(primaries: tuple[Node, Node]) -> None:
    """One that no other names any more is not asked again, as where pods come back under new addresses.

    One that answers is kept, and that of the URL.
    """
    async with FakeSentinel(primaries[0].port, 1) as seed, FakeSentinel(primaries[0].port, 1) as other:
        seed.others = [("127.0.0.1", other.address.split(":")[1]), ("127.0.0.1", "1")]
        sentinel = Sentinel.parse(f"redis+sentinel://{seed.address}/{NAME}")

        async def asked_next() -> set[str]:
            (await sentinel.open()).close()
            return {f"{one.host}:{one.port}" for one in sentinel._lines}

        assert await asked_next() == {seed.address, other.address, "127.0.0.1:1"}
        seed.others = [("127.0.0.1", "2")]
        assert await asked_next() == {seed.address, other.address, "127.0.0.1:2"}
        await sentinel.close()


@pytest.mark.parametrize("role", [b":1", b"*0", b"*1\r\n:1", b"*-1", b"*1\r\n$1\r\n\xff"])
async def test_a_primary_that_answers_nonsense(role: bytes) -> None:
    """What is no role is BusUnavailableError, with the address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(role + b"\r\n" if b"ROLE" in data else b"+OK\r\n")
        writer.close()

    odd = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = odd.sockets[0].getsockname()[1]
    async with odd, FakeSentinel(port, 1) as sentinel:
        with pytest.raises(BusUnavailableError, match=f"{port}: answers ROLE as no server does"):
            await Bus(BusConfig(url=f"redis+sentinel://{sentinel.address}/{NAME}")).open()


async def test_a_seed_that_is_no_sentinel(primaries: tuple[Node, Node], topic: str) -> None:
    """A port that answers as no sentinel does keeps nobody from hearing the others; alone, it is named."""

    async def agree(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                commands.feed(data)
                while commands.gets() is not False:
                    writer.write(b"+OK\r\n")
        writer.close()

    odd = await asyncio.start_server(agree, "127.0.0.1", 0)
    async with odd, FakeSentinel(primaries[0].port, 1) as current:
        address = f"127.0.0.1:{odd.sockets[0].getsockname()[1]}"
        async with Bus(BusConfig(url=f"redis+sentinel://{address},{current.address}/{NAME}")) as bus:
            await bus.publish(topic, "e", {})
        with pytest.raises(BusUnavailableError, match=f"{address}: answers as no sentinel"):
            await Bus(BusConfig(url=f"redis+sentinel://{address}/{NAME}")).open()


def test_urls_are_read() -> None:
    """Hosts, name, database, both logins and TLS come from the URL; what is shown has no password."""
    url = (
        "redis+sentinel://me:se%40cret@one,two:7000,[::1]:7001/main/3?sentinel_username=u&sentinel_password=p"
    )
    sentinel = Sentinel.parse(url)
    assert sentinel.address == "redis+sentinel://one,two:7000,[::1]:7001/main"
    assert [(one.host, one.port) for one in sentinel._lines] == [
        ("one", 26_379),
        ("two", 7000),
        ("::1", 7001),
    ]
    assert {(one.username, one.password, one.database, one.tls) for one in sentinel._lines} == {
        ("u", "p", 0, None)
    }
    primary = sentinel._primary
    assert (primary.username, primary.password, primary.database) == ("me", "se@cret", 3)
    assert Sentinel.parse("rediss+sentinel://one/main")._primary.tls is not None


@pytest.mark.parametrize("value", ["true", "True", "1"])
def test_the_sentinels_may_speak_tls_alone(value: str) -> None:
    """`sentinel_ssl` counts on redis+sentinel://, too: their password does not go out in clear."""
    sentinel = Sentinel.parse(f"redis+sentinel://one/main?sentinel_ssl={value}&sentinel_password=a+b")
    [one] = sentinel._lines
    assert one.tls is not None
    assert one.address == "rediss://one:26379"
    assert one.password == "a+b"
    assert sentinel._primary.tls is None


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis+sentinel://one/main?sentinel_ssl=perhaps", "true or false"),
        ("redis+sentinel://one:26379", "names no primary"),
        ("redis+sentinel:///main", "names no host"),
        ("http+sentinel://one/main", "begins with redis"),
        ("redis+sentinel://one:port/main", "[Pp]ort"),
    ],
)
def test_a_url_that_says_too_little_is_refused(url: str, sentence: str) -> None:
    """ValueError at once, with what is missing."""
    with pytest.raises(ValueError, match=sentence):
        Bus(BusConfig(url=url))


async def test_a_server_that_is_demoted_and_promoted_again(topic: str) -> None:
    """A publish that meets a replica (READONLY) or too few of them (NOREPLICAS) waits, and then succeeds."""
    with private_server() as url:
        async with Bus(BusConfig(url=url)) as bus, Bus(BusConfig(url=url, patience_s=0.2)) as hasty:
            admin: Any = bus._server.channel(topic)
            for begin, end, reason in (
                (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"), "READONLY"),
                (
                    ("CONFIG", "SET", "min-replicas-to-write", "1"),
                    ("CONFIG", "SET", "min-replicas-to-write", "0"),
                    "NOREPLICAS",
                ),
            ):
                # Else its next publish may fail in a pause of the reconnection, for another reason.
                await until(lambda: hasty.connected, "the second bus")
                await admin.call(*begin)
                waiting = bus.publish(topic, "e", {})
                with pytest.raises(BusUnavailableError, match=reason):
                    await hasty.publish(topic, "e", {})
                assert not waiting.done()
                await admin.call(*end)
                assert await waiting in await ids_in(bus, topic)
            admin.close()
