"""Redis Cluster: topics on several nodes, slots that move, a node that dies."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Self

import hiredis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.titan_bus.conftest import QUICK_RETRY, Recorder, until
from tests.titan_bus.deployments import ClusterDeployment, Node, running
from titan_bus import (
    Bus,
    BusClosedError,
    BusConfig,
    BusOverloadedError,
    BusUnavailableError,
    FatalError,
    NotReplicatedError,
    ServerRefusedError,
    names,
    new_ulid,
)
from titan_bus.connections import connection
from titan_bus.connections.cluster_connection import RENEW_S, ClusterConnection
from titan_bus.connections.slots import slot_of


@pytest.fixture(scope="module")
def cluster() -> Iterator[ClusterDeployment]:
    with running(ClusterDeployment) as deployment:
        yield deployment


@pytest.fixture
async def bus(cluster: ClusterDeployment) -> AsyncIterator[Bus]:
    async with Bus(BusConfig(url=cluster.url, retry=QUICK_RETRY)) as bus:
        yield bus


def topic_on(first: int, last: int) -> str:
    """Return a new topic whose slot is one of these."""
    while not first <= slot_of(names.stream_of(topic := f"t{new_ulid().lower()}.v1")) <= last:
        pass
    return topic


@pytest.fixture
def topics() -> list[str]:
    """Two topics on each of the three nodes."""
    return [topic_on(first, first + 5_000) for first in (0, 5_461, 10_923) for _ in range(2)]


async def ids_in(bus: Bus, topic: str) -> list[str]:
    return [event.event_id async for event in bus.replay("2020-01-01T00:00:00Z", topic)]


async def test_topics_on_all_nodes(bus: Bus, topics: list[str]) -> None:
    """Publish, subscribe, tail over all of them, request and replay reach every node."""
    await use(bus, topics)


async def test_a_prefix_knows_no_difference(cluster: ClusterDeployment, topics: list[str]) -> None:
    """The topic's braces decide the slot as ever, and what has none goes where its whole key belongs."""
    async with Bus(BusConfig(url=cluster.url, prefix="shop:")) as bus:
        await use(bus, topics)
        assert await bus.inspection.topic_names() == sorted(topics)


async def use(bus: Bus, topics: list[str]) -> None:
    recorder = Recorder(lambda _: asyncio.sleep(0, {"pong": True}))
    for topic in topics:
        await bus.subscribe(topic, "g", recorder)
    tail = bus.tail(topics)
    await tail.start()
    ids = await asyncio.gather(*(bus.publish(topic, "e", {}) for topic in topics * 5))
    assert {(await anext(tail)).event_id for _ in ids} == set(ids)
    await recorder.wait_for(len(ids))
    for topic in topics:
        assert await bus.request(topic, "ping", {}, dict) == {"pong": True}
        assert len(await ids_in(bus, topic)) == 6
    assert set(topics) <= set(await bus.inspection.topic_names())


async def test_a_bus_opens_again(cluster: ClusterDeployment, topics: list[str]) -> None:
    """What it had to all nodes is made anew."""
    bus = Bus(BusConfig(url=cluster.url))
    for opening in range(1, 3):
        async with bus:
            await asyncio.gather(*(bus.publish(topic, "e", {}) for topic in topics))
            assert [len(await ids_in(bus, topic)) for topic in topics] == [opening] * len(topics)


@pytest.mark.logs("goes to the dead letters")
async def test_a_dead_letter_crosses_slots(bus: Bus, topics: list[str]) -> None:
    """An event that cannot be handled is acknowledged where it was, lies in errors.dlq, and can be given back."""

    def refuse(_: object) -> None:
        raise FatalError("never")

    for topic in topics[::2]:
        recorder = Recorder(refuse)
        subscription = await bus.subscribe(topic, "g", recorder)
        event_id = await bus.publish(topic, "e", {})

        async def dead_lettered(topic: str = topic) -> list[str]:
            return [letter.letter_id for letter in await bus.dead_letters.list(topic=topic)]

        await until(dead_lettered, "the dead letter")
        stream = names.stream_of(topic)

        async def acknowledged(stream: str = stream) -> bool:
            return (await bus._connection.call("XPENDING", stream, "g"))[0] == 0

        await until(acknowledged, "the acknowledgement")
        await subscription.stop()
        cured = Recorder()
        await bus.subscribe(topic, "g", cured)
        assert await bus.dead_letters.redrive(*await dead_lettered()) == 1
        await cured.wait_for(1)
        assert cured.ids == [event_id]


