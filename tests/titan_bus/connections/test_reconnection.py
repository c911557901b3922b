"""A server that goes away and comes back."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from typing import Self

import pytest

from tests.titan_bus.conftest import QUICK_RETRY, Recorder, Server, settled, until
from titan_bus import (
    Bus,
    BusClosedError,
    BusConfig,
    BusOverloadedError,
    BusThreadError,
    BusUnavailableError,
    ReadConfig,
    ServerRefusedError,
    names,
)
from titan_bus import bus as bus_module
from titan_bus.connections import channel, connection
from titan_bus.connections.endpoint import Endpoint
from titan_bus.connections.wire import Command, Wire


@pytest.fixture
async def bus(server: Server) -> AsyncIterator[Bus]:
    async with Bus(BusConfig(url=server.url, retry=QUICK_RETRY, drain_s=0.5)) as bus:
        yield bus


async def test_everything_resumes_by_itself(bus: Bus, server: Server, topic: str) -> None:
    """After kill -9 of the server and its return, subscription, tail and request go on by themselves."""
    changes: list[bool] = []
    bus.on_connection(changes.append)
    recorder = Recorder(lambda _: asyncio.sleep(0, {"pong": True}))
    await bus.subscribe(topic, "g", recorder)
    tail = bus.tail([topic])
    await tail.start()
    before = await bus.publish(topic, "e", {})
    assert (await anext(tail)).event_id == before
    assert await bus.request(topic, "ping", {}, dict) == {"pong": True}
    await anext(tail)
    server.kill()
    await until(lambda: not bus.connected, "the loss")
    server.start()
    assert await bus.request(topic, "ping", {}, dict) == {"pong": True}
    during = await bus.publish(topic, "e", {})
    await recorder.wait_for(4)
    await anext(tail)
    assert (await anext(tail)).event_id == during
    assert changes == [False, True]


async def test_a_publish_waits_for_the_server(bus: Bus, server: Server, topic: str) -> None:
    """What is published while the server is away arrives under its id when it is back."""
    server.kill()
    futures = [bus.publish(topic, "e", {"n": n}) for n in range(100)]
    await until(lambda: not bus.connected, "the loss")
    assert not any(future.done() for future in futures)
    server.start()
    ids = await asyncio.gather(*futures)
    events = [event async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
    assert list(dict.fromkeys(event.event_id for event in events)) == ids


async def test_a_publish_does_not_wait_for_ever(server: Server, topic: str) -> None:
    """Without a server a publish fails with BusUnavailableError after `patience_s`."""
    async with Bus(BusConfig(url=server.url, patience_s=0.3)) as bus:
        server.kill()
        began = time.monotonic()
        with pytest.raises(BusUnavailableError):
            await bus.publish(topic, "e", {})
        assert 0.25 < time.monotonic() - began < 10


async def test_closing_is_bounded_without_a_server(
    server: Server, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """A bus closes in time though the server is gone, a handler hangs and publishes wait."""
    monkeypatch.setattr(bus_module, "FLUSH_S", 0.3)
    async with Bus(BusConfig(url=server.url, drain_s=0.2)) as bus:
        recorder = Recorder(lambda _: asyncio.Event().wait())
        await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "e", {})
        await recorder.wait_for(1)
        server.kill()
        waiting = bus.publish(topic, "e", {})
        began = time.monotonic()
    assert time.monotonic() - began < 10  # the handler would hang for ever
    assert isinstance(waiting.exception(), Exception)


async def test_outcomes_wait_for_the_server(bus: Bus, server: Server, topic: str) -> None:
    """An event handled while the server was away is acknowledged when it is back, not handled twice."""
    gate = asyncio.Event()
    recorder = Recorder(lambda _: gate.wait())
    await bus.subscribe(topic, "g", recorder)
    await bus.publish(topic, "e", {})
    await recorder.wait_for(1)
    server.kill()
    await until(lambda: not bus.connected, "the loss")
    gate.set()
    await asyncio.sleep(0.05)
    server.start()
    second = await bus.publish(topic, "e", {})
    await recorder.wait_for(2)
    await settled(bus._connection, names.stream_of(topic), "g")
    assert recorder.ids[1] == second
    assert len(recorder.ids) == 2


async def test_a_listener_that_raises_is_survived(
    bus: Bus, server: Server, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A faulty connection listener is logged, and another one may be taken away."""
    quiet: list[bool] = []
    remove = bus.on_connection(quiet.append)
    remove()
    bus.on_connection(lambda _: 1 / 0)  # type: ignore[func-returns-value,arg-type]
    server.kill()
    await until(lambda: not bus.connected, "the loss")
    server.start()
    await bus.publish(topic, "e", {})
    assert "listener raised" in caplog.text
    assert quiet == []


