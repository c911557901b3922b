"""What a server reports about itself: its version, and whether it deletes keys when its memory is full.

`server` refuses a server that is too old. `maintenance`, `titan-bus topics` and the metrics report one that
deletes keys.
"""

import asyncio
import re

from titan_bus.connections.connection import Connection
from titan_bus.errors import BusUnavailableError, ServerRefusedError, ServerTooOldError

OLDEST = (7, 0)
"""The first version with the counts behind a group's lag, deleted ids in claims, and selectors in rights."""

HARMLESS = "noeviction"
"""The policy by which a full server refuses new events in place of deleting keys."""


async def check_version(connection: Connection) -> None:
    """Check that every connected server is new enough. A server that does not tell its version is accepted.

    Raises:
        ServerTooOldError: one is older.
    """
    nodes = [node for node in connection.nodes() if node.connected]
    for node, (name, version) in zip(nodes, await asyncio.gather(*map(_version, nodes)), strict=True):
        found = re.match(r"(\d+)\.(\d+)", version)
        if found is not None and (int(found[1]), int(found[2])) < OLDEST:
            raise ServerTooOldError(node.address, f"{name} {version}")


async def eviction_policy(connection: Connection) -> str | None:
    """Return the servers' `maxmemory-policy`; of several the one that deletes keys. None when no server tells."""
    found = None
    for node in connection.nodes():
        if not node.connected:
            continue
        try:
            policy = (await info(node, "memory")).get("maxmemory_policy")
        except (ServerRefusedError, BusUnavailableError):
            continue
        found = policy if found in {None, HARMLESS} else found
    return found


def eviction_warning(policy: str | None) -> str:
    """Return the warning about a policy that deletes keys, with the cure; "" for any other policy."""
    if policy in {None, HARMLESS}:
        return ""
    lost = (
        "the marks of `once`, leases and replies"
        if str(policy).startswith("volatile")
        else "unread events, too"
    )
    return (
        f"the server deletes keys when its memory is full (maxmemory-policy {policy}), {lost}, and tells nobody: "
        f"set maxmemory-policy {HARMLESS}, and give caches a server of their own"
    )


async def info(server: Connection, section: str) -> dict[str, str]:
    """Return a section of INFO.

    Raises:
        ServerRefusedError: the right to it is missing.
    """
    said = (await server.call("INFO", section)).decode(errors="replace")
    return dict(line.split(":", 1) for line in said.splitlines() if ":" in line)


async def _version(server: Connection) -> tuple[str, str]:
    """Return name and version; HELLO needs no right, but a proxy may not know it (and Redis only since 6.0)."""
    try:
        said = await server.call("HELLO")
        told = {name.decode(): value for name, value in zip(said[::2], said[1::2], strict=True)}
        return told["server"].decode().capitalize(), told["version"].decode()
    except BusUnavailableError:  # silent since its greeting: whoever needs it will see
        return "Redis", ""
    except (ServerRefusedError, TypeError, ValueError, KeyError, AttributeError):
        pass
    try:
        return "Redis", (await info(server, "server")).get("redis_version", "")
    except (ServerRefusedError, BusUnavailableError, AttributeError):
        return "Redis", ""