@pytest.mark.logs("goes to the dead letters")
async def test_an_erasure_reaches_every_node(bus: Bus, topics: list[str]) -> None:
    """Events and dead letters of all of them; one that fails after its erasure leaves no letter."""
    go = asyncio.Event()

    async def refuse(event: object) -> None:
        if event.event_type == "late":  # type: ignore[attr-defined]  # an Event
            await go.wait()
        raise FatalError("never")

    sent: list[str] = []
    for topic in topics:
        await bus.subscribe(topic, "g", refuse)
        sent += [await bus.publish(topic, kind, {}) for kind in ("late", "now", "now")]
    kept = set(sent[2::3])

    async def dead_lettered() -> bool:
        return sum([await bus.dead_letters.count(topic=topic) for topic in topics]) == 2 * len(topics)

    await until(dead_lettered, "the letters of those that fail at once")
    erased = [event_id for event_id in sent if event_id not in kept]
    receipt = await bus.erase(erased, topics=topics)
    assert receipt.missing == ()
    assert [one.aof for one in receipt.files] == ["rewritten"] * 3
    assert sum(one.replicas for one in receipt.files) == 1
    assert len(receipt.found) == 3 * len(topics)
    go.set()
    for topic in topics:
        await until(lambda topic=topic: not bus.counters.group(topic, "g").in_flight, "the late ones")  # type: ignore[misc]  # of this turn
        assert await ids_in(bus, topic) == [
            event_id for event_id in await ids_in(bus, topic) if event_id in kept
        ]
        letters = [letter.event async for letter in bus.dead_letters.select(topic=topic)]
        assert {event.event_id for event in letters if event is not None} <= kept
    assert set((await bus.erase(erased, topics=topics)).missing) == set(erased)


def move(slot: int, cluster: ClusterDeployment, source: Node, target: Node) -> Iterator[str]:
    """Move a slot as redis-cli does (Redis Cluster specification, "Live reconfiguration"), step by step."""
    numbers = {node.port: number for number, node in enumerate(cluster.nodes)}
    source_id, target_id = (cluster.node_id(numbers[node.port]) for node in (source, target))
    assert target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id) == "OK"
    assert source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id) == "OK"
    yield "announced"
    while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
        moved = source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 1000, "KEYS", *keys)
        assert moved in {"OK", "NOKEY"}
    yield "keys moved"
    for node in (target, source):
        assert node.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id) == "OK"
    yield "moved"


async def test_a_slot_moves_under_load(bus: Bus, cluster: ClusterDeployment) -> None:
    """Publishes, the subscription and the tail follow a slot through all steps of its move; nothing is lost."""
    topic = topic_on(5_461, 10_922)
    stream = names.stream_of(topic)
    slot = slot_of(stream)
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    tail = bus.tail([topic])
    await tail.start()
    published = [await bus.publish(topic, "e", {})]
    await recorder.wait_for(1)
    for step in move(slot, cluster, cluster.nodes[1], cluster.nodes[2]):
        published += await asyncio.gather(*(bus.publish(topic, step, {}) for _ in range(20)))
    await until(lambda: set(published) <= set(recorder.ids), "everything handled")
    assert set(published) == {(await anext(tail)).event_id for _ in published}
    assert cluster.nodes[2].ask("XLEN", stream) == len(published)
    assert bus._server._cluster is not None
    await until(lambda: bus._server._cluster.owner(slot).port == cluster.nodes[2].port, "the new map")  # type: ignore[union-attr]  # asserted above


async def test_a_node_dies_and_its_replica_takes_over() -> None:
    """After kill -9 of a node its replica serves its slots; publishes and subscriptions go on by themselves."""
    with running(ClusterDeployment) as cluster:
        topics = [topic_on(0, 5_460), topic_on(5_461, 10_922)]
        async with Bus(BusConfig(url=cluster.url, patience_s=30, retry=QUICK_RETRY)) as bus:
            changes: list[bool] = []
            bus.on_connection(changes.append)
            recorder = Recorder()
            for one in topics:
                await bus.subscribe(one, "g", recorder)
            tail = bus.tail(topics)
            await tail.start()
            before = [await bus.publish(one, "e", {}) for one in topics]
            await recorder.wait_for(2)
            assert cluster.nodes[0].ask("WAIT", 1, 1000) == 1
            cluster.nodes[0].kill()
            waiting = bus.publish(topics[0], "e", {})
            other = await bus.publish(topics[1], "e", {})
            assert not waiting.done()  # a node that is away does not hold up the others
            ids = [*before, await waiting, other]
            await until(lambda: set(ids) <= set(recorder.ids), "everything handled")
            assert {(await anext(tail)).event_id for _ in ids} == set(ids)
            await until(lambda: changes == [False, True], "connected again")
        async with Bus(BusConfig(url=cluster.url)) as bus:  # the first node of the URL is dead
            assert await ids_in(bus, topics[0]) == [before[0], ids[2]]


