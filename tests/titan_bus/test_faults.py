"""A server in trouble: no memory, no disk, a disk that stands still."""

import asyncio
import os
import resource
import signal
from collections.abc import Iterator

import pytest

from tests import servers
from tests.titan_bus.conftest import QUICK_RETRY, Recorder, Server, settled
from titan_bus import Bus, BusConfig, BusForkedError, Event, ServerFullError, WrongTypeError, names
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint

KILOBYTES = {"filler": "x" * 20_000}
MEGABYTE = 1024 * 1024


@pytest.fixture
def lazy_server() -> Iterator[Server]:
    """With `always` a server whose disk is full ends; with `everysec` it goes on and refuses to write."""
    with servers.short_folder() as folder:
        server = Server(folder, "--appendfsync", "everysec")
        server.start()
        yield server
        server.kill()


async def connected(server: Server) -> Connection:
    connection = Connection(Endpoint.parse(server.url), 5.0)
    await connection.open()
    return connection


async def publish_until_refused(bus: Bus, topic: str) -> list[str]:
    """Return the ids that the server took before it took no more."""
    ids = []
    while True:
        try:
            ids.append(await bus.publish(topic, "e", KILOBYTES))
        except ServerFullError:
            return ids


@pytest.mark.logs("a step failed, going on", "is not leased")
async def test_a_full_memory_refuses_publishes_and_loses_nothing(server: Server, topic: str) -> None:
    """At `maxmemory` publishing fails by name; a consumer that starts then handles what is there, failures too."""
    raw = await connected(server)
    await raw.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
    used = int((await raw.call("INFO", "memory")).split(b"used_memory:")[1].split(b"\r")[0])
    await raw.call("CONFIG", "SET", "maxmemory", used + 4 * MEGABYTE)
    failed_once: set[str] = set()

    def fail_first(event: Event) -> None:
        if event.event_id not in failed_once:
            failed_once.add(event.event_id)
            raise ValueError

    async with Bus(BusConfig(url=server.url, retry=QUICK_RETRY)) as bus:
        await (await bus.subscribe(topic, "g", Recorder())).stop()
        ids = await publish_until_refused(bus, topic)
        await raw.call(
            "CONFIG", "SET", "maxmemory", MEGABYTE
        )  # what a closed connection gave back is no room
        recorder = Recorder(fail_first)
        await bus.subscribe(topic, "g", recorder)
        await recorder.wait_for(len(ids))
        await raw.call("CONFIG", "SET", "maxmemory", 0)
        await recorder.wait_for(2 * len(ids))
        assert set(recorder.ids) == set(ids)
        await bus.publish(topic, "e", {})
        await recorder.wait_for(2 * len(ids) + 1)
        await settled(raw, names.stream_of(topic), "g")
    await raw.close()


async def test_a_full_disk_refuses_publishes_and_loses_nothing(lazy_server: Server, topic: str) -> None:
    """When the append-only file cannot grow publishing fails by name; with room again it goes on."""
    recorder = Recorder()
    config = BusConfig(url=lazy_server.url)
    async with Bus(config) as bus:
        resource.prlimit(lazy_server.pid, resource.RLIMIT_FSIZE, (2 * MEGABYTE, resource.RLIM_INFINITY))
        ids = await publish_until_refused(bus, topic)
        resource.prlimit(lazy_server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        async with asyncio.timeout(30):
            while True:  # it tries its file once a second
                try:
                    ids.append(await bus.publish(topic, "e", {}))
                    break
                except ServerFullError:
                    await asyncio.sleep(0.05)
    lazy_server.kill()
    lazy_server.start()
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", recorder)
        await recorder.wait_for(len(ids))
    assert set(ids) <= set(recorder.ids)


async def test_a_disk_that_stands_still_delays_and_loses_nothing(server: Server, topic: str) -> None:
    """A server that hangs in its disk for moments is waited for: each publish is there once it has answered."""
    recorder = Recorder()

    async def hang() -> None:
        for _ in range(5):
            os.kill(server.pid, signal.SIGSTOP)
            await asyncio.sleep(0.1)
            os.kill(server.pid, signal.SIGCONT)
            await asyncio.sleep(0.05)

    async with Bus(BusConfig(url=server.url)) as bus:
        await bus.subscribe(topic, "g", recorder)
        hanging = asyncio.create_task(hang())
        ids = []
        while not hanging.done():
            ids += await asyncio.gather(*(bus.publish(topic, "e", {}) for _ in range(50)))
        await hanging
        await recorder.wait_for(len(ids))
    assert sorted(recorder.ids) == sorted(ids)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
async def test_a_forked_child_is_told_to_open_its_own(bus: Bus, topic: str) -> None:
    """Its parent's socket is not its own: what it asks of the bus is BusForkedError, and the parent goes on."""
    child = os.fork()
    if child == 0:
        try:
            bus.publish(topic, "e", {})
        except BusForkedError:
            os._exit(7)
        finally:
            os._exit(1)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    await bus.publish(topic, "e", {})


async def test_a_key_of_another_type_is_named(bus: Bus, raw: Connection, topic: str) -> None:
    """The server says only that there is one: the error says which key, and what to do, for a script, too."""
    await raw.call("SET", names.stream_of(topic), "text")
    with pytest.raises(WrongTypeError, match=f"topics:{{{topic}}} is of another program") as raised:
        await bus.publish(topic, "e", {})
    assert raised.value.keys == (names.stream_of(topic),)
    with pytest.raises(WrongTypeError, match="retry:") as raised:
        await raw.call(
            "XREADGROUP", "GROUP", "g", "c", "STREAMS", names.stream_of(topic), "retry:{t}:g", ">", ">"
        )
    assert raised.value.keys == (names.stream_of(topic), "retry:{t}:g")
    with pytest.raises(WrongTypeError) as raised:
        await raw.call("EVAL", "return redis.call('XLEN', KEYS[1])", 1, names.stream_of(topic), "argument")
    assert raised.value.keys == (names.stream_of(topic),)
    await raw.call("DEL", names.stream_of(topic))
