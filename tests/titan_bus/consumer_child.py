"""A consumer in a process of its own, for tests that kill it.

`python -m tests.titan_bus.consumer_child URL TOPIC` prints each event that it begins.
An event of the type `stuck` it never finishes.
"""

import asyncio
import sys

from titan_bus import Bus, BusConfig, Event


async def handle(event: Event) -> None:
    print(event.event_id, flush=True)
    if event.event_type == "stuck":
        await asyncio.Event().wait()


async def main(url: str, topic: str) -> None:
    async with Bus(BusConfig(url=url, consumer="child")) as bus:
        await bus.subscribe(topic, "g", handle)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
