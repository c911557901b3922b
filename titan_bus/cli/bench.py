"""`titan-bus bench`: measures throughput and latency on this server and machine, from publish to handled.

One process publishes and consumes, so the figures are lower than with two processes.
"""

import asyncio
import time
from typing import Any

import msgspec

from titan_bus import names
from titan_bus.bus import Bus
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import served, visitor_of
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import Output
from titan_bus.connections.server import Server
from titan_bus.event import Event, new_ulid

GROUP = "bench"
ENVELOPE_BYTES = 300
"""About the size of an event without its payload."""
IN_FLIGHT_MAX = 1_000
PATIENCE_S = 60.0
FORGET_S = 600
"""A topic whose bench was killed expires after this time."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The results. `publish_s` and `handled_s` are events a second, latencies are milliseconds."""

    events: int
    size: int
    publish_s: float
    handled_s: float
    rate: int
    p50_ms: float
    p99_ms: float
    max_ms: float


async def run(options: Options, output: Output) -> int:
    """Measure, and print the figures."""
    topic = f"{names.BENCHES}{new_ulid().lower()}"
    # Without the file's rate limit: the server's capacity is measured, not what its programs may do.
    config = msgspec.structs.replace(visitor_of(options, topic), rate_limit=None)
    async with served(config) as server:
        try:
            async with Bus(config) as bus:
                figures = await _measure(bus, server, topic, options)
        finally:
            keys = (
                names.stream_of(topic),
                names.retries_of(GROUP, topic),
                names.delayed_of(GROUP, topic),
            )
            await server.connection.call("DEL", *keys)
    if output.json:
        output.record(figures)
        return exit_codes.DONE
    output.line(f"events      {figures.events:,} of about {figures.size} bytes")
    output.line(f"published   {figures.publish_s:,.0f}/s")
    output.line(f"handled     {figures.handled_s:,.0f}/s, publisher and consumer in one process")
    output.line(
        f"latency     p50 {figures.p50_ms:.2f} ms, p99 {figures.p99_ms:.2f} ms, longest {figures.max_ms:.2f} ms"
        f" at {figures.rate:,}/s"
    )
    return exit_codes.DONE


async def _measure(bus: Bus, server: Server, topic: str, options: Options) -> Figures:
    handled = _Handled()
    await bus.subscribe(topic, GROUP, handled)
    for stream in (names.stream_of(topic), names.retries_of(GROUP, topic)):
        await server.connection.call("EXPIRE", stream, FORGET_S)
    filler = "x" * max(0, options.size - ENVELOPE_BYTES)
    publish_s, handled_s = await _flood(bus, topic, handled, options.events, filler)
    latencies = await _latencies(bus, topic, handled, options, filler)
    return Figures(
        events=options.events,
        size=options.size,
        publish_s=publish_s,
        handled_s=handled_s,
        rate=options.rate,
        p50_ms=latencies[len(latencies) // 2],
        p99_ms=latencies[min(len(latencies) - 1, len(latencies) * 99 // 100)],
        max_ms=latencies[-1],
    )


class _Handled:
    """The handler: records when each event was handled, by the publisher's clock."""

    def __init__(self) -> None:
        self.latencies_ms: list[float] = []
        self._wanted = 0
        self._all = asyncio.Event()

    async def __call__(self, event: Event) -> None:
        sent: float = event.payload_as(dict[str, Any])["at"]
        self.latencies_ms.append((time.perf_counter() - sent) * 1000)
        if len(self.latencies_ms) >= self._wanted:
            self._all.set()

    def expect(self, count: int) -> None:
        self.latencies_ms = []
        self._wanted = count
        self._all.clear()

    async def all(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._all.wait()
        except TimeoutError as error:
            raise CommandError(
                f"{len(self.latencies_ms)} of {self._wanted} events were handled within {PATIENCE_S:g} s:"
                " measure with fewer --events and a lower --rate.",
                exit_codes.REFUSED,
            ) from error


async def _flood(bus: Bus, topic: str, handled: _Handled, count: int, filler: str) -> tuple[float, float]:
    """Publish as fast as possible, and return the events a second published and handled."""
    handled.expect(count)
    began = time.perf_counter()
    for start in range(0, count, IN_FLIGHT_MAX):
        batch = range(start, min(start + IN_FLIGHT_MAX, count))
        await asyncio.gather(*(_publish(bus, topic, filler) for _ in batch))
    published = time.perf_counter()
    await handled.all()
    return count / (published - began), count / (time.perf_counter() - began)


async def _latencies(bus: Bus, topic: str, handled: _Handled, options: Options, filler: str) -> list[float]:
    """Publish at a steady rate, independent of the replies, and return the sorted latencies in milliseconds."""
    count = max(1, int(options.rate * options.seconds))
    handled.expect(count)
    began = time.perf_counter()
    sent: list[asyncio.Future[str]] = []
    while len(sent) < count:
        due = min(count, int((time.perf_counter() - began) * options.rate) + 1)
        sent += [_publish(bus, topic, filler) for _ in range(len(sent), due)]
        await asyncio.sleep(0.001)
    await asyncio.gather(*sent)
    await handled.all()
    return sorted(handled.latencies_ms)


def _publish(bus: Bus, topic: str, filler: str) -> asyncio.Future[str]:
    return bus.publish(topic, "measured", {"at": time.perf_counter(), "filler": filler})