async def test_a_node_that_was_cut_off_is_left() -> None:
    """A primary that is alive and hears none of the others is replaced: publishes and a tail go to its successor.

    Its own map is the old one; a bus that begins with it finds the successor, too.
    """
    with running(ClusterDeployment) as cluster:
        topic = topic_on(0, 5_460)
        async with Bus(BusConfig(url=cluster.url, patience_s=60)) as bus:
            tail = bus.tail([topic])
            await tail.start()
            before = await bus.publish(topic, "e", {})
            assert cluster.nodes[0].ask("WAIT", 1, 1000) == 1
            assert cluster.nodes[0].ask("DEBUG", "DROP-CLUSTER-PACKET-FILTER", -2) == "OK"
            await until(lambda: "cluster_state:fail" in cluster.nodes[0].ask("CLUSTER", "INFO"), "it knows")
            after = await bus.publish(topic, "e", {})
            assert [(await anext(tail)).event_id for _ in range(2)] == [before, after]
        assert cluster.nodes[3].ask("XLEN", names.stream_of(topic)) == 2
        async with Bus(BusConfig(url=f"redis+cluster://{cluster.nodes[0].address}/", patience_s=60)) as bus:
            assert await ids_in(bus, topic) == [before, after]


async def test_a_cluster_that_is_down_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no node serves a slot a publish fails in its time, and what waits meanwhile is bounded."""
    with running(ClusterDeployment) as cluster:
        topic = topic_on(5_461, 10_922)
        async with Bus(BusConfig(url=cluster.url, patience_s=1.0)) as bus:
            assert cluster.nodes[1].ask("DEBUG", "DROP-CLUSTER-PACKET-FILTER", -2) == "OK"
            await until(lambda: "cluster_state:fail" in cluster.nodes[1].ask("CLUSTER", "INFO"), "it knows")
            with pytest.raises(BusUnavailableError, match="CLUSTERDOWN"):
                await bus.publish(topic, "e", {})
            monkeypatch.setattr(connection, "WAITING_BYTES_MAX", 100_000)
            waiting: list[asyncio.Future[str]] = []

            async def overloaded() -> bool:
                try:
                    waiting.append(bus.publish(topic, "e", {"text": "x" * 30_000}))
                except BusOverloadedError:
                    return True
                await asyncio.sleep(0.01)  # so that it is sent, and refused
                return False

            await until(overloaded, "the bound")
            await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_cluster_with_a_dead_node_is_of_use() -> None:
    """A bus opens though a node is dead: topics elsewhere work, one on that node waits, and closing does not."""
    with running(ClusterDeployment) as cluster:
        cluster.nodes[1].kill()
        here, there = topic_on(0, 5_460), topic_on(5_461, 10_922)
        async with Bus(BusConfig(url=cluster.url, patience_s=30)) as bus:
            assert not bus.connected
            event_id = await bus.publish(here, "e", {})
            assert await ids_in(bus, here) == [event_id]
            returning = bus.publish(there, "e", {})
            cluster.nodes[1].start()
            await returning
            await until(lambda: bus.connected, "the node's return")
            cluster.nodes[1].freeze()
            never = bus.publish(there, "e", {})
        with pytest.raises(BusClosedError):
            await never


async def test_what_a_bus_sends_after_its_end_is_refused(cluster: ClusterDeployment, topic: str) -> None:
    """BusClosedError, as with one server; also for SCAN, which goes to every node."""
    async with Bus(BusConfig(url=cluster.url)) as bus:
        pass
    with pytest.raises(BusClosedError):
        bus.publish(topic, "e", {})
    with pytest.raises(BusClosedError):
        await bus.inspection.topic_names()


async def test_a_scan_of_a_node_that_leaves(bus: Bus, cluster: ClusterDeployment) -> None:
    """Its page is BusUnavailableError: the bus is open and may scan again."""
    shared = bus._connection
    assert isinstance(shared, ClusterConnection)
    page = shared.call("SCAN", 0)
    for node in shared._nodes.values():
        await node.close()
    with pytest.raises(BusUnavailableError, match="left the cluster"):
        await page


async def test_replicas_are_counted_by_node(cluster: ClusterDeployment) -> None:
    """With `replicas` a topic on a node with a replica is confirmed, one on a node without fails."""
    async with Bus(BusConfig(url=cluster.url, replicas=1, patience_s=0.5)) as bus:
        await bus.publish(topic_on(0, 5_460), "e", {})
        with pytest.raises(NotReplicatedError, match="0 of 1"):
            await bus.publish(topic_on(10_923, 16_383), "e", {})


async def test_a_reader_is_unblocked_at_its_node(bus: Bus, topics: list[str]) -> None:
    """CLIENT UNBLOCK goes to the node that serves the reader's stream."""
    for topic in topics:
        stream = names.stream_of(topic)
        channel = bus._server.channel(stream)
        number = await channel.call("CLIENT", "ID")
        reading = asyncio.ensure_future(
            channel.call("XREAD", "BLOCK", 10_000, "STREAMS", stream, "$", block_s=10)
        )

        async def ended(stream: str = stream, number: int = number) -> int:
            return int(await bus._server.unblock(stream, number))

        await until(ended, "the read")
        assert await reading is None
        channel.close()


