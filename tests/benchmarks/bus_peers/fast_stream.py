"""FastStream with its documented means: a stream subscriber in a group, plain or in batches; no log line an event.

Its producer gets the benefit of pipelines of 100, which `publish` takes as an argument: published one at a time
it is the producer that is measured, at some 2,000 events a second.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from faststream.redis import RedisBroker, StreamSub

from . import BATCH, GROUP, STREAM, Handled, Payload, Pipelined


@asynccontextmanager
async def producer(url: str) -> AsyncIterator[Pipelined]:
    async with RedisBroker(url, logger=None) as broker:
        redis = await broker.connect()

        async def write(payloads: list[Payload]) -> None:
            pipe = redis.pipeline(transaction=False)
            for payload in payloads:
                await broker.publish(payload, stream=STREAM, pipeline=pipe)
            await pipe.execute()

        yield Pipelined(write)


async def consume(
    url: str, handled: Handled, ready: Callable[[], None], *, timed: bool, batch: bool = False
) -> None:
    broker = RedisBroker(url, logger=None)
    if batch:

        @broker.subscriber(stream=StreamSub(STREAM, group=GROUP, consumer="c", batch=True, max_records=BATCH))
        async def handle_batch(payloads: list[dict]) -> None:
            for payload in payloads:
                handled(payload if timed else None)

    else:

        @broker.subscriber(stream=StreamSub(STREAM, group=GROUP, consumer="c", max_records=BATCH))
        async def handle(payload: dict) -> None:
            handled(payload if timed else None)

    async with broker:
        await broker.start()
        ready()
        await asyncio.Future()
