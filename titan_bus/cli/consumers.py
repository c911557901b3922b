"""`titan-bus consumers`: lists the consumers of the groups with what they have in flight and their idle times."""

from titan_bus.bus import Bus
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import visitor_of
from titan_bus.cli.output import Output, duration
from titan_bus.inspection import ConsumerState


async def run(options: Options, output: Output) -> int:
    """Print the consumers of one group, of a topic's groups, or of all."""
    async with Bus(visitor_of(options)) as bus:
        found = await _consumers(bus, options)
    if output.json:
        for state in found:
            output.record(state)
    elif found:
        output.table(
            ("TOPIC", "GROUP", "CONSUMER", "PENDING", "IDLE", "NO EVENT FOR"),
            [
                (s.topic, s.group, s.consumer, s.pending, duration(s.idle_ms),
                 "" if s.inactive_ms is None else "always" if s.inactive_ms < 0 else duration(s.inactive_ms))
                for s in found
            ],
        )  # fmt: skip
    else:
        output.note("there are no consumers.")
    return exit_codes.DONE if found else exit_codes.NOTHING


async def _consumers(bus: Bus, options: Options) -> list[ConsumerState]:
    inspection = bus.inspection
    topics = [options.topic] if options.topic else await inspection.topic_names()
    return [
        state
        for topic in topics
        for group in [g.group for g in await inspection.groups(topic)]
        if options.group in {None, group}
        for state in await inspection.consumers(topic, group)
    ]
