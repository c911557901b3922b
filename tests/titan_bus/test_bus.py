"""A bus opened and used at the wrong moment, or under names that are its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, until
from titan_bus import (
    Bus,
    BusClosedError,
    BusConfig,
    Event,
    EventMalformedError,
    HandlerRefusedError,
    Handlers,
    MetricsConfig,
    ServerFullError,
    names,
)
from titan_bus.errors import refusal


async def test_opening_twice_is_opening_once(config: BusConfig, topic: str) -> None:
    """`await bus.open()` before `async with bus` begins nothing twice, and what is declared is subscribed."""
    handlers = Handlers()
    recorder = Recorder()
    handlers.on(topic, "g")(recorder)
    bus = Bus(config, handlers)
    await bus.open()
    async with bus:
        assert len(bus._maintenance._tasks) == 1
        await bus.publish(topic, "e", {})
        await recorder.wait_for(1)


async def test_a_url_is_configuration_enough(redis_url: str, topic: str) -> None:
    """`Bus("redis://…")` works as people first try it, and a handler reads the payload as a dict."""
    handlers, orders = Handlers(), asyncio.Queue[int]()

    @handlers.on(topic, "billing")
    async def bill(event: Event) -> None:
        orders.put_nowait(event.payload["number"])

    async with Bus(redis_url, handlers) as bus:
        await bus.publish(topic, "order_placed", {"number": 7})
        assert await orders.get() == 7


async def test_a_bus_that_is_not_open_says_the_cure(config: BusConfig, topic: str) -> None:
    """Before and after: the sentence tells how a bus is used."""
    bus = Bus(config)
    with pytest.raises(BusClosedError, match="async with Bus"):
        bus.publish(topic, "e", {})
    async with bus:
        pass
    with pytest.raises(BusClosedError, match="async with Bus"):
        await bus.subscribe(topic, "g", Recorder())


async def test_a_close_that_is_cancelled_closes_all_the_same(config: BusConfig, topic: str) -> None:
    """Who gives up waiting for a slow handler leaves no task and no connection behind."""
    bus = Bus(msgspec.structs.replace(config, drain_s=60.0))
    await bus.open()
    begun = asyncio.Event()

    async def endless(_: Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    await bus.subscribe(topic, "g", endless)
    await bus.publish(topic, "e", {})
    await begun.wait()
    before = {task for task in asyncio.all_tasks() if "titan_bus" in task.get_name()}
    assert before
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await bus.close()
    await asyncio.wait(before, timeout=5.0)
    assert not [task for task in before if not task.done()]
    assert not bus.connected


@pytest.mark.parametrize(
    ("reply", "cure"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", "raise maxmemory"),
        ("MISCONF Errors writing to the AOF file: No space left on device", "free some of its disk"),
    ],
)
def test_a_full_server_is_told_with_its_cure(reply: str, cure: str) -> None:
    """Memory and disk have different cures; the code stays for programs."""
    error = refusal(reply)
    assert isinstance(error, ServerFullError)
    assert cure in str(error)
    assert error.code == reply.split(maxsplit=1)[0]


async def test_who_opens_at_the_same_time_opens_once(config: BusConfig, topic: str) -> None:
    """Two tasks that open one bus at once have one connection and one subscription."""
    handlers, recorder = Handlers(), Recorder()
    handlers.on(topic, "g")(recorder)
    bus = Bus(config, handlers)
    await asyncio.gather(bus.open(), bus.open())
    await bus.publish(topic, "e", {})
    await recorder.wait_for(1)
    await bus.close()
    assert len(recorder.events) == 1


@pytest.mark.parametrize(
    ("topic", "group", "cure"),
    [
        ("t.v1", names.ARCHIVE_GROUP, "are the bus's own: name another"),
        ("t.v1", "titan_bus.other", "are the bus's own: name another"),
        (names.DEAD_LETTERS, "g", "titan-bus dlq"),
    ],
)
async def test_names_of_the_bus_are_not_subscribed(bus: Bus, topic: str, group: str, cure: str) -> None:
    """A member of the archive's group would keep its events out of the archive; dead letters are no topic."""
    with pytest.raises(HandlerRefusedError, match=cure):
        await bus.subscribe(topic, group, Recorder())


