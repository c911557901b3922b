"""How long an event takes from `publish` to its handler, and a request to its reply: prints a table.

`python tests/benchmarks/bus_latency.py [seconds]`. Publisher and consumer are two processes on one private server
with AOF everysec. The publisher sends 1,000 events a second in an open loop: a slow consumer does not slow it,
so waiting is counted. Both processes read the same monotonic clock.
"""

import asyncio
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests import servers
from titan_bus import Bus, BusConfig, Event

TOPIC, REQUESTS = "bench.v1", "bench.requests.v1"
RATE = 1_000
REQUEST_RATE = 100
PADDING = "x" * 300


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def consume(url: str, count: int) -> None:
    """Handle `count` events and print the latency of each in milliseconds; answer requests meanwhile."""
    latencies: list[float] = []
    done = asyncio.Event()

    async def handle(event: Event) -> None:
        latencies.append((time.monotonic_ns() - event.payload_as(dict)["at"]) / 1e6)
        if len(latencies) == count:
            done.set()

    async def answer(event: Event) -> object:
        return event.payload_as(dict)

    async with Bus(BusConfig(url=url, source="consumer")) as bus:
        await bus.subscribe(TOPIC, "bench", handle)
        await bus.subscribe(REQUESTS, "bench", answer)
        print("ready", flush=True)
        await done.wait()
    print(*latencies, flush=True)


async def open_loop(bus: Bus, count: int) -> None:
    """Publish at a steady rate, whatever comes back."""
    began = time.monotonic()
    futures = []
    for n in range(count):
        if (ahead := began + n / RATE - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
        futures.append(bus.publish(TOPIC, "tick", {"at": time.monotonic_ns(), "padding": PADDING}))
    await asyncio.gather(*futures)


async def round_trips(bus: Bus, count: int) -> list[float]:
    """Ask again and again, with a pause between, and return how long each answer took in milliseconds."""
    taken = []
    for _ in range(count):
        began = time.monotonic_ns()
        await bus.request(REQUESTS, "echo", {"padding": PADDING})
        taken.append((time.monotonic_ns() - began) / 1e6)
        await asyncio.sleep(1 / REQUEST_RATE)
    return taken


async def measure(url: str, seconds: float) -> None:
    """Run the consumer beside us, and print the table."""
    count = int(RATE * seconds)
    command = [sys.executable, __file__, "--consume", url, str(count)]
    consumer = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, limit=2**26)
    assert consumer.stdout is not None
    await consumer.stdout.readline()
    async with Bus(BusConfig(url=url, source="publisher")) as bus:
        requests = await round_trips(bus, int(REQUEST_RATE * seconds))
        await open_loop(bus, count)
        handled = [float(word) for word in (await consumer.stdout.readline()).split()]
    await consumer.wait()
    print(f"{'ms':34}{'n':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}")
    for name, values in (
        (f"publish -> handled, {RATE}/s", handled),
        (f"request -> reply, {REQUEST_RATE}/s", requests),
    ):
        figures = [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)]
        print(f"{name:34}{len(values):8}" + "".join(f"{figure:8.2f}" for figure in figures))


def main() -> None:
    """Start a server of our own and measure, or be the consumer."""
    if sys.argv[1:2] == ["--consume"]:
        asyncio.run(consume(sys.argv[2], int(sys.argv[3])))
        return
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    with servers.short_folder() as folder, servers.valkey(folder, "--appendfsync", "everysec") as url:
        asyncio.run(measure(url, seconds))


if __name__ == "__main__":
    main()
