"""A publisher and a consumer in processes of their own, for tests that kill them at any moment.

`python -m tests.titan_bus.chaos_child publish URL TOPIC LOG TOTAL` publishes the numbers up to TOTAL that LOG
does not have yet, and adds each number whose publish the server has acknowledged. It ends when LOG has them all.

`python -m tests.titan_bus.chaos_child consume URL TOPIC LOG NAME` adds each number that it has handled.

A number is in the log before anybody relies on it: it is written in one call, and a kill of the program does not
take back what the kernel has.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import TypeVar

from titan_bus import Bus, BusConfig, BusUnavailableError, ClaimConfig, Event
from titan_bus.connections.connection import Connection

WINDOW = 500
FILLER = "x" * 400


def numbers(log: Path) -> list[int]:
    """Return the numbers in a log; the last line may be torn."""
    lines = log.read_bytes().split(b"\n")[:-1] if log.exists() else []
    return [int(line) for line in lines]


def config(url: str, name: str) -> BusConfig:
    """Return a configuration in which a dead consumer's events are soon taken over."""
    # A handler that ends and is killed before its acknowledgement is no poison, however often that happens.
    claim = ClaimConfig(min_idle_s=1.0, delivery_limit=1_000)
    return BusConfig(url=url, consumer=name, claim=claim, patience_s=60.0)


Opening = TypeVar("Opening", Bus, Connection)


async def opened(door: Opening) -> Opening:
    """Return it when it is open: at this moment the server may be dead, or loading its data."""
    while True:
        try:
            await door.open()
        except BusUnavailableError:
            await asyncio.sleep(0.05)
        else:
            return door


async def publish(url: str, topic: str, log: Path, total: int) -> None:
    """Publish what is missing, a window at a time."""
    acknowledged = set(numbers(log))
    missing = [number for number in range(total) if number not in acknowledged]
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    bus = await opened(Bus(config(url, "publisher")))
    for at in range(0, len(missing), WINDOW):
        window = missing[at : at + WINDOW]
        futures = [bus.publish(topic, "number", {"n": number, "filler": FILLER}) for number in window]
        await asyncio.gather(*futures)
        os.write(descriptor, b"".join(b"%d\n" % number for number in window))
    await bus.close()


async def consume(url: str, topic: str, log: Path, name: str) -> None:
    """Handle numbers until killed."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def handle(event: Event) -> None:
        os.write(descriptor, b"%d\n" % event.payload_as(dict)["n"])

    bus = await opened(Bus(config(url, name)))
    await bus.subscribe(topic, "g", handle)
    await asyncio.Event().wait()


if __name__ == "__main__":
    role, url, topic, log, last = sys.argv[1:]
    if role == "publish":
        asyncio.run(publish(url, topic, Path(log), int(last)))
    else:
        asyncio.run(consume(url, topic, Path(log), last))
