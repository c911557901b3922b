"""Removing what nobody runs any more: a group, which keeps its stream from being trimmed, or a whole topic."""

from titan_bus import names
from titan_bus.connections.connection import Connection
from titan_bus.inspection import Inspection


async def remove(connection: Connection, topic: str, group: str | None) -> None:
    """Remove a group with what waits in it to be tried again; without one, the topic with all of its groups."""
    stream = names.stream_of(topic)
    for one in await Inspection(connection).groups(topic):
        if group not in {None, one.group}:
            continue
        # The group goes last: killed before, the next call finds it and begins again.
        await connection.call("DEL", names.retries_of(one.group, topic), names.delayed_of(one.group, topic))
        await connection.call("XGROUP", "DESTROY", stream, one.group)
    if group is None:
        await connection.call("UNLINK", stream, names.later_of(topic))
