"""`replicas`: a publish counts when replicas have it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests import servers
from tests.titan_bus.conftest import until
from tests.titan_bus.deployments import Node, data_node, eventually, free_ports
from titan_bus import (
    Bus,
    BusClosedError,
    BusConfig,
    BusOverloadedError,
    NotReplicatedError,
    ServerRefusedError,
    names,
)
from titan_bus.connections import connection
from titan_bus.connections.connection import Connection
from titan_bus.connections.keys import Word
from titan_bus.connections.replicated import ReplicatedConnection


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Node, Node]]:
    """A primary and its replica."""
    with servers.short_folder() as folder:
        primary_port, replica_port = free_ports(2)
        primary = data_node(folder, primary_port)
        replica = data_node(folder, replica_port, "--replicaof", f"127.0.0.1 {primary_port}")
        try:
            primary.start()
            replica.start()
            eventually(lambda: primary.ask("WAIT", 1, 100) == 1, "the replica")
            yield primary, replica
        finally:
            for node in (replica, primary):
                node.thaw()
                node.kill()


@pytest.fixture
def primary(pair: tuple[Node, Node]) -> Node:
    return pair[0]


@pytest.fixture
def replica(pair: tuple[Node, Node]) -> Iterator[Node]:
    yield pair[1]
    pair[1].thaw()
    eventually(lambda: pair[0].ask("WAIT", 1, 100) == 1, "the replica")


@pytest.fixture
async def bus(primary: Node) -> AsyncIterator[Bus]:
    async with Bus(BusConfig(url=f"redis://{primary.address}", replicas=1)) as bus:
        yield bus


async def has(node: Node, topic: str, count: int) -> None:
    await until(lambda: node.ask("XLEN", names.stream_of(topic)) == count, f"{count} events")


async def test_a_bus_opens_again(bus: Bus, replica: Node, topic: str) -> None:
    """Its publishes are confirmed as before."""
    for opening in range(1, 4):
        await bus.publish(topic, "e", {})
        await has(replica, topic, opening)
        await bus.close()
        await bus.open()


async def test_a_publish_waits_for_the_replica(bus: Bus, primary: Node, replica: Node, topic: str) -> None:
    """While the replica stands still the primary has the event and the publish is not done; then it is."""
    replica.freeze()
    publish = bus.publish(topic, "e", {})
    await has(primary, topic, 1)
    assert not publish.done()
    replica.thaw()
    event_id = await publish
    assert event_id in str(replica.ask("XRANGE", names.stream_of(topic), "-", "+"))


async def test_too_few_replicas_are_said(primary: Node, replica: Node, topic: str) -> None:
    """After `patience_s` the publish fails with how many have it; the event is there, under its id."""
    async with Bus(BusConfig(url=f"redis://{primary.address}", replicas=2, patience_s=2.0)) as bus:
        with pytest.raises(NotReplicatedError, match="1 of 2") as raised:
            await bus.publish(topic, "e", {})
        [event] = [event async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
    assert (raised.value.event_id, raised.value.replicas, raised.value.wanted) == (event.event_id, 1, 2)


async def test_a_replica_that_fell_silent_still_counts(primary: Node, replica: Node, topic: str) -> None:
    """A replica that has said it has an event counts for that one, and not for what was published since."""
    async with Bus(BusConfig(url=f"redis://{primary.address}", replicas=2, patience_s=2.0)) as bus:
        publishing = bus._server.publishing
        assert isinstance(publishing, ReplicatedConnection)
        first = bus.publish(topic, "e", {})
        await until(lambda: any(batch.replicas == 1 for batch in publishing._batches), "the replica's word")
        replica.freeze()
        second = bus.publish(topic, "e", {})
        with pytest.raises(NotReplicatedError, match="1 of 2"):
            await first
        with pytest.raises(NotReplicatedError, match="0 of 2"):
            await second


async def test_one_wait_serves_many(bus: Bus, primary: Node, topic: str) -> None:
    """1,000 publishes of one turn are confirmed by a few WAITs, and other commands do not queue behind these."""
    primary.ask("CONFIG", "RESETSTAT")
    await asyncio.gather(*(bus.publish(topic, "e", {}) for _ in range(1_000)))
    stats = primary.ask("INFO", "commandstats")
    [waits] = [line for line in stats.splitlines() if line.startswith("cmdstat_wait:")]
    assert int(waits.partition("calls=")[2].partition(",")[0]) < 50


async def test_a_lost_connection_is_no_confirmation(
    bus: Bus, primary: Node, replica: Node, topic: str
) -> None:
    """A new connection's WAIT knows nothing of the old one's writes: the event is written again, under its id."""
    replica.freeze()
    publish = bus.publish(topic, "e", {})
    await has(primary, topic, 1)
    primary.ask("CLIENT", "KILL", "TYPE", "normal")
    await has(primary, topic, 2)
    assert not publish.done()
    replica.thaw()
    event_id = await publish
    events = [event async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
    assert [event.event_id for event in events] == [event_id] * 2


async def test_a_user_that_may_not_wait_is_told(primary: Node, topic: str) -> None:
    """A refused WAIT is the publish's answer, and does not write the event again and again."""
    primary.ask("ACL", "SETUSER", "hasty", "on", ">secret", "~*", "+@all", "-wait")
    async with Bus(BusConfig(url=f"redis://hasty:secret@{primary.address}", replicas=1)) as bus:
        with pytest.raises(ServerRefusedError, match="NOPERM"):
            await bus.publish(topic, "e", {})
    assert primary.ask("XLEN", names.stream_of(topic)) == 1


