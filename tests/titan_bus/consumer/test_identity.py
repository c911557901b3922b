"""The names of consumers: unique, stable, and refused where another has them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, Server, until
from titan_bus import (
    Bus,
    BusConfig,
    ConsumerNameTakenError,
    Event,
    Handlers,
    acl,
    connect,
    disconnect,
    names,
    process_mark,
    publish,
)
from titan_bus.connections.connection import Connection
from titan_bus.consumer import identity
from titan_bus.process_mark import Mark

CHILD = """
import asyncio, sys
from titan_bus import Bus, BusConfig, Event

async def handle(event: Event) -> None:
    print(event.event_id, flush=True)
    await asyncio.sleep(float(event.payload.get("takes_s", 0)))

async def main() -> None:
    async with Bus(BusConfig(url=sys.argv[1], source="shop@v1", consumer=sys.argv[3])) as bus:
        subscription = await bus.subscribe(sys.argv[2], "g", handle)
        print(subscription.consumer, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
Child = Callable[..., asyncio.subprocess.Process]


async def child(url: str, topic: str, consumer: str = "") -> tuple[asyncio.subprocess.Process, str]:
    """Start a program that consumes `topic`; returns it and its consumer's name."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, url, topic, consumer, stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert process.stdout is not None
    return process, (await process.stdout.readline()).decode().strip()


async def killed(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


def named(config: BusConfig, consumer: str) -> BusConfig:
    return msgspec.structs.replace(config, consumer=consumer)


def key(config: BusConfig, topic: str, consumer: str = "") -> str:
    return names.worker_of(consumer or config.consumer_name(), "g", topic)


async def test_several_processes_of_a_program_handle_each_event_once(
    redis_url: str, bus: Bus, raw: Connection, topic: str
) -> None:
    """Each has a name of its own, and one that starts again handles nothing that another has in hand."""
    children = await asyncio.gather(*(child(redis_url, topic) for _ in range(2)))
    assert len({name for _, name in children}) == 2
    ids = [await bus.publish(topic, "e", {"takes_s": 60}) for _ in range(12)]
    lines: list[str] = []
    readers = [asyncio.create_task(_collect(process, lines)) for process, _ in children]
    await until(lambda: len(lines) == 12, "every event is in hand")
    (first, name), *others = children
    await killed(first)
    in_hand = len(lines)
    again, same = await child(redis_url, topic)
    assert same == name
    readers.append(asyncio.create_task(_collect(again, lines)))
    rows = await raw.call("XPENDING", names.stream_of(topic), "g", "-", "+", 100, name)
    await until(lambda: len(lines) == in_hand + len(rows), "those of the killed one come again, at once")
    assert sorted(set(lines)) == sorted(ids)
    for process, _ in [*others, (again, same)]:
        await killed(process)
    await asyncio.gather(*readers)
    assert len(lines) == in_hand + len(rows)


async def _collect(process: asyncio.subprocess.Process, lines: list[str]) -> None:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        lines.append(line.decode().strip())


async def test_two_buses_of_a_program_have_two_names(config: BusConfig, raw: Connection, topic: str) -> None:
    """Lower ones are taken first, a bus has one name in all its groups if it can, and a stopped one is free."""
    base = config.consumer_name()
    async with Bus(config) as first, Bus(config) as second:
        one = await first.subscribe(topic, "g", Recorder())
        two = await second.subscribe(topic, "g", Recorder())
        other = await second.subscribe(topic, "other", Recorder())
        assert (one.consumer, two.consumer, other.consumer) == (base, f"{base}/2", f"{base}/2")
        await one.stop()
        async with Bus(config) as third:
            assert (await third.subscribe(topic, "g", Recorder())).consumer == base
    assert await raw.call("KEYS", f"worker:{{{topic}}}*") == []


async def test_a_name_that_another_has_is_refused(
    config: BusConfig, redis_url: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name, with who has it, though the program waits for one that is about to end."""
    monkeypatch.setattr(identity, "TTL_S", 0.1)
    monkeypatch.setattr(identity, "MARGIN_S", 0.0)
    quick = msgspec.structs.replace(named(config, "w"), drain_s=0.0)
    process, _ = await child(redis_url, topic, "w")
    async with Bus(quick) as bus:
        with pytest.raises(
            ConsumerNameTakenError, match=f"is named w, in process {process.pid} on "
        ) as raised:
            await bus.subscribe(topic, "g", Recorder())
        assert (raised.value.consumer, raised.value.topic, raised.value.group) == ("w", topic, "g")
        assert (await bus.subscribe(topic, "another", Recorder())).consumer == "w"
        await killed(process)
        assert (await bus.subscribe(topic, "g", Recorder())).consumer == "w"


async def test_a_name_is_refused_at_once_within_a_program(config: BusConfig, topic: str) -> None:
    """It would wait for itself."""
    async with Bus(named(config, "w")) as first, Bus(named(config, "w")) as second:
        await first.subscribe(topic, "g", Recorder())
        with pytest.raises(ConsumerNameTakenError, match=f"process {os.getpid()} "):
            await second.subscribe(topic, "g", Recorder())


async def test_a_program_waits_for_the_end_of_its_predecessor(
    config: BusConfig, redis_url: str, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Which drains, or whose machine died: it says for whom it waits."""
    caplog.set_level("INFO")
    process, _ = await child(redis_url, topic, "w")
    async with Bus(named(config, "w")) as bus:
        subscribing = asyncio.create_task(bus.subscribe(topic, "g", Recorder()))
        await until(lambda: f"still taken by process {process.pid}" in caplog.text, "it waits")
        await killed(process)
        assert (await subscribing).consumer == "w"


async def test_a_bus_that_could_not_release_its_name_is_seen_to_be_closed(
    config: BusConfig, server: Server, topic: str
) -> None:
    """The next one of the same program gets the name, and with it what was in flight."""
    config = msgspec.structs.replace(config, url=server.url, drain_s=0.0)
    recorder = Recorder(lambda _: asyncio.Event().wait())
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "e", {})
        await recorder.wait_for(1)
        server.kill()
    server.start()
    recorder = Recorder()
    async with Bus(config) as bus:
        assert (await bus.subscribe(topic, "g", recorder)).consumer == config.consumer_name()
        await recorder.wait_for(1)


async def test_the_lease_of_another_machine_runs_out(
    config: BusConfig, raw: Connection, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody here can see whether a process there lives."""
    monkeypatch.setattr(identity, "POLL_S", 0.01)
    there = f"elsewhere|machine|{2**22 + 1}|random"
    await raw.call("SET", key(config, topic, "w"), there, "PX", 100)
    await raw.call("SET", key(config, topic), there, "PX", 60_000)
    async with Bus(named(config, "w")) as bus:
        assert (await bus.subscribe(topic, "g", Recorder())).consumer == "w"
    async with Bus(config) as bus:
        assert (await bus.subscribe(topic, "g", Recorder())).consumer == f"{config.consumer_name()}/2"


async def test_a_name_is_kept_as_long_as_its_bus_is_open(
    config: BusConfig, raw: Connection, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than a lease, also when the server lost it meanwhile."""
    monkeypatch.setattr(identity, "NUMBERED_TTL_S", 0.2)
    mark = key(config, topic)
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", Recorder())
        await raw.call("DEL", mark)
        await until(lambda: raw.call("EXISTS", mark), "the name is leased again")
        await asyncio.sleep(0.3)  # a lease and more
        assert await raw.call("EXISTS", mark) == 1
    assert await raw.call("EXISTS", mark) == 0


@pytest.mark.logs("took our name")
async def test_who_lost_its_name_says_so_once(
    config: BusConfig,
    raw: Connection,
    topic: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that stood still until another took its name takes nothing from that one."""
    monkeypatch.setattr(identity, "NUMBERED_TTL_S", 0.05)
    mark = key(config, topic)
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", Recorder())
        await raw.call("SET", mark, "another", "PX", 60_000)
        await until(lambda: "took our name" in caplog.text, "the loss is told")
        await asyncio.sleep(0.1)
    assert caplog.text.count("took our name") == 1
    assert await raw.call("GETDEL", mark) == b"another"


@pytest.mark.parametrize("may", [True, False])
async def test_the_printed_rights_are_enough(
    raw: Connection, redis_url: str, topic: str, caplog: pytest.LogCaptureFixture, *, may: bool
) -> None:
    """A user with a consumer's rights leases its name; one that may not has a name that nobody else has."""
    [line] = acl.rules(topic, "secret", subscribes=[(topic, "g")])
    granted = line if may else line.replace(names.worker_of("", "g", topic), "nothing")
    await raw.call(*granted.split())
    scheme, _, rest = redis_url.partition("://")
    config = BusConfig(url=f"{scheme}://{topic}:secret@{rest.rpartition('@')[2]}")
    async with Bus(config) as bus:
        subscription = await bus.subscribe(topic, "g", Recorder())
        assert (subscription.consumer == config.consumer_name()) == may
        assert await raw.call("EXISTS", key(config, topic)) == may
    assert ("is not leased" in caplog.text) == (not may)
    await raw.call("ACL", "DELUSER", topic)


async def test_the_default_bus_may_be_replaced_under_its_name(config: BusConfig, topic: str) -> None:
    """`connect` closes the former one first where that has the name that the new one wants."""
    handlers, came = Handlers(), asyncio.Event()

    @handlers.on(topic, "g")
    async def handle(_: Event) -> None:
        came.set()

    await connect(named(config, "w"), handlers)
    await connect(named(config, "w"), handlers)
    await publish(topic, "e", {})
    await came.wait()
    await disconnect()


async def test_a_mark_tells_whether_its_process_lives() -> None:
    """And is no mark when it is of another making."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:  # noqa: ASYNC220 -- nobody waits for it yet
        ours = process_mark.read(process_mark.make())
        assert ours is not None
        assert (ours.is_ours, ours.is_dead) == (True, False)
        if sys.platform == "linux":  # elsewhere it counts as living until somebody waits for it
            await until(lambda: ours._replace(process=ended.pid).is_dead, "its end is seen")
    assert ours._replace(process=ended.pid).is_dead
    assert not ours._replace(process=1).is_dead  # of another user, mostly
    assert not Mark("host", "another machine", ended.pid).is_dead
    again = process_mark.make()
    assert not process_mark.read(again).is_dead  # type: ignore[union-attr]
    process_mark.forget(again)
    assert process_mark.read(again).is_dead  # type: ignore[union-attr]
    assert process_mark.read("0123456789abcdef") is None
    assert process_mark.read("a|b|c|d") is None
