"""Buses that share a server: each has its prefix before every key, and sees nothing of the others."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.titan_bus.conftest import QUICK_RETRY, Recorder, Server, settled, until
from titan_bus import (
    ArchiveConfig,
    ArchiveForeignError,
    Bus,
    BusConfig,
    ConfigValueError,
    FatalError,
    ServerRefusedError,
    names,
)
from titan_bus.acl import rules
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint

TOPIC = "orders.v1"


@pytest.fixture
def shop(server: Server, tmp_path: Path) -> BusConfig:
    archive = ArchiveConfig(target=str(tmp_path / "archive"), every_s=3_600.0)
    return BusConfig(url=server.url, prefix="shop:", retry=QUICK_RETRY, archive=archive)


@pytest.fixture
def bank(shop: BusConfig) -> BusConfig:
    return msgspec.structs.replace(shop, prefix="bank:", archive=None)


async def raw_of(url: str) -> Connection:
    connection = Connection(Endpoint.parse(url), 5.0)
    await connection.open()
    return connection


def answer(event: object) -> object:
    """Fail at first, refuse what is fatal, answer what is asked."""
    kind, meta = event.event_type, event.meta  # type: ignore[attr-defined]  # an Event
    if kind == "fatal":
        raise FatalError("never")
    if kind == "later" and meta.retries < 2:
        raise ValueError("not yet")
    return asyncio.sleep(0, {"pong": True})


async def use(bus: Bus) -> list[str]:
    """Use whatever has keys: streams, groups, retries, dead letters, replies, marks of `once`, the archive."""
    recorder = Recorder(answer)
    subscription = await bus.subscribe(TOPIC, "g", recorder)
    tail = bus.tail([TOPIC, "others.v1"])
    await tail.start()
    ids = [await bus.publish(TOPIC, kind, {}) for kind in ("now", "later", "fatal")]
    assert await bus.request(TOPIC, "ask", {}, dict) == {"pong": True}
    assert [(await anext(tail)).event_id for _ in ids] == ids
    await tail.close()
    async with bus.once("mailing").guard(ids[0]) as first:
        assert first

    async def letters() -> int:
        return await bus.dead_letters.count()

    await until(letters, "the dead letter")
    await recorder.wait_for(6)
    await settled(bus._connection, names.stream_of(TOPIC), "g")
    await subscription.stop()
    return ids


@pytest.mark.logs("goes to the dead letters")
async def test_every_key_has_the_prefix(shop: BusConfig, bank: BusConfig, server: Server) -> None:
    """Whatever a bus does; one with another prefix, or without, has none of its topics, groups or letters."""
    async with Bus(shop) as bus:
        await use(bus)
        await bus.archive_now()
        raw = await raw_of(server.url)
        keys = [key.decode() for key in await raw.call("KEYS", "*")]
        assert {key.partition(":")[0] for key in keys} == {"shop"}
        assert {key.split(":")[1] for key in keys} >= {
            "topics",
            "retry",
            "errors.dlq",
            "once",
            "titan_bus.archive",
        }
        plain = msgspec.structs.replace(bank, prefix="")
        for config in (bank, plain):
            async with Bus(config) as other:
                assert await other.inspection.topics() == []
                assert await other.inspection.groups(TOPIC) == []
                assert await other.dead_letters.count() == 0
        [state] = [one for one in await bus.inspection.groups(TOPIC) if one.group == "g"]
        assert (state.pending, state.lag) == (0, 0)
        await raw.close()


@pytest.mark.logs("goes to the dead letters")
async def test_archive_restore_and_erasure_keep_to_it(
    shop: BusConfig, bank: BusConfig, server: Server
) -> None:
    """What was lost comes back beneath the prefix, what is erased is gone there, and the neighbour's stays."""
    async with Bus(bank) as neighbour:
        theirs = await neighbour.publish(TOPIC, "now", {})
        async with Bus(shop) as bus:
            ids = await use(bus)
            await bus.archive_now()
            raw = await raw_of(server.url)
            await raw.call("DEL", *(key for key in await raw.call("KEYS", "shop:*")))
            await bus.restore()
            assert [event.event_id async for event in bus.replay("2020-01-01T00:00:00Z", TOPIC)][:3] == ids
            receipt = await bus.erase(ids)
            assert receipt.found
            left = [event.event_id async for event in bus.replay("2020-01-01T00:00:00Z", TOPIC)]
            assert not set(ids) & set(left)
            await bus.remove(TOPIC)
            assert await raw.call("KEYS", "shop:topics:*") == []
            await raw.close()
        assert [event.event_id async for event in neighbour.replay("2020-01-01T00:00:00Z", TOPIC)] == [theirs]


async def test_two_prefixes_do_not_share_an_archive(shop: BusConfig) -> None:
    """Their topics have the same names there, and each would hide the other's events."""
    for prefix, others in (("shop:", "bank:"), ("", "shop:")):
        target = f"{shop.archive.target}-{prefix.strip(':')}"  # type: ignore[union-attr]  # it has one
        first = msgspec.structs.replace(shop, prefix=prefix, archive=ArchiveConfig(target=target))
        async with Bus(first) as bus:
            await bus.publish(TOPIC, "e", {})
            assert (await bus.archive_now()).entries == 1
        async with Bus(msgspec.structs.replace(first, prefix=others)) as bus:
            await bus.publish(TOPIC, "e", {})
            with pytest.raises(ArchiveForeignError, match="give each bus a target") as raised:
                await bus.archive_now()
            assert raised.value.prefix == prefix
            with pytest.raises(ArchiveForeignError):
                await bus.restore(newer_only=True)
        (Path(target) / raised.value.key).unlink()  # as the error says
        async with Bus(msgspec.structs.replace(first, prefix=f"new-{prefix}")) as bus:
            assert [one.entries for one in await bus.restore()] == [1]
        async with Bus(first) as bus:
            with pytest.raises(ArchiveForeignError, match="'new-"):
                await bus.archive_now()


async def test_rights_are_beneath_the_prefix(shop: BusConfig, server: Server) -> None:
    """A user of the printed line works with the prefix, and may not even publish without it."""
    raw = await raw_of(server.url)
    [line] = rules(
        "app", "pw", publishes=[TOPIC], subscribes=[(TOPIC, "g")], requests=[TOPIC], prefix="shop:"
    )
    await raw.call(*line.split())
    url = server.url.replace("unix://", "unix://app:pw@")
    async with Bus(msgspec.structs.replace(shop, url=url, archive=None)) as bus:
        recorder = Recorder(answer)
        await bus.subscribe(TOPIC, "g", recorder)
        assert await bus.request(TOPIC, "ask", {}, dict) == {"pong": True}
        await bus.publish(TOPIC, "later", {})
        await recorder.wait_for(4)
    async with Bus(BusConfig(url=url)) as bus:
        with pytest.raises(ServerRefusedError, match="NOPERM"):
            await bus.publish(TOPIC, "e", {})
    await raw.close()


@pytest.mark.parametrize("prefix", ["a b", "{a}", "a*", "a?", "[a]", "a\n", "a(", "\udcff"])
def test_a_prefix_that_would_mean_something_else_is_refused(prefix: str) -> None:
    """Braces move keys to other slots; patterns and spaces would change rights and searches."""
    with pytest.raises(ConfigValueError, match="prefix"):
        BusConfig(url="redis://localhost", prefix=prefix)
