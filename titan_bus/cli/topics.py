"""`titan-bus topics`: lists the topics, their length and their times."""

from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import config_of, served
from titan_bus.cli.output import Output, local_time
from titan_bus.connections.server_info import eviction_policy, eviction_warning
from titan_bus.inspection import Inspection


async def run(options: Options, output: Output) -> int:
    """Print the topics."""
    async with served(config_of(options)) as server:
        found = await Inspection(server.connection).topics()
        warning = eviction_warning(await eviction_policy(server.connection))
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
    if later := sum(topic.later for topic in found):
        output.note(f"{later} more wait for the time at which they are published (--json: later).")
    if warning:
        output.note(f"{warning}.")
    return exit_codes.DONE if found else exit_codes.NOTHING
