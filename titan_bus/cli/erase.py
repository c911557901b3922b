"""`titan-bus erase`: erases events for good, from the server, its files and the archive."""

from collections.abc import Iterator

import msgspec

from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.asking import can_ask, confirmed
from titan_bus.cli.connecting import archive_of, config_of, served
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import Output
from titan_bus.erasure.eraser import Eraser
from titan_bus.erasure.receipt import ErasureReceipt, ServerFiles

_FILES = {"aof": ("append-only file", "BGREWRITEAOF"), "snapshot": ("snapshot", "BGSAVE")}
_WHY = {
    "refused": "is not written anew for this user",
    "failed": "could not be written anew",
    "unfinished": "is still being written anew",
}


async def run(options: Options, output: Output) -> int:
    """Erase, and print what was found where, and what may be left."""
    config = config_of(options)
    named = options.target is not None or config.archive is not None
    archive = archive_of(options, config)[0] if named else None
    if not options.yes and not can_ask():
        raise CommandError("nobody is there to be asked: say --yes to erase events for good.")
    if not options.yes and not await confirmed(f"Erase {len(options.ids)} events for good?", output):
        output.note("nothing was erased.")
        return exit_codes.NOTHING
    async with served(config) as server:
        receipt = await Eraser(server.connection, archive).erase(options.ids, options.topic)
    _print(receipt, output)
    return exit_codes.DONE if receipt.complete and not receipt.missing else exit_codes.NOTHING


def _print(receipt: ErasureReceipt, output: Output) -> None:
    if output.json:
        output.report({"complete": receipt.complete, **msgspec.structs.asdict(receipt)}, "")
    elif receipt.found:
        output.table(
            ("EVENT", "TOPIC", "WHERE", "COPIES"),
            [(one.event_id, one.topic, one.place.replace("_", " "), one.copies) for one in receipt.found],
        )
    for event_id in receipt.missing:
        output.note(f"{event_id} is nowhere.")
    for sentence in (*receipt.unreadable, *receipt.uncompacted):
        output.note(f"{sentence.rstrip('.')}.")
    for server in receipt.files:
        for sentence in _left(server):
            output.note(sentence)


def _left(server: ServerFiles) -> Iterator[str]:
    """Yield the files of a server that may still contain erased events."""
    for kind, outcome in (("aof", server.aof), ("snapshot", server.snapshot)):
        if outcome in _WHY:
            file, command = _FILES[kind]
            yield f"the {file} of {server.address} {_WHY[outcome]}: see to it with {command}."
    if server.replicas:
        yield f"{server.address} has {server.replicas} replicas with files of their own: send them BGREWRITEAOF."
