"""The bus beside redis-py used by hand and FastStream, in one run: prints a table.

`python -m tests.benchmarks.bus [--quick] [--only titan by_hand …]`

One producer process and one consumer process on a server of their own, on loopback, with an empty store and AOF
everysec; the contenders take turns, and medians of the rounds are shown. CPU is that of producer + consumer. The
last table has the server write every event to the disk before it answers. `tests.benchmarks.bus_requests` measures
requests, `tests.benchmarks.bus_replay` the archive.
"""

import argparse
import asyncio
import importlib.util
import json
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests import servers
from tests.servers import free_port

PEERS = {
    "titan": "titan_bus",
    "by_hand": "redis-py by hand",
    "fast_stream": "FastStream",
    "fast_stream_batch": "FastStream, batches",
}
NEEDS = {"by_hand": "orjson", "fast_stream": "faststream", "fast_stream_batch": "faststream"}
FLOOD = {"titan": 50_000, "by_hand": 50_000, "fast_stream": 5_000, "fast_stream_batch": 20_000}
RATE = 1_000
DURABLE = ("titan", "by_hand")
"""Those that are also measured with AOF always."""
WORKER_TIMEOUT_S = 120


@dataclass(frozen=True)
class Outcome:
    """One run of one contender."""

    per_second: float
    produce_us: float
    consume_us: float
    latencies_ms: list[float]

    def percentile(self, share: float) -> float:
        """Return the latency below which `share` of the events were handled."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@asynccontextmanager
async def worker(*arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of `bus_peers.worker` that is ready; it is gone at the end."""
    command = [sys.executable, "-m", "tests.benchmarks.bus_peers.worker", *map(str, arguments)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=2**26)
    assert process.stdout is not None
    try:
        if await process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"{arguments[0]} does not start")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def outcome(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """What a worker says at its end."""
    assert process.stdout is not None
    async with asyncio.timeout(WORKER_TIMEOUT_S):
        said: dict[str, Any] = json.loads(await process.stdout.readline())
    return said


async def run(peer: str, count: int, rate: int, fsync: str) -> Outcome:
    """Measure one contender once, on a server of its own."""
    port = free_port()
    with servers.short_folder() as folder:
        options = ("--port", str(port), "--bind", "127.0.0.1", "--appendfsync", fsync)
        with servers.valkey(folder, *options):
            url = f"redis://127.0.0.1:{port}"
            async with (
                worker(peer, "consume", url, count, rate) as consumer,
                worker(peer, "produce", url, count, rate) as producer,
            ):
                assert producer.stdin is not None
                producer.stdin.write(b"go\n")
                produced, consumed = await asyncio.gather(outcome(producer), outcome(consumer))
    return Outcome(
        per_second=count / (consumed["ended_ns"] - produced["began_ns"]) * 1e9,
        produce_us=produced["cpu_s"] / count * 1e6,
        consume_us=consumed["cpu_s"] / count * 1e6,
        latencies_ms=consumed["latencies_ms"],
    )


async def rounds(
    peers: list[str], times: int, fsync: str, rate: int, seconds: float
) -> dict[str, list[Outcome]]:
    """Measure the contenders in turns, so that a busy minute of the machine hits them all."""
    outcomes: dict[str, list[Outcome]] = {peer: [] for peer in peers}
    for _ in range(times):
        for peer in peers:
            count = int(rate * seconds) if rate else int(FLOOD[peer] * min(1.0, seconds / 5))
            outcomes[peer].append(await run(peer, count, rate, fsync))
    return outcomes


def cpu(runs: list[Outcome]) -> str:
    """Microseconds of CPU an event, of the producer and of the consumer."""
    parts = [statistics.median(o.produce_us for o in runs), statistics.median(o.consume_us for o in runs)]
    return " + ".join(f"{part:.1f}" for part in parts)


def show_flood(outcomes: dict[str, list[Outcome]]) -> None:
    """Print throughput, CPU, and titan_bus's speed in terms of each contender's."""
    print(f"\n{'end to end, at full speed':34}{'events/s':>12}{'CPU µs':>16}{'titan_bus is':>14}")
    speeds = {peer: statistics.median(o.per_second for o in runs) for peer, runs in outcomes.items()}
    for peer, runs in outcomes.items():
        ratio = f"{speeds['titan'] / speeds[peer]:.1f} x" if "titan" in speeds else ""
        print(f"{PEERS[peer]:34}{speeds[peer]:12,.0f}{cpu(runs):>16}{ratio:>14}")


def show_latency(outcomes: dict[str, list[Outcome]], fsync: str) -> None:
    """Print latency and CPU at a steady rate."""
    title = f"publish to handled, {RATE:,}/s, AOF {fsync}"
    print(f"\n{title:34}{'p50 ms':>12}{'p99 ms':>10}{'CPU µs':>16}")
    for peer, runs in outcomes.items():
        p50, p99 = (statistics.median(o.percentile(share) for o in runs) for share in (0.5, 0.99))
        print(f"{PEERS[peer]:34}{p50:12.2f}{p99:10.2f}{cpu(runs):>16}")


async def measure(peers: list[str], times: int, seconds: float) -> None:
    """Run everything and print the tables."""
    show_flood(await rounds(peers, times, "everysec", 0, seconds))
    show_latency(await rounds(peers, times, "everysec", RATE, seconds), "everysec")
    if durable := [peer for peer in peers if peer in DURABLE]:
        show_latency(await rounds(durable, times, "always", RATE, seconds), "always")


def main() -> None:
    """Read the arguments, see what is installed, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS), help="which contenders")
    arguments = parser.parse_args()
    missing = {
        need for peer in arguments.only if (need := NEEDS.get(peer)) and not importlib.util.find_spec(need)
    }
    if missing:
        parser.error(f"{', '.join(sorted(missing))} is not installed: pip install -e '.[bench]'")
    asyncio.run(measure(arguments.only, *((1, 1.0) if arguments.quick else (3, 5.0))))


if __name__ == "__main__":
    main()
