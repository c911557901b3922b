"""`titan-bus groups`: lists the groups with their pending events and their lag, moves one, removes one."""

from titan_bus import names
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.asking import can_ask, confirmed
from titan_bus.cli.connecting import config_of, served
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import Output, line_of, local_time
from titan_bus.connections.connection import Connection
from titan_bus.inspection import GroupState, Inspection
from titan_bus.removal import remove


async def run(options: Options, output: Output) -> int:
    """Run one action."""
    if options.action == "destroy" and not options.yes and not can_ask():
        raise CommandError("nobody is there to be asked: say --yes to remove the group.")
    async with served(config_of(options)) as server:
        if options.action == "list":
            return await _list(Inspection(server.connection), options, output)
        group = await _group(server.connection, options)
        if group is None:
            output.note(f"there is no group {line_of(options.group)} on {line_of(options.topic)}.")
            return exit_codes.NOTHING
        if options.action == "set":
            return await _set(server.connection, options, group, output)
        return await _destroy(server.connection, options, group, output)


async def _group(connection: Connection, options: Options) -> GroupState | None:
    groups = await Inspection(connection).groups(options.topic)
    return next((group for group in groups if group.group == options.group), None)


async def _list(inspection: Inspection, options: Options, output: Output) -> int:
    """Print the groups of the named topics, or of all."""
    topics = options.topics or await inspection.topic_names()
    found = [group for topic in topics for group in await inspection.groups(topic)]
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


async def _set(connection: Connection, options: Options, group: GroupState, output: Output) -> int:
    stream = names.stream_of(group.topic)
    await connection.call("XGROUP", "SETID", stream, group.group, options.start)
    now = await _group(connection, options) or group
    waiting = "" if now.lag is None else f": {now.lag:,} events are to come"
    output.report(now, f"{group.group} goes on from there{waiting}; {now.pending:,} are in flight")
    return exit_codes.DONE


async def _destroy(connection: Connection, options: Options, group: GroupState, output: Output) -> int:
    left = f"{group.pending:,} events in flight and {group.retrying:,} to be tried again"
    question = f"Remove {line_of(group.group)} from {line_of(group.topic)}, with {left}?"
    if not options.yes and not await confirmed(question, output):
        output.note("nothing was removed.")
        return exit_codes.NOTHING
    await remove(connection, group.topic, group.group)
    output.report(group, f"{group.group} is removed, with {left}")
    return exit_codes.DONE
