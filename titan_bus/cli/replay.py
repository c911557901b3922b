"""`titan-bus replay`: a topic's past events, as JSON lines, for a file or another program."""

from titan_bus.bus import Bus
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import visitor_of
from titan_bus.cli.output import Output

BEGINNING = "1970-01-01T00:00:00Z"


async def run(options: Options, output: Output) -> int:
    """Print the events of the span, the oldest first."""
    found = 0
    async with Bus(visitor_of(options)) as bus:
        async for event in bus.replay(options.start or BEGINNING, options.topic, options.end):
            output.record(event)
            found += 1
            if found == options.count:
                break
    return exit_codes.DONE if found else exit_codes.NOTHING
