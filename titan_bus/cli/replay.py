"""`titan-bus replay`: prints a topic's past events as JSON lines, for a file or another program."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import archive_of, config_of, served
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import Output
from titan_bus.event import Event
from titan_bus.replay import Replay

BEGINNING = "1970-01-01T00:00:00Z"


async def run(options: Options, output: Output) -> int:
    """Print the events, the oldest first."""
    ways = (options.event_id, options.group, options.start or options.end)
    if sum(way is not None for way in ways) > 1:
        raise CommandError("--id, --group and a span of time are three ways to say which; take one.")
    config = config_of(options)
    archive = None
    if options.target is not None or config.archive is not None:
        archive, _ = archive_of(options, config)
    found = 0
    async with served(config) as server:
        events: Any = _events(Replay(server.connection, archive), options)
        async with contextlib.aclosing(events):
            async for event in events:
                output.record(event)
                found += 1
                if found == options.count:
                    break
    return exit_codes.DONE if found else exit_codes.NOTHING


def _events(replay: Replay, options: Options) -> AsyncIterator[Event]:
    if options.event_id is not None:
        return replay.since(options.event_id, options.topic)
    if options.group is not None:
        return replay.unacknowledged(options.group, options.topic)
    return replay.between(options.start or BEGINNING, options.topic, options.end)
