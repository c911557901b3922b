"""Claims about what an earlier version left on the bus: all of it is done, and nothing of it stays in the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from titan_bus import Bus, BusConfig, Event, FatalError
from titan_desktop.contracts import topics
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core import former_topics
from titan_desktop.core.chain import Chain

PATIENCE_S = 20
PROMPT = {"type": "send_prompt", "conversation_id": "C", "message_id": "M", "text": "And the deposit?"}
STOP = {"type": "stop_answer", "conversation_id": "C", "question_id": "M"}


def config(url: str) -> BusConfig:
    return BusConfig(url=url, source="test@v1", consumer="titan-core@here/1", streams=STREAMS)


@asynccontextmanager
async def settling(bus: Bus) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(former_topics.settle(bus, Chain()))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def told(bus: Bus, topic: str, count: int) -> list[tuple[str, dict[str, object]]]:
    """The first events of a topic."""
    found: list[tuple[str, dict[str, object]]] = []
    async with asyncio.timeout(PATIENCE_S):
        async for event in bus.tail([topic], "0"):
            found.append((event.event_type, event.payload))
            if len(found) == count:
                break
    return found


async def groups(bus: Bus) -> set[tuple[str, str]]:
    return {
        (topic, group.group)
        for topic in await bus.inspection.topic_names()
        for group in await bus.inspection.groups(topic)
    }


@pytest.fixture
async def left(clean_redis_url: str) -> str:
    """A server as an earlier version leaves it, killed while it answers: a question in flight, a stop not read."""
    async with Bus(config(clean_redis_url)) as bus:
        answering = asyncio.Event()

        async def answer(_event: Event) -> None:
            answering.set()
            await asyncio.Event().wait()

        for former in former_topics.FORMER:
            handler = answer if former.topic == topics.CHAT else _nothing
            await bus.subscribe(former.topic, former.group, handler, concurrency=1)
        await bus.publish(topics.CHAT, "send_prompt", PROMPT)
        await bus.publish(topics.CHAT, "stop_answer", STOP)
        await bus.publish(topics.CHAT, "answer_started", {"message": {}})
        await bus.publish("memory.requests.v1", "search", {"query": "deposit"})
        await asyncio.wait_for(answering.wait(), PATIENCE_S)
    return clean_redis_url


async def _nothing(_event: Event) -> None:
    """Handle an event."""


async def test_what_was_not_done_is_passed_on_in_its_order(left: str) -> None:
    """The commands go where they are handled now, once; what only told of something does not."""
    async with Bus(config(left)) as bus, settling(bus) as task:
        await asyncio.wait_for(task, PATIENCE_S)
        assert await told(bus, topics.CHAT_COMMANDS, 2) == [("send_prompt", PROMPT), ("stop_answer", STOP)]


async def test_no_group_and_no_topic_of_the_earlier_version_stays(left: str) -> None:
    """Nothing is left that would hold a stream; what happened is still there to be read."""
    async with Bus(config(left)) as bus:
        for _ in range(2):
            async with settling(bus) as task:
                await asyncio.wait_for(task, PATIENCE_S)
            assert await groups(bus) == set()
            assert not set(former_topics.GONE) & set(await bus.inspection.topic_names())
        assert [kind for kind, _ in await told(bus, topics.CHAT, 3)][-1] == "answer_started"


@pytest.mark.logs("goes to the dead letters")
async def test_a_dead_letter_of_the_earlier_version_can_be_tried_again(clean_redis_url: str) -> None:
    """It is passed on like what was never handled."""
    async with Bus(config(clean_redis_url)) as bus:
        dead_lettered = asyncio.Event()

        async def fail(_event: Event) -> None:
            dead_lettered.set()
            raise FatalError

        subscription = await bus.subscribe(topics.CHAT, "chat", fail)
        await bus.publish(topics.CHAT, "send_prompt", PROMPT)
        await asyncio.wait_for(dead_lettered.wait(), PATIENCE_S)
        await subscription.stop()
        (letter,) = await bus.dead_letters.list()
        async with settling(bus):
            await bus.dead_letters.redrive(letter.letter_id)
            assert await told(bus, topics.CHAT_COMMANDS, 1) == [("send_prompt", PROMPT)]
