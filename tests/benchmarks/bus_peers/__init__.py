"""The contenders of `tests.benchmarks.bus`: each publishes and consumes the same events in its own best way.

A module here has `producer`, a context manager, and `consume`, which runs until it is cancelled. `worker` runs one
of them in a process of its own.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

TOPIC, GROUP = "bench.v1", "bench"
STREAM = "bench"
BATCH = 100
TEXT = "x" * 300
"""With the envelope an event has about 600 bytes."""

Payload = dict[str, Any]
Handled = Callable[[Payload | None], None]
"""Told of every event handled; with its payload when latency is measured, with None for nothing in flightler."""


class Producer(Protocol):
    async def flood(self, count: int) -> None:
        """Publish `count` events as fast as the server takes them."""

    def send(self, payload: Payload) -> None:
        """Publish one event without waiting for it."""

    async def drain(self) -> None:
        """Wait until the server has all that was sent."""


class Peer(Protocol):
    def producer(self, url: str) -> AbstractAsyncContextManager[Producer]: ...

    async def consume(
        self, url: str, handled: Handled, ready: Callable[[], None], *, timed: bool
    ) -> None: ...


def payload(at_ns: int) -> Payload:
    return {"user_id": "u-123", "text": TEXT, "at": at_ns}


class Pipelined:
    """A producer that sends in pipelines: what came while the last one was under way makes up the next."""

    def __init__(self, write: Callable[[list[Payload]], Awaitable[object]]) -> None:
        self._write = write
        self._buffer: deque[Payload] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def flood(self, count: int) -> None:
        for start in range(0, count, BATCH):
            await self._write([payload(0) for _ in range(min(BATCH, count - start))])

    def send(self, payload: Payload) -> None:
        self._buffer.append(payload)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())

    async def drain(self) -> None:
        if self._writing is not None:
            await self._writing

    async def _write_all(self) -> None:
        while self._buffer:
            await self._write([self._buffer.popleft() for _ in range(min(BATCH, len(self._buffer)))])
