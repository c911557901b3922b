"""The module functions."""

import asyncio

import pytest

import titan_bus
from titan_bus import BusClosedError, BusConfig, default, names
from titan_bus.connections.connection import Connection

from .conftest import Recorder, pending, until


@pytest.mark.by_url
async def test_the_module_functions_are_a_bus(config: BusConfig, raw: Connection, topic: str) -> None:
    """After `connect` the package's functions speak through one default bus; after `disconnect` they refuse."""
    with pytest.raises(BusClosedError):
        titan_bus.publish(topic, "e", {})
    await titan_bus.connect(config)
    recorder = Recorder()
    await titan_bus.subscribe(topic, "g", recorder, auto_ack=False)
    event_id = await titan_bus.publish(topic, "e", {"a": 1})
    await recorder.wait_for(1)
    await titan_bus.ack(event_id)
    assert await pending(raw, names.stream_of(topic), "g") == []
    assert [event.event_id async for event in titan_bus.replay("2020-01-01T00:00:00Z", topic)] == [event_id]
    assert await titan_bus.request(topic, "q", {}, timeout_s=2.0) is not None
    await titan_bus.connect(config)
    await titan_bus.disconnect()
    with pytest.raises(BusClosedError):
        titan_bus.publish(topic, "e", {})


async def test_connecting_anew_loses_no_bus(config: BusConfig, raw: Connection, topic: str) -> None:
    """Cancelled while the bus before it closes, `connect` leaves neither of them behind."""
    names_before = await connections(raw)
    await titan_bus.connect(config)
    recorder = Recorder(lambda _: asyncio.Event().wait())
    await titan_bus.subscribe(topic, "g", recorder)
    await titan_bus.publish(topic, "e", {})
    await recorder.wait_for(1)
    again = asyncio.create_task(titan_bus.connect(config))
    first = default._default[0][1]
    await until(lambda: default._default[0][1] is not first, "the new bus")
    again.cancel()
    await asyncio.wait([again])
    assert again.cancelled()
    with pytest.raises(BusClosedError):
        titan_bus.publish(topic, "e", {})

    async def gone() -> bool:
        return await connections(raw) == names_before

    await until(gone, "their connections")


def test_a_bus_of_a_loop_that_is_closed_is_dropped(redis_url: str, topic: str) -> None:
    """A program that connects in one `asyncio.run` after another gets a bus in each."""

    async def connect(*, leave: bool) -> None:
        bus = await titan_bus.connect(BusConfig(url=redis_url))
        await titan_bus.publish(topic, "e", {})
        if leave:  # the loop takes the bus with it
            await bus.close()
        else:
            await titan_bus.disconnect()

    asyncio.run(connect(leave=True))
    loop, bus = default._default[0]
    assert loop.is_closed()
    bus._open = True  # as in a program that did not close it
    asyncio.run(connect(leave=False))
    assert default._default == []


async def connections(raw: Connection) -> int:
    return str(await raw.call("CLIENT", "LIST")).count("name=titan_bus")
