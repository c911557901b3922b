"""`titan-bus restore`: restores the archive into a server that lost its data."""

from datetime import UTC, datetime

from titan_bus import names
from titan_bus.archive.archive import Archive
from titan_bus.archive.restore import Restorer
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import archive_of, config_of, served
from titan_bus.cli.output import Output


async def run(options: Options, output: Output) -> int:
    """Restore, and print the result of each topic."""
    config = config_of(options)
    archive, _ = archive_of(options, config)
    missing = await _missing(archive, options.topics)
    for name in missing:
        output.note(f"there is no {name} in the archive.")
    if missing:  # usually a misspelled name: nothing is restored
        return exit_codes.NOTHING
    async with served(config) as server:
        restorer = Restorer(server.connection, archive, config)
        found = await restorer.restore(options.topics, _since(options), newer_only=options.newer_only)
    if output.json:
        for topic in found:
            output.record(topic)
    elif found:
        output.table(
            ("TOPIC", "EVENTS", "GROUPS", "WAITING AGAIN", "DAMAGED"),
            [(t.topic, t.entries, t.groups, t.waiting, len(t.damaged)) for t in found],
        )
    else:
        output.note(f"there is nothing in {archive.target}.")
    damaged = [sentence for topic in found for sentence in topic.damaged]
    for sentence in damaged:
        output.note(f"{sentence.rstrip('.')}.")
    return exit_codes.DONE if found and not damaged else exit_codes.NOTHING


async def _missing(archive: Archive, topics: list[str]) -> list[str]:
    kept = await archive.streams() if topics else []
    return [topic for topic in topics if names.stream_of(topic) not in kept]


def _since(options: Options) -> datetime | None:
    if options.since is None:
        return None
    since = datetime.fromisoformat(options.since)
    return since if since.tzinfo else since.replace(tzinfo=UTC)