def test_topics_are_shards(cluster: ClusterDeployment) -> None:
    """In a cluster each topic is read on its own; on one server all are read together."""
    config = BusConfig(url=cluster.url)
    assert len({Bus(config)._server.shard(topic) for topic in ("a.v1", "b.v1")}) == 2
    assert len({Bus(BusConfig(url="redis://one"))._server.shard(topic) for topic in ("a.v1", "b.v1")}) == 1


@settings(max_examples=200, deadline=None, database=None)
@given(key=st.binary(min_size=1, max_size=40) | st.text("{}ab.", min_size=1, max_size=12).map(str.encode))
def test_slots_are_the_server_s(cluster: ClusterDeployment, key: bytes) -> None:
    """For any key the slot is what CLUSTER KEYSLOT says."""
    assert cluster.nodes[0].ask("CLUSTER", "KEYSLOT", key) == slot_of(key)


class LonelyNode:
    """A cluster of one node, which sends every XADD elsewhere."""

    def __init__(self, elsewhere: str) -> None:
        self._elsewhere = elsewhere
        self.maps = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader(encoding="utf-8")
        while data := await reader.read(65_536):
            commands.feed(data)
            while (words := commands.gets()) is not False:
                writer.write(self._reply(words))
        writer.close()

    def _reply(self, words: list[str]) -> bytes:
        if words[:2] == ["CLUSTER", "INFO"]:
            return b"$16\r\ncluster_state:ok\r\n"
        if words[0] == "CLUSTER":
            self.maps += 1
            return b"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n" % self.port
        if words[0] == "XADD":
            slot = slot_of(words[1])
            return f"-MOVED {self._elsewhere.format(slot=slot, port=self.port)}\r\n".encode()
        return b"+OK\r\n"


@pytest.mark.parametrize("elsewhere", ["nonsense", "{slot} nowhere", "99999 127.0.0.1:1"])
async def test_a_redirection_that_cannot_be_read_is_the_answer(elsewhere: str, topic: str) -> None:
    """A MOVED without a slot or a port fails the publish with its own words, and does not leave it waiting."""
    async with (
        LonelyNode(elsewhere) as node,
        Bus(BusConfig(url=f"redis+cluster://127.0.0.1:{node.port}/", drain_s=0)) as bus,
    ):
        with pytest.raises(ServerRefusedError, match="MOVED"):
            await asyncio.wait_for(bus.publish(topic, "e", {}), 30)


async def test_a_node_that_sends_to_itself(topic: str) -> None:
    """Such a publish fails in its time, and the map is not read at every round of it."""
    async with LonelyNode("{slot} 127.0.0.1:{port}") as node:
        url = f"redis+cluster://127.0.0.1:{node.port}/"
        async with Bus(BusConfig(url=url, patience_s=0.8, drain_s=0)) as bus:
            began = time.monotonic()
            with pytest.raises((ServerRefusedError, BusUnavailableError)):
                await bus.publish(topic, "e", {})
            assert node.maps <= 2 + (time.monotonic() - began) / RENEW_S


@pytest.mark.parametrize(
    "said",
    [
        b":1", b"$2\r\nab", b"*1\r\n:1", b"*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1",
        b"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\n\xff\r\n:1", b"*1\r\n*3\r\n:0\r\n:1\r\n*-1",
    ],
)  # fmt: skip
async def test_a_map_that_cannot_be_read_is_said(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no map of slots is BusUnavailableError, with the address."""
    monkeypatch.setattr(
        LonelyNode, "_reply", lambda _, words: said + b"\r\n" if "SLOTS" in words else b"+OK\r\n"
    )
    async with LonelyNode("") as node:
        with pytest.raises(BusUnavailableError, match=f"{node.port}: answers as no cluster does"):
            await Bus(BusConfig(url=f"redis+cluster://127.0.0.1:{node.port}/")).open()


async def test_a_server_that_is_no_cluster_is_said(redis_url: str) -> None:
    """The error names the server and its own words."""
    with pytest.raises(ValueError, match="database 0 alone"):
        Bus(BusConfig(url="redis+cluster://one/3"))
    with pytest.raises(BusUnavailableError, match=r"redis://127\.0\.0\.1:1: "):
        await Bus(BusConfig(url="redis+cluster://127.0.0.1:1/")).open()
