"""`auto_ack=False`: the program acknowledges itself."""

import asyncio

import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, pending, settled, until
from titan_bus import Bus, BusConfig, EventNotHeldError, ReadConfig, names
from titan_bus.connections.connection import Connection


async def test_acknowledging_by_hand(bus: Bus, raw: Connection, topic: str) -> None:
    """With `auto_ack=False` an event stays pending until `ack`, which raises for events that are not in flight."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder, auto_ack=False)
    event_id = await bus.publish(topic, "e", {})
    await recorder.wait_for(1)
    await asyncio.sleep(0.02)
    assert len(await pending(raw, names.stream_of(topic), "g")) == 1
    await bus.ack(event_id)
    assert await pending(raw, names.stream_of(topic), "g") == []
    with pytest.raises(EventNotHeldError):
        await bus.ack(event_id)


async def test_what_nobody_acknowledges_is_bounded(config: BusConfig, raw: Connection, topic: str) -> None:
    """With ten batches in flight no more are read, so other consumers get them; an `ack` makes room."""
    recorder = Recorder()
    async with Bus(msgspec.structs.replace(config, read=ReadConfig(count=2))) as bus:
        subscription = await bus.subscribe(topic, "g", recorder, auto_ack=False)
        ids = [await bus.publish(topic, "e", {}) for _ in range(60)]
        await recorder.wait_for(20)
        await until(lambda: subscription._processor._reader_waits, "the pause")
        in_flight = len(recorder.events)
        assert in_flight < 25
        for acknowledged, event_id in enumerate(ids):
            await recorder.wait_for(acknowledged + 1)
            assert len(recorder.events) - acknowledged < 25
            await bus.ack(event_id)
        await settled(raw, names.stream_of(topic), "g")
    assert recorder.ids == ids