async def test_a_primary_that_is_demoted_before_the_wait(
    primary: Node, replica: Node, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """A write that a primary took just before it became a replica is written again when there is a primary."""
    demoted = False
    call = Connection.call

    def between(self: Connection, *words: Word, **options: Any) -> asyncio.Future[Any]:
        nonlocal demoted
        if words[0] == "WAIT" and not demoted:
            demoted = True
            assert primary.ask("REPLICAOF", replica.address.split(":")[0], replica.port) == "OK"
        return call(self, *words, **options)

    async with Bus(BusConfig(url=f"redis://{primary.address}", replicas=1, patience_s=60)) as bus:
        lost: list[bool] = []
        bus._server.publishing.on_change(lost.append)
        monkeypatch.setattr(Connection, "call", between)
        publish = bus.publish(topic, "e", {})
        await until(lambda: lost, "the demotion is noticed")
        assert not publish.done()
        assert primary.ask("REPLICAOF", "NO", "ONE") == "OK"
        event_id = await publish
    assert event_id in str(replica.ask("XRANGE", names.stream_of(topic), "-", "+"))


async def test_closing_does_not_wait_for_replicas(primary: Node, replica: Node, topic: str) -> None:
    """A publish that nobody confirmed fails with BusClosedError when the bus closes, within its bound."""
    replica.freeze()
    async with Bus(BusConfig(url=f"redis://{primary.address}", replicas=1, patience_s=60)) as bus:
        publish = bus.publish(topic, "e", {})
        await has(primary, topic, 1)
    with pytest.raises(BusClosedError):
        await publish


async def test_confirming_survives_an_overload(
    bus: Bus, primary: Node, replica: Node, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """A WAIT for which there was no room is asked later: the publish that it was to confirm succeeds."""
    refused: list[object] = []
    call = Connection.call

    def watched(self: Connection, *words: Word, **options: Any) -> asyncio.Future[Any]:
        try:
            return call(self, *words, **options)
        except BusOverloadedError:
            refused.append(words[0])
            raise

    monkeypatch.setattr(Connection, "call", watched)
    replica.freeze()
    publish = bus.publish(topic, "e", {})
    await has(primary, topic, 1)
    with monkeypatch.context() as full:
        full.setattr(connection, "WAITING_BYTES_MAX", -1)
        await until(lambda: refused, "no room")
    assert refused[0] == "WAIT"
    replica.thaw()
    assert await publish


async def test_too_much_unconfirmed_is_refused(
    bus: Bus, replica: Node, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """What waits for replicas is bounded in bytes, as is what waits for the server."""
    monkeypatch.setattr(connection, "WAITING_BYTES_MAX", 100_000)
    replica.freeze()
    waiting = [bus.publish(topic, "e", {"text": "x" * 30_000}) for _ in range(4)]
    with pytest.raises(BusOverloadedError):
        bus.publish(topic, "e", {})
    replica.thaw()
    assert len(await asyncio.gather(*waiting)) == 4


async def test_many_unconfirmed_are_told_in_several_turns(
    primary: Node, replica: Node, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """The loop has turns of its own while thousands of writes fail for want of replicas."""
    monkeypatch.setattr(connection, "EXPIRED_AT_ONCE", 10)
    replica.freeze()
    async with Bus(BusConfig(url=f"redis://{primary.address}", replicas=1, patience_s=1.0)) as bus:
        futures = [bus.publish(topic, "e", {}) for _ in range(1_000)]
        await has(primary, topic, 1_000)
        told: set[int] = set()
        while (done := sum(future.done() for future in futures)) < len(futures):
            told.add(done)
            await asyncio.sleep(0)
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
    assert len(told) >= 50
    assert {type(outcome) for outcome in outcomes} == {NotReplicatedError}