async def test_nothing_is_published_among_the_dead_letters(bus: Bus) -> None:
    """A topic of their name would be one that no command shows."""
    with pytest.raises(EventMalformedError, match="titan-bus dlq"):
        bus.publish(names.DEAD_LETTERS, "e", {})
    with pytest.raises(EventMalformedError, match="titan-bus dlq"):
        await bus.request(names.DEAD_LETTERS, "e", {})


async def test_a_cancelled_close_tells_who_asks(config: BusConfig, topic: str) -> None:
    """A request in the air and a tail end with the bus also when nobody waited for its close."""
    bus = Bus(msgspec.structs.replace(config, drain_s=60.0))
    await bus.open()
    gate = Recorder(lambda _: asyncio.Event().wait())
    await bus.subscribe(topic, "g", gate)
    asking = asyncio.create_task(bus.request(topic, "q", {}, timeout_s=3_600))
    reading = asyncio.create_task(anext(bus.tail([topic])))
    await gate.wait_for(1)
    closing = asyncio.create_task(bus.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing, asking, reading])
    assert isinstance(asking.exception(), BusClosedError)
    assert isinstance(reading.exception(), StopAsyncIteration)


async def test_a_bus_that_is_closed_while_it_opens_is_closed(config: BusConfig) -> None:
    """Who opens it hears so, and nothing is left: no connection, no task, no port."""
    before = asyncio.all_tasks()
    for turns in range(0, 40, 3):
        bus = Bus(msgspec.structs.replace(config, metrics=MetricsConfig(port=0)))
        opening = asyncio.create_task(bus.open())
        for _ in range(turns):
            await asyncio.sleep(0)
        began = bus._opening.locked()
        await bus.close()
        await asyncio.wait([opening])
        failed = opening.exception() is not None
        if began or failed:
            assert not bus.connected
            assert bus.metrics_port is None
        await bus.close()
    await until(lambda: asyncio.all_tasks() <= before, "every task's end")


async def test_a_closed_bus_opens_again(config: BusConfig, topic: str) -> None:
    """With its handlers, requests, tails, listeners and guards, as the test client of a web framework does."""
    handlers, changes = Handlers(), list[bool]()
    recorder = Recorder(lambda _: asyncio.sleep(0, {"pong": True}))

    @handlers.on(topic, "g")
    async def declared(event: Event) -> object:
        return await recorder(event)

    bus = Bus(msgspec.structs.replace(config, metrics=MetricsConfig(port=0)), handlers)
    bus.on_connection(changes.append)
    guard = bus.once("mailing")
    for opening in range(1, 4):
        async with bus:
            assert bus.metrics_port
            tail = bus.tail([topic])
            await tail.start()
            event_id = await bus.publish(topic, "e", {})
            assert (await anext(tail)).event_id == event_id
            assert await bus.request(topic, "ping", {}, dict) == {"pong": True}
            async with guard.guard(event_id) as first:
                assert first
            assert changes == [True, False] * (opening - 1) + [True]
        with pytest.raises(BusClosedError):
            bus.publish(topic, "e", {})
    assert len(recorder.ids) == len(set(recorder.ids)) == 6


def test_a_bus_opens_again_in_another_loop(redis_url: str, topic: str) -> None:
    """Each `asyncio.run` has a loop of its own; what the former one left behind stops nothing."""
    bus = Bus(BusConfig(url=redis_url))

    async def use() -> None:
        async with bus:
            await bus.publish(topic, "e", {})
            bus.publish(topic, "e", {}).cancel()

    with ThreadPoolExecutor(1) as elsewhere:
        for _ in range(3):
            elsewhere.submit(asyncio.run, use()).result(30)
