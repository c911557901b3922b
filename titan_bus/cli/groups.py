"""`titan-bus groups`: lists the groups, their pending events and their lag."""

from titan_bus.bus import Bus
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import visitor_of
from titan_bus.cli.output import Output, local_time


async def run(options: Options, output: Output) -> int:
    """Print the groups of the named topics, or of all."""
    async with Bus(visitor_of(options)) as bus:
        topics = options.topics or await bus.inspection.topic_names()
        found = [group for topic in topics for group in await bus.inspection.groups(topic)]
    if output.json:
        for group in found:
            output.record(group)
    elif found:
        output.table(
            ("TOPIC", "GROUP", "CONSUMERS", "PENDING", "LAG", "RETRYING", "OLDEST UNACKED"),
            [
                (g.topic, g.group, g.consumers, g.pending, g.lag, g.retrying, local_time(g.oldest_at))
                for g in found
            ],
        )
    else:
        output.note("there are no groups; a subscription makes one.")
    return exit_codes.DONE if found else exit_codes.NOTHING