class SilentServer:
    """A server that greets and then says nothing more, as behind a network that stalls."""

    def __init__(self) -> None:
        self.connections = 0
        self._server: asyncio.Server
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while data := await reader.read(65_536):
            if b"PING" in data:
                writer.write(b"+PONG\r\n")
            elif b"SETNAME" in data:
                writer.write(b"+OK\r\n")
        writer.close()


class Faulty:
    """Dials a server; each of `faults` is what becomes of one attempt to dial it again."""

    def __init__(self, url: str, *faults: str) -> None:
        self.address = url
        self.wires: list[Wire] = []
        self._faults = list(faults)

    async def open(self) -> Wire:
        fault = self._faults.pop(0) if self.wires and self._faults else ""
        if fault == "raises":
            raise KeyError("ip")
        wire = await Endpoint.parse(self.address).open()
        self.wires.append(wire)
        if fault == "lost":
            wire.close()
            await until(lambda: wire.lost, "its end")
        return wire


async def test_a_dialer_with_a_fault_is_asked_again(
    redis_url: str, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody foresaw does not end the reconnection; it stands in the log."""
    faulty = Faulty(redis_url, "raises")
    shared = connection.Connection(faulty, 5.0)
    await shared.open()
    faulty.wires[0].close()
    assert await shared.call("EXISTS", topic) == 0
    await shared.close()
    assert "connecting to" in caplog.text


async def test_a_wire_lost_at_once_is_replaced_once(redis_url: str, topic: str) -> None:
    """A server that drops a new connection at once is dialled again by one task, or a wire would be forgotten."""
    faulty = Faulty(redis_url, "lost")
    shared = connection.Connection(faulty, 5.0)
    await shared.open()
    faulty.wires[0].close()
    assert await shared.call("EXISTS", topic) == 0
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "titan_bus reconnect"]
    assert len(faulty.wires) == 3
    await shared.close()


async def test_what_a_server_cannot_take_now_is_bounded(
    bus: Bus, server: Server, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """Publishes that wait for replicas count towards the bound as those do that wait for a server."""
    monkeypatch.setattr(connection, "WAITING_BYTES_MAX", 100_000)
    monkeypatch.setattr(connection, "IN_FLIGHT_MAX", 2)
    await bus._connection.call("CONFIG", "SET", "min-replicas-to-write", 1)
    waiting: list[asyncio.Future[str]] = []

    async def overloaded() -> bool:
        try:
            waiting.append(bus.publish(topic, "e", {"text": "x" * 30_000}))
        except BusOverloadedError:
            return True
        await asyncio.sleep(0.01)  # so that it is sent, and refused
        return False

    await until(overloaded, "the bound")
    admin = channel.Channel(Endpoint.parse(server.url))
    await admin.call("CONFIG", "SET", "min-replicas-to-write", 0)
    admin.close()
    await asyncio.gather(*waiting)
    assert len(waiting) < 10


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch, topic: str) -> None:
    """A server that owes replies and sends none is dropped and dialled again; who waits gets an error."""
    monkeypatch.setattr(connection, "REPLY_TIMEOUT_S", 0.2)
    monkeypatch.setattr(connection, "WATCH_S", 0.05)
    async with SilentServer() as silent, Bus(BusConfig(url=silent.url, patience_s=0.1)) as bus:
        with pytest.raises(BusUnavailableError):
            await bus.publish(topic, "e", {})
        await until(lambda: silent.connections > 1, "another connection")


async def test_a_publish_to_a_silent_server_fails_in_its_time(
    topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes everything and answers nothing costs a publish `patience_s`, not the watchdog's time."""
    monkeypatch.setattr(connection, "REPLY_TIMEOUT_S", 60.0)
    async with SilentServer() as silent, Bus(BusConfig(url=silent.url, patience_s=0.2, drain_s=0.1)) as bus:
        async with asyncio.timeout(30):
            with pytest.raises(BusUnavailableError):
                await bus.publish(topic, "e", {})


async def test_a_silent_reader_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blocking read that gets no reply in its time drops its connection and fails."""
    monkeypatch.setattr(channel, "LATE_REPLY_S", 0.1)
    async with SilentServer() as silent:
        reader = channel.Channel(Endpoint.parse(silent.url))
        for _ in range(2):
            with pytest.raises(BusUnavailableError):
                await reader.call("XREAD", "BLOCK", 10, "STREAMS", "s", "$", block_s=0.01)
        assert silent.connections == 2
        reader.close()


async def test_too_much_waiting_is_refused(
    bus: Bus, server: Server, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """When too many bytes wait for a server that is away, a publish is refused at the call; the others arrive."""
    monkeypatch.setattr(connection, "WAITING_BYTES_MAX", 1_000_000)
    server.kill()
    await until(lambda: not bus.connected, "the loss")
    futures = [bus.publish(topic, "e", {"text": "x" * 31_250}) for _ in range(32)]
    with pytest.raises(BusOverloadedError) as raised:
        bus.publish(topic, "e", {})
    assert raised.value.waiting_bytes > 1_000_000
    server.start()
    assert len(await asyncio.gather(*futures)) == 32


class StallingProxy:
    """Carries bytes between a port and a server's socket; what `stall` finds carries nothing any more.

    With `pause_s` the replies come slowly, 4 KiB at a time.
    """

    def __init__(self, path: str, pause_s: float = 0.0) -> None:
        self._path = path
        self._pause_s = pause_s
        self._flowing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._flowing.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stall(self) -> None:
        """Stop carrying on the connections of now, without closing them; new ones work."""
        self._flowing.clear()  # those that wait for it wait for ever
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        flowing = self._flowing
        behind_reader, behind = await asyncio.open_unix_connection(self._path)
        for source, target, pause_s in ((reader, behind, 0.0), (behind_reader, writer, self._pause_s)):
            task = asyncio.create_task(self._carry(source, target, flowing, pause_s))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        flowing: asyncio.Event,
        pause_s: float,
    ) -> None:
        try:
            while data := await source.read(4_096 if pause_s else 65_536):
                await flowing.wait()
                target.write(data)
                await target.drain()
                await asyncio.sleep(pause_s)
        except ConnectionError:
            pass
        finally:
            target.close()


async def test_readers_leave_a_network_that_stalls(
    server: Server, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """Subscription and tail whose connections carry nothing any more dial again, and miss nothing.

    What the server had delivered into the stalled connection is handled too.
    """
    monkeypatch.setattr(channel, "LATE_REPLY_S", 0.2)
    monkeypatch.setattr(connection, "REPLY_TIMEOUT_S", 0.2)
    monkeypatch.setattr(connection, "WATCH_S", 0.05)
    read = ReadConfig(block_ms=200)
    async with (
        StallingProxy(server.url.removeprefix("unix://")) as network,
        Bus(BusConfig(url=network.url, read=read, drain_s=0.5)) as bus,
        Bus(BusConfig(url=server.url)) as publisher,
    ):
        recorder = Recorder()
        await bus.subscribe(topic, "g", recorder)
        tail = bus.tail([topic])
        await tail.start()
        ids = [await publisher.publish(topic, "e", {})]
        await recorder.wait_for(1)
        assert (await anext(tail)).event_id == ids[0]
        before = network.connections
        network.stall()
        ids += [await publisher.publish(topic, "e", {}) for _ in range(10)]
        await recorder.wait_for(11)
        assert sorted(set(recorder.ids)) == ids
        assert [(await anext(tail)).event_id for _ in ids[1:]] == ids[1:]
        assert network.connections >= before + 3


async def test_a_slow_network_is_not_taken_for_a_dead_one(
    server: Server, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """A reply that takes longer than a silent server is given comes through as long as its bytes do."""
    async with Bus(BusConfig(url=server.url)) as bus:
        ids = await asyncio.gather(*(bus.publish(topic, "e", {"text": "x" * 30_000}) for _ in range(20)))
    monkeypatch.setattr(channel, "LATE_REPLY_S", 0.4)
    monkeypatch.setattr(connection, "REPLY_TIMEOUT_S", 0.4)
    monkeypatch.setattr(connection, "WATCH_S", 0.05)
    async with (
        StallingProxy(server.url.removeprefix("unix://"), pause_s=0.01) as network,
        Bus(BusConfig(url=network.url, read=ReadConfig(block_ms=100), patience_s=15.0)) as bus,
    ):
        tail = bus.tail([topic], "0")
        lost: list[bool] = []
        bus.on_connection(lost.append)
        assert len(await bus._connection.call("XRANGE", names.stream_of(topic), "-", "+")) == len(ids)
        assert [(await anext(tail)).event_id for _ in ids] == ids
        assert tail._channel.dials == 1
        assert lost == []


async def test_much_that_waits_leaves_in_several_turns(
    bus: Bus, server: Server, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """When the server is back, what was published meanwhile is written piece by piece, in its order."""
    written: list[int] = []
    send = Wire.send

    def watched(self: Wire, commands: Sequence[Command]) -> None:
        written.append(sum(len(command.packed) for command in commands))
        send(self, commands)

    server.kill()
    await until(lambda: not bus.connected, "the loss")
    futures = [bus.publish(topic, "e", {"text": "x" * 30_000}) for _ in range(100)]
    monkeypatch.setattr(Wire, "send", watched)
    server.start()
    ids = await asyncio.gather(*futures)
    assert max(written) < connection.FLUSH_BYTES + 32_768
    assert bus._connection._waiting_bytes == 0
    assert [event.event_id async for event in bus.replay("2020-01-01T00:00:00Z", topic)] == ids


async def test_many_whose_time_is_over_are_told_in_several_turns(
    bus: Bus, server: Server, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """The loop has turns of its own while thousands of publishes fail; a command with more patience stays."""
    monkeypatch.setattr(connection, "EXPIRED_AT_ONCE", 10)
    server.kill()
    await until(lambda: not bus.connected, "the loss")
    patient = bus._connection.call("EXISTS", topic, patience_s=60.0)
    futures = [bus._connection.call("EXISTS", topic, patience_s=0.1) for _ in range(1_000)]
    told: set[int] = set()
    while (done := sum(future.done() for future in futures)) < len(futures):
        told.add(done)
        await asyncio.sleep(0)
    assert len(told) >= len(futures) // 10
    assert {type(future.exception()) for future in futures} == {BusUnavailableError}
    assert not patient.done()
    server.start()
    assert await patient == 0
    assert bus._connection._waiting_bytes == 0


async def test_a_publish_outlives_a_long_script(bus: Bus, topic: str) -> None:
    """While a script holds the server (BUSY), a publish and a subscription wait; then they go on."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    admin, held = bus._server.channel(topic), bus._server.channel(topic)
    await admin.call("CONFIG", "SET", "busy-reply-threshold", 1)
    script = asyncio.create_task(held.call("EVAL", "while true do end", 0))  # until it is killed

    async def busy() -> bool:
        try:
            await admin.call("DBSIZE")
        except BusUnavailableError as error:
            return "BUSY" in str(error)
        return False

    await until(busy, "the script runs")
    publish = bus.publish(topic, "e", {})
    await until(lambda: bus._connection._held_back, "it is refused")
    killer = Endpoint.parse(bus.config.url)
    wire = Wire()
    await killer._connect(wire)
    killed = Command(("SCRIPT", "KILL"), asyncio.get_running_loop().create_future())
    wire.send([killed])
    assert await killed.future == b"OK"
    wire.close()
    with pytest.raises(ServerRefusedError):
        await script
    event_id = await publish
    await recorder.wait_for(1)
    assert recorder.ids == [event_id]
    admin.close()
    held.close()


async def test_another_thread_is_refused(bus: Bus, topic: str) -> None:
    """A publish outside the loop's thread raises at once; handed over to the loop it works."""
    with pytest.raises(BusThreadError, match="call_soon_threadsafe"):
        await asyncio.to_thread(bus.publish, topic, "e", {})

    async def publish() -> str:
        return await bus.publish(topic, "e", {})

    handed_over = asyncio.run_coroutine_threadsafe(publish(), asyncio.get_running_loop())
    event_id = await asyncio.to_thread(handed_over.result)
    assert [event.event_id async for event in bus.replay("2020-01-01T00:00:00Z", topic)] == [event_id]


def test_a_connection_outlives_no_loop(redis_url: str, topic: str) -> None:
    """Each command after the loop has ended is refused; one that moved to another thread keeps it."""
    loop = asyncio.new_event_loop()
    shared = connection.Connection(Endpoint.parse(redis_url), 5.0)

    async def exists() -> int:
        return int(await shared.call("EXISTS", topic))

    async def leave() -> None:
        assert shared._wire is not None
        shared._wire.on_lost = lambda: None
        shared._wire.close()

    loop.run_until_complete(shared.open())
    assert loop.run_until_complete(exists()) == 0
    elsewhere = threading.Thread(target=lambda: loop.run_until_complete(exists()))
    elsewhere.start()
    elsewhere.join()
    loop.run_until_complete(leave())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    for _ in range(3):
        with pytest.raises(BusClosedError):
            shared.call("EXISTS", topic)
