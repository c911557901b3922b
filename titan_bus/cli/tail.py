"""`titan-bus tail`: reads along, without a group, until Ctrl-C or `--count`."""

import contextlib

from titan_bus.bus import Bus
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import visitor_of
from titan_bus.cli.events import show
from titan_bus.cli.output import Output


async def run(options: Options, output: Output) -> int:
    """Print what comes."""
    left: int | None = options.count
    async with (
        Bus(visitor_of(options)) as bus,
        contextlib.aclosing(bus.tail(options.topics, options.start)) as tail,
    ):
        await tail.start()
        async for event in tail:
            show(event, output, pretty=options.pretty)
            if left is not None and (left := left - 1) == 0:
                break
    return exit_codes.DONE
