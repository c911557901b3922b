"""redis-py as a good engineer uses it without a library: hiredis, orjson, pipelines of 100, one XACK a batch.

The envelope has the fields and the size of titan_bus's; its ids come from `uuid4` and the time is told once a
pipeline. What titan_bus does beside (limits, retries, claims) is not there.
"""

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from . import BATCH, GROUP, STREAM, TOPIC, Handled, Payload, Pipelined


@asynccontextmanager
async def producer(url: str) -> AsyncIterator[Pipelined]:
    async with Redis.from_url(url) as redis:

        async def write(payloads: list[Payload]) -> None:
            pipe = redis.pipeline(transaction=False)
            timestamp = datetime.now(UTC).isoformat(timespec="milliseconds")
            for payload in payloads:
                event = {
                    "event_id": uuid.uuid4().hex,
                    "schema_version": 1,
                    "topic": TOPIC,
                    "event_type": "tick",
                    "timestamp": timestamp,
                    "payload": payload,
                    "meta": {
                        "priority": "medium",
                        "retries": 0,
                        "trace_id": uuid.uuid4().hex,
                        "source": "producer@v1",
                    },
                }
                pipe.xadd(STREAM, {b"e": orjson.dumps(event)})
            await pipe.execute()

        yield Pipelined(write)


async def consume(url: str, handled: Handled, ready: Callable[[], None], *, timed: bool) -> None:
    async with Redis.from_url(url) as redis:
        with contextlib.suppress(ResponseError):
            await redis.xgroup_create(STREAM, GROUP, "0", mkstream=True)
        ready()
        while True:
            reply: Any = await redis.xreadgroup(GROUP, "c", {STREAM: ">"}, count=BATCH, block=2_000)
            for _, entries in reply:
                for _, fields in entries:
                    payload = orjson.loads(fields[b"e"])["payload"]
                    handled(payload if timed else None)
                await redis.xack(STREAM, GROUP, *[entry_id for entry_id, _ in entries])
