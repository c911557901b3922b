"""How long a request takes to its reply: prints a table.

`python -m tests.benchmarks.bus_requests [seconds]`. Who asks and who answers are two processes on one server of
their own with AOF everysec. `tests.benchmarks.bus` measures publishing.
"""

import asyncio
import sys
import time

from tests import servers
from titan_bus import Bus, BusConfig, Event

TOPIC = "bench.requests.v1"
RATE = 100
PADDING = "x" * 300


async def answer(url: str) -> None:
    """Answer with what was asked until the input ends."""

    async def echo(event: Event) -> object:
        return event.payload_as(dict)

    async with Bus(BusConfig(url=url, source="responder@v1")) as bus:
        await bus.subscribe(TOPIC, "bench", echo)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def round_trips(bus: Bus, count: int) -> list[float]:
    """Ask again and again, with a pause between, and return how long each answer took in milliseconds."""
    taken = []
    for _ in range(count):
        began = time.monotonic_ns()
        await bus.request(TOPIC, "echo", {"padding": PADDING})
        taken.append((time.monotonic_ns() - began) / 1e6)
        await asyncio.sleep(1 / RATE)
    return taken


async def measure(url: str, seconds: float) -> None:
    """Run the responder beside us, and print the table."""
    command = [sys.executable, "-m", "tests.benchmarks.bus_requests", "--answer", url]
    pipe = asyncio.subprocess.PIPE
    responder = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert responder.stdin is not None
    assert responder.stdout is not None
    await responder.stdout.readline()
    async with Bus(BusConfig(url=url, source="requester@v1")) as bus:
        taken = sorted(await round_trips(bus, int(RATE * seconds)))
    responder.stdin.close()
    await responder.wait()
    figures = [taken[min(len(taken) - 1, int(len(taken) * share))] for share in (0.5, 0.95, 0.99, 1.0)]
    print(f"{'ms':34}{'n':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}")
    print(
        f"{f'request -> reply, {RATE}/s':34}{len(taken):8}" + "".join(f"{figure:8.2f}" for figure in figures)
    )


def main() -> None:
    """Start a server of our own and measure, or be the responder."""
    if sys.argv[1:2] == ["--answer"]:
        asyncio.run(answer(sys.argv[2]))
        return
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    with servers.short_folder() as folder, servers.valkey(folder, "--appendfsync", "everysec") as url:
        asyncio.run(measure(url, seconds))


if __name__ == "__main__":
    main()
