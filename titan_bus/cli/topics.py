"""`titan-bus topics`: lists the topics, their length and their times."""

from titan_bus.bus import Bus
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import visitor_of
from titan_bus.cli.output import Output, local_time


async def run(options: Options, output: Output) -> int:
    """Print the topics."""
    async with Bus(visitor_of(options)) as bus:
        found = await bus.inspection.topics()
    if output.json:
        for topic in found:
            output.record(topic)
    elif found:
        output.table(
            ("TOPIC", "EVENTS", "GROUPS", "FIRST", "LAST"),
            [(t.topic, t.length, t.groups, local_time(t.first_at), local_time(t.last_at)) for t in found],
        )
    else:
        output.note("there are no topics; the first publish makes one.")
    return exit_codes.DONE if found else exit_codes.NOTHING
