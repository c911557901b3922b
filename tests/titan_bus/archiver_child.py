"""An archiver in a process of its own that kills itself, for tests of what it leaves behind.

`python -m tests.titan_bus.archiver_child URL FOLDER TOPIC STEP` archives one round; before the step of that number
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
from titan_bus.archive import archiver, segment
from titan_bus.archive.archive import Archive
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint
from titan_bus.observability.counters import Counters

READING = {"XINFO", "XRANGE", "XPENDING", "EXISTS", "ZSCAN", "EVAL"}


async def main(url: str, folder: str, topic: str, step: str) -> None:
    steps = count(1)

    def live() -> None:
        if next(steps) == int(step):
            os.kill(os.getpid(), signal.SIGKILL)

    call, sync, replace = Connection.call, os.fsync, Path.replace

    def calling(connection: Connection, *words: Any, **options: Any) -> Any:
        if words[0] not in READING:
            live()
        return call(connection, *words, **options)

    def syncing(handle: int) -> None:
        live()
        sync(handle)

    def replacing(half: Path, target: Path) -> Path:
        live()
        return replace(half, target)

    connection = Connection(Endpoint.parse(url), 5.0)
    await connection.open()
    config = ArchiveConfig(target=folder, topics=(topic,))
    with (
        mock.patch.object(segment, "BLOCK_BYTES", 5_000),
        mock.patch.object(archiver, "SEGMENT_BYTES", 15_000),
        mock.patch.object(archiver, "PAGE", 50),
        mock.patch.object(Connection, "call", calling),
        mock.patch.object(os, "fsync", syncing),
        mock.patch.object(Path, "replace", replacing),
    ):
        await archiver.Archiver(connection, Archive.open(config), config, Counters()).archive_now()
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
