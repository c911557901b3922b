"""`titan-bus pending`: lists events in flight, with their consumer and how long its handler has had them."""

from titan_bus.bus import Bus
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import visitor_of
from titan_bus.cli.output import Output, duration
from titan_bus.inspection import PendingState


async def run(options: Options, output: Output) -> int:
    """Print the pending events of the groups."""
    async with Bus(visitor_of(options)) as bus:
        found = await _pending(bus, options)
    if output.json:
        for state in found:
            output.record(state)
    elif found:
        output.table(
            ("TOPIC", "GROUP", "CONSUMER", "HANDLED FOR", "IDLE", "DELIVERIES", "EVENT", "TYPE"),
            [
                (s.topic, s.group, s.consumer, "" if s.handling_ms is None else duration(s.handling_ms),
                 duration(s.idle_ms), s.deliveries, s.event_id or s.entry_id,
                 s.event_type or "(gone, or no event)")
                for s in found
            ],
        )  # fmt: skip
    else:
        output.note("nothing is in flight.")
    return exit_codes.DONE if found else exit_codes.NOTHING


async def _pending(bus: Bus, options: Options) -> list[PendingState]:
    inspection = bus.inspection
    topics = [options.topic] if options.topic else await inspection.topic_names()
    return [
        state
        for topic in topics
        for group in [g.group for g in await inspection.groups(topic)]
        if options.group in {None, group}
        for state in await inspection.pending(topic, group, options.limit)
    ]
