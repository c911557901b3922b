"""An erasure in a process of its own that kills itself, for tests of what it leaves behind.

`python -m tests.titan_bus.erasure.eraser_child URL FOLDER STEP ID` erases an event; before the step of that number
that changes something, on the disk or on the server, it ends by SIGKILL.
"""

import asyncio
import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

from titan_bus import ArchiveConfig
from titan_bus.archive.archive import Archive
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint
from titan_bus.erasure.eraser import Eraser

CHANGING = {"EVAL", "DEL", "INCR", "ZREM", "BGREWRITEAOF"}


async def main(url: str, folder: str, step: str, event_id: str) -> None:
    steps = count(1)

    def live() -> None:
        if next(steps) == int(step):
            os.kill(os.getpid(), signal.SIGKILL)

    call, sync, replace, unlink = Connection.call, os.fsync, Path.replace, Path.unlink

    def calling(connection: Connection, *words: Any, **options: Any) -> Any:
        if words[0] in CHANGING:
            live()
        return call(connection, *words, **options)

    def syncing(handle: int) -> None:
        live()
        sync(handle)

    def replacing(half: Path, target: Path) -> Path:
        live()
        return replace(half, target)

    def unlinking(path: Path, *, missing_ok: bool = False) -> None:
        live()
        unlink(path, missing_ok=missing_ok)

    connection = Connection(Endpoint.parse(url), 5.0)
    await connection.open()
    with (
        mock.patch.object(Connection, "call", calling),
        mock.patch.object(os, "fsync", syncing),
        mock.patch.object(Path, "replace", replacing),
        mock.patch.object(Path, "unlink", unlinking),
    ):
        await Eraser(connection, Archive.open(ArchiveConfig(target=folder))).erase([event_id])
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
