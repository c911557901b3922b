"""A program whose tasks start at once (`asyncio.eager_task_factory`): they may end before they are kept."""

import asyncio
import contextvars
from collections.abc import AsyncIterator
from unittest.mock import AsyncMock, Mock

import msgspec
import pytest

from tests import eager_tasks
from tests.titan_bus.conftest import Recorder, settled, until
from titan_bus import Bus, BusConfig, ClaimConfig, Event, names
from titan_bus.config import ReadConfig
from titan_bus.connections.connection import Connection
from titan_bus.consumer.reader import Reader

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id")


@pytest.fixture(autouse=True)
async def _eager() -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    former = loop.get_task_factory()
    eager_tasks.use(loop)
    yield
    loop.set_task_factory(former)


async def test_tasks_start_at_once() -> None:
    """What the other claims here stand on."""
    began: list[int] = []

    async def begin() -> None:
        began.append(1)

    task = asyncio.create_task(begin())
    assert began == [1]
    await task


async def test_handlers_that_change_their_context_are_replaced(bus: Bus, raw: Connection, topic: str) -> None:
    """As many as there are events: none that ended is counted among those that run."""
    recorder = Recorder(lambda event: request_id.set(event.event_id))
    ids = [await bus.publish(topic, "e", {}) for _ in range(50)]
    subscription = await bus.subscribe(topic, "g", recorder, concurrency=4)
    await recorder.wait_for(50)
    await settled(raw, names.stream_of(topic), "g")
    assert recorder.ids == ids
    assert not any(task.done() for task in subscription._processor._workers.running())


async def test_handlers_that_cancel_themselves_are_replaced(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """Their events come again, and all are handled in the end."""
    config = msgspec.structs.replace(config, claim=ClaimConfig(min_idle_s=0.1))
    calls: set[str] = set()

    async def handle(event: Event) -> None:
        if event.event_id not in calls:
            calls.add(event.event_id)
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)

    async with Bus(config) as bus:
        ids = [await bus.publish(topic, "e", {}) for _ in range(8)]
        await bus.subscribe(topic, "g", handle, concurrency=2)
        await until(lambda: len(calls) == 8, "every event came")
        await settled(raw, names.stream_of(topic), "g")
    assert calls == set(ids)


async def test_a_read_can_be_ended_again_and_again() -> None:
    """A task that had nothing to end keeps no later one from ending a read."""
    ended: list[int] = []
    reader = Reader(Mock, AsyncMock(side_effect=ended.append), "g", "c", ReadConfig())
    reader._between_reads.clear()
    reader.wake()  # not connected yet: there is nothing to end
    reader._client_id, reader._dials = 7, reader._channel.dials
    reader.wake()
    await until(lambda: ended, "the read is ended")
    reader._between_reads.set()
