"""Replaces a stream by a copy without its deleted entries (`scripts.COMPACT`).

XDEL only marks an entry: while others of its node exist, its bytes stay in the server's memory and files.
"""

from typing import Any

from titan_bus import names, scripts
from titan_bus.connections.connection import Connection
from titan_bus.errors import ServerRefusedError

STEP = 100
"""Entries of one step, 3 MB at most: the server executes nothing else meanwhile."""
LIVES_MS = 600_000
"""A copy left by a killed program expires after ten minutes."""
ATTEMPTS = 5
ENTRIES_MAX = 1_000_000
"""A longer stream is not copied, because the copy would double its memory for a while."""


async def compact(connection: Connection, stream: str) -> str:
    """Free the bytes of a stream's deleted entries. Returns why that failed, "" on success."""
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
    ) as error:  # no memory, no rights, an entry with more words than a script can pass on
        return f"{stream} could not be copied: {error}"
    return f"{stream} changes too fast to be copied"


async def _look(connection: Connection, stream: str) -> tuple[int, bool]:
    """Return the length of a stream, and whether entries were ever deleted from it."""
    if not await connection.call("XLEN", stream):
        return 0, False
    flat = await connection.call("XINFO", "STREAM", stream)
    info = dict(zip(flat[::2], flat[1::2], strict=True))
    length = int(info[b"length"])
    return length, info[b"max-deleted-entry-id"] != b"0-0" or info[b"entries-added"] > length
