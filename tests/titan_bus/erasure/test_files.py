"""What the receipt says of the server's files, and that it is so."""

from collections.abc import Iterator

import msgspec
import pytest

from tests import servers
from tests.bytes_in_files import holding
from tests.titan_bus.archives import ALWAYS, ids, publish
from tests.titan_bus.conftest import Server
from tests.titan_bus.deployments import SentinelDeployment, running
from titan_bus import Bus, BusConfig, Event
from titan_bus.erasure import compaction, files

from .conftest import SECRETS, STREAM, TOPIC


@pytest.fixture
def options() -> tuple[str, ...]:
    return ()


@pytest.fixture
def server(options: tuple[str, ...]) -> Iterator[Server]:
    with servers.short_folder() as folder:
        server = Server(folder, "--rdbcompression", "no", *options)
        server.start()
        yield server
        server.kill()


async def say(bus: Bus) -> list[str]:
    return [await bus.publish(TOPIC, "said", {"text": text}) for text in SECRETS]


@pytest.mark.parametrize("options", [("--appendonly", "no"), ("--aof-use-rdb-preamble", "no")])
async def test_whatever_the_server_writes_is_clean(
    bus: Bus, server: Server, options: tuple[str, ...]
) -> None:
    """`dump.rdb` where it writes that; and a file of commands in place of a dump."""
    sent = await say(bus)
    if options[0] == "--appendonly":
        await bus._connection.call("SAVE")
        assert holding(SECRETS[1], server.socket.parent)
    receipt = await bus.erase(sent[1])
    assert receipt.complete
    told = ("off", "rewritten") if options[0] == "--appendonly" else ("rewritten", "off")
    assert [(one.aof, one.snapshot) for one in receipt.files] == [told]
    assert holding(SECRETS[1], server.socket.parent) == []


async def test_a_file_that_is_being_written_does_not_count(bus: Bus, server: Server) -> None:
    """It was begun before the erasure, so it has the event: another comes after it."""
    sent = await say(bus)
    raw = bus._connection
    await raw.call("CONFIG", "SET", "rdb-key-save-delay", 200_000)
    await raw.call("BGREWRITEAOF")
    assert (await bus.erase(sent[1], topics=[TOPIC])).complete
    assert b"aof_rewrites:2" in await raw.call("INFO", "persistence")
    assert holding(SECRETS[1], server.socket.parent) == []


async def test_an_answer_that_was_just_read_is_in_no_file(bus: Bus, server: Server) -> None:
    """It is deleted a moment after it is read, and the files are written after that."""
    sent = await say(bus)

    async def handler(_: Event) -> str:
        return SECRETS[1]

    await bus.subscribe("history.requests.v1", "g", handler)
    for _ in range(2):
        assert await bus.request("history.requests.v1", "history", {}, str) == SECRETS[1]
    assert (await bus.erase(sent[1], topics=[TOPIC])).complete
    assert holding(SECRETS[1], server.socket.parent) == []


async def test_what_could_not_be_written_is_told(
    bus: Bus, server: Server, config: BusConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No right to it, no end in time, no room for the copy of a stream: each makes the receipt incomplete."""
    sent = await say(bus)
    for rights, told in (("-bgrewriteaof", ("refused", "off")), ("-info", ("refused", "refused"))):
        await bus._connection.call("ACL", "SETUSER", "weak", "on", ">pw", "~*", "+@all", rights)
        weak = msgspec.structs.replace(config, url=config.url.replace("unix://", "unix://weak:pw@"))
        async with Bus(weak) as other:
            receipt = await other.erase(sent[0])
        assert not receipt.complete
        assert [(one.aof, one.snapshot) for one in receipt.files] == [told]
    await bus._connection.call("CONFIG", "SET", "rdb-key-save-delay", 500_000)
    monkeypatch.setattr(files, "REWRITE_S", 0.2)
    receipt = await bus.erase(sent[0])
    assert [one.aof for one in receipt.files] == ["unfinished"]
    assert not receipt.complete
    monkeypatch.setattr(compaction, "ENTRIES_MAX", 0)
    receipt = await bus.erase(sent[1])
    assert not receipt.complete
    assert STREAM in receipt.uncompacted[0]
    assert await ids(bus.replay(ALWAYS, TOPIC)) == sent[2:]


async def test_a_failover_brings_nothing_back() -> None:
    """The replicas erase, too; that their files are not reached is told."""
    with running(SentinelDeployment) as deployment:
        async with Bus(BusConfig(url=deployment.url)) as bus:
            sent = await publish(bus, TOPIC, 5)
            receipt = await bus.erase(sent[::2])
            (told,) = receipt.files
            assert (told.aof, told.replicas, receipt.complete) == ("rewritten", 2, False)
            await bus._connection.call("WAIT", 2, 5_000)
            deployment.primary().kill()
            assert await ids(bus.replay(ALWAYS, TOPIC)) == sent[1::2]
