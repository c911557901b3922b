"""Copies a stream without what was deleted from it, and puts the copy in its place (`scripts.COMPACT`).

To delete an entry only marks it: while others of its node live, its bytes stay in the server's memory, and so in
every file that the server writes.
"""

from typing import Any

from titan_bus import names, scripts
from titan_bus.connections.connection import Connection
from titan_bus.errors import ServerRefusedError

STEP = 100
"""Entries of one step, 3 MB at the most: the server does nothing else meanwhile."""
LIVES_MS = 600_000
"""A copy that nobody goes on with, since the program was killed, is gone after ten minutes."""
ATTEMPTS = 5
ENTRIES_MAX = 1_000_000
"""A longer stream is left as it is: for a while it would take twice its memory."""


async def compact(connection: Connection, stream: str) -> str:
    """Give back the bytes of what was deleted from a stream; return why that could not be, "" when it was done."""
    copy = names.erasing(stream)
    try:
        length, has_holes = await _look(connection, stream)
        if not length or not has_holes:
            return ""
        if length > ENTRIES_MAX:
            return f"{stream} has {length} entries, which is too long for it to be copied"
        for _ in range(ATTEMPTS):
            await connection.call("DEL", copy)
            left: Any = 1
            while left > 0:
                left = await connection.call("EVAL", scripts.COMPACT, 2, stream, copy, STEP, LIVES_MS)
            if left == 0:
                return ""
        await connection.call("DEL", copy)
    except (
        ServerRefusedError
    ) as error:  # no memory, no rights, an entry of more words than a script can hand on
        return f"{stream} could not be copied: {error}"
    return f"{stream} changes too fast to be copied"


async def _look(connection: Connection, stream: str) -> tuple[int, bool]:
    """Return how many entries a stream has, and whether it ever had others."""
    if not await connection.call("XLEN", stream):
        return 0, False
    flat = await connection.call("XINFO", "STREAM", stream)
    info = dict(zip(flat[::2], flat[1::2], strict=True))
    length = int(info[b"length"])
    return length, info[b"max-deleted-entry-id"] != b"0-0" or info[b"entries-added"] > length
