"""The module functions."""

import pytest

import titan_bus
from titan_bus import BusClosedError, BusConfig, names
from titan_bus.connections.connection import Connection

from .conftest import Recorder, pending


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
