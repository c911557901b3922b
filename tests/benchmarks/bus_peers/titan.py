"""titan_bus as its README shows it: one `publish` an event, the futures gathered in windows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from titan_bus import Bus, BusConfig, Event

from . import GROUP, TOPIC, Handled, Payload, payload

WINDOW = 500


class TitanProducer:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._sent: list[asyncio.Future[str]] = []

    async def flood(self, count: int) -> None:
        for start in range(0, count, WINDOW):
            window = range(min(WINDOW, count - start))
            await asyncio.gather(*[self._bus.publish(TOPIC, "tick", payload(0)) for _ in window])

    def send(self, payload: Payload) -> None:
        self._sent.append(self._bus.publish(TOPIC, "tick", payload))

    async def drain(self) -> None:
        await asyncio.gather(*self._sent)


@asynccontextmanager
async def producer(url: str) -> AsyncIterator[TitanProducer]:
    async with Bus(BusConfig(url=url, source="producer@v1")) as bus:
        yield TitanProducer(bus)


async def consume(url: str, handled: Handled, ready: Callable[[], None], *, timed: bool) -> None:
    async def empty(_: Event) -> None:
        handled(None)

    async def handle(event: Event) -> None:
        handled(event.payload_as(dict))

    async with Bus(BusConfig(url=url, source="consumer@v1")) as bus:
        await bus.subscribe(TOPIC, GROUP, handle if timed else empty)
        ready()
        await asyncio.Future()
