"""Makes a server rewrite its files, which contain the commands that wrote the erased events."""

import asyncio

from titan_bus.connections.connection import Connection
from titan_bus.connections.server_info import info
from titan_bus.erasure.receipt import Rewriting, ServerFiles
from titan_bus.errors import ServerRefusedError

REWRITE_S = 60.0
"""How long the end of a rewrite is waited for."""
POLL_S = 0.05
_AT_WORK = ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress")


async def rewrite(server: Connection) -> ServerFiles:
    """Make one server rewrite its append-only file, and `dump.rdb` if it saves that by itself."""
    try:
        before = await info(server, "persistence")
        replicas = int((await info(server, "replication")).get("connected_slaves", "0"))
    except ServerRefusedError:
        return ServerFiles(address=server.address, aof="refused", snapshot="refused", replicas=0)
    aof: Rewriting = "off"
    snapshot: Rewriting = "off"
    if before.get("aof_enabled") == "1":
        aof = await _write(server, "BGREWRITEAOF", "aof_last_bgrewrite_status")
    if before.get("rdb_saves", "0") != "0":
        snapshot = await _write(server, "BGSAVE", "rdb_last_bgsave_status")
    return ServerFiles(address=server.address, aof=aof, snapshot=snapshot, replicas=replicas)


async def _write(server: Connection, command: str, outcome: str) -> Rewriting:
    """Rewrite, and wait for the end. A running rewrite may have begun before the erasure: another follows."""
    try:
        async with asyncio.timeout(REWRITE_S):
            while not await _begun(server, command):
                await _finished(server)
            ended = await _finished(server)
    except TimeoutError:
        return "unfinished"
    except ServerRefusedError:
        return "refused"
    return "rewritten" if ended.get(outcome) == "ok" else "failed"


async def _begun(server: Connection, command: str) -> bool:
    """Start; False while the server is writing something else.

    Raises:
        ServerRefusedError: the command is not allowed.
    """
    try:
        await server.call(command)
    except ServerRefusedError:
        if not _at_work(await info(server, "persistence")):
            raise
        return False
    return True


async def _finished(server: Connection) -> dict[str, str]:
    while _at_work(said := await info(server, "persistence")):  # noqa: ASYNC110 -- the server sends no notification
        await asyncio.sleep(POLL_S)
    return said


def _at_work(said: dict[str, str]) -> bool:
    return any(said.get(name, "0") != "0" for name in _AT_WORK)
