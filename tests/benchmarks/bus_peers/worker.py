"""One process of the measurement: `python -m tests.benchmarks.bus_peers.worker peer role url count rate`.

It says `ready`, the producer then waits for a line, and says at the end what it measured, as JSON. Both roles read
the same monotonic clock. A rate of 0 floods with nothing in flightler; otherwise the loop is open: a slow consumer
does not slow the producer, so that waiting is counted.
"""

import asyncio
import importlib
import json
import resource
import sys
import time
from typing import Any

from . import Payload, Peer, Producer, payload


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def say(message: object) -> None:
    print(message if isinstance(message, str) else json.dumps(message), flush=True)


async def open_loop(producer: Producer, count: int, rate: float) -> None:
    began = time.monotonic()
    for n in range(count):
        if (ahead := began + n / rate - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
        producer.send(payload(time.monotonic_ns()))


async def produce(peer: Peer, url: str, count: int, rate: float) -> None:
    async with peer.producer(url) as producer:
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        cpu, began_ns = cpu_s(), time.monotonic_ns()
        if rate:
            await open_loop(producer, count, rate)
        else:
            await producer.flood(count)
        await producer.drain()
        say({"cpu_s": cpu_s() - cpu, "began_ns": began_ns})


async def consume(peer: Peer, url: str, count: int, rate: float) -> None:
    left, latencies, done = count, [], asyncio.Event()
    at_ready: dict[str, Any] = {}

    def handled(payload: Payload | None) -> None:
        nonlocal left
        left -= 1
        if payload is not None:
            latencies.append((time.monotonic_ns() - payload["at"]) / 1e6)
        if left == 0:
            done.set()

    def ready() -> None:
        at_ready["cpu_s"] = cpu_s()
        say("ready")

    consuming = asyncio.create_task(peer.consume(url, handled, ready, timed=rate > 0))
    ended = asyncio.create_task(done.wait())
    await asyncio.wait([consuming, ended], return_when=asyncio.FIRST_COMPLETED)
    if consuming.done():
        await consuming  # it raised
    say({"cpu_s": cpu_s() - at_ready["cpu_s"], "ended_ns": time.monotonic_ns(), "latencies_ms": latencies})
    consuming.cancel()
    await asyncio.wait([consuming])


def main() -> None:
    name, role, url, count, rate = sys.argv[1:]
    peer: Any = importlib.import_module(f"{__package__}.{name}")
    asyncio.run((produce if role == "produce" else consume)(peer, url, int(count), float(rate)))


if __name__ == "__main__":
    main()
