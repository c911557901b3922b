"""`titan-bus tail`: prints new events, without a group, until Ctrl-C, `--count`, or a closed output."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from titan_bus.bus import Bus
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import visitor_of
from titan_bus.cli.events import show
from titan_bus.cli.output import Output
from titan_bus.tail import Tail

LOOK_S = 0.2
"""The interval of checks for a closed output: the next event, which would detect it, may never come."""


async def run(options: Options, output: Output) -> int:
    """Print events as they come."""
    left: int | None = options.count
    async with (
        Bus(visitor_of(options)) as bus,
        contextlib.aclosing(bus.tail(options.topics, options.start)) as tail,
    ):
        tail.ends_when_refused = True
        await tail.start()
        async with _while_heard(tail, output):
            async for event in tail:
                show(event, output, pretty=options.pretty)
                if left is not None and (left := left - 1) == 0:
                    break
    return exit_codes.DONE


@contextlib.asynccontextmanager
async def _while_heard(tail: Tail, output: Output) -> AsyncIterator[None]:
    """Close the tail when the output is closed: `| head -1` has what it needs."""

    async def look() -> None:
        while output.heard:  # noqa: ASYNC110 -- the event is in another program
            await asyncio.sleep(LOOK_S)
        await tail.close()

    looking = asyncio.create_task(look(), name="titan-bus looks whether it is heard")
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.wait([looking])
