"""`titan-bus archive`: archives new events once, or at intervals."""

import asyncio

from titan_bus.archive.archiver import Archived, Archiver
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import archive_of, config_of, served
from titan_bus.cli.failures import explain
from titan_bus.cli.output import Output
from titan_bus.errors import BusError
from titan_bus.observability.counters import Counters


async def run(options: Options, output: Output) -> int:
    """Archive new events, and print how many."""
    config = config_of(options)
    archive, settings = archive_of(options, config)
    async with served(config) as server:
        archiver = Archiver(server.connection, archive, settings, Counters())
        if not options.watch:
            _tell(await archiver.archive_now(), output)
            return exit_codes.DONE
        while True:
            await _round(archiver, output)
            await asyncio.sleep(settings.every_s)


async def _round(archiver: Archiver, output: Output) -> None:
    """Archive; with --watch, continue when the server or the store is away for a while."""
    try:
        _tell(await archiver.archive_now(), output)
    except BusError as error:
        failure = explain(error)
        output.note(failure.sentence if failure is not None else str(error))


def _tell(done: Archived, output: Output) -> None:
    output.report(
        done,
        f"{done.entries:,} events in {done.segments:,} segments, {done.bytes:,} bytes; {done.removed:,} removed",
    )
