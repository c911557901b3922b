"""The backup service: writes everything into one file while Titan works.

The archive of events comes first and the database afterwards, so the database may know what the events do not
tell, and never the reverse: an event that a restored Titan handles once more changes nothing, while one that it
never had would be lost.
"""

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from titan_bus import Bus, BusError, Handlers
from titan_desktop import __version__
from titan_desktop.adapters.postgres import dump
from titan_desktop.adapters.postgres.database import Database, DatabaseUnavailableError
from titan_desktop.contracts.backup import BackupFailed, BackupGrew, BackupMade, MakeBackup
from titan_desktop.contracts.declaring import take, tell
from titan_desktop.contracts.message import publish
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.core.backup.file import VERSION, BackupWriter, Head
from titan_desktop.system.paths import Paths

GROUP = "backup"
SAID_EVERY_S = 0.5
DERIVED = frozenset({"graph"})
"""Folders of Titan's data that are made anew from the others."""

CONTENTS = "contents.json"
TABLES, DATA, CONFIG = "tables", "data", "config"


class BackupService:
    """Handles `make_backup`, one at a time."""

    drain_s = 1.0

    def __init__(self, bus: Bus, database: Database, paths: Paths) -> None:
        self._bus = bus
        self._database = database
        self._paths = paths
        self._running = 0
        self.handlers = Handlers()
        take(self.handlers, GROUP, self.make_backup, concurrency=1)
        tell(self.handlers, BackupGrew, BackupMade, BackupFailed)

    def busy(self) -> bool:
        """Whether a backup is being made."""
        return self._running > 0

    async def make_backup(self, wanted: MakeBackup) -> None:
        """Write the file, or say why there is none. Cancelled or killed it leaves none, and begins again."""
        self._running += 1
        try:
            await publish(self._bus, await self._outcome(wanted))
        finally:
            self._running -= 1

    async def _outcome(self, wanted: MakeBackup) -> BackupMade | BackupFailed:
        try:
            return await self._made(wanted)
        except FileExistsError as error:
            problem = Problem(Code.BACKUP_EXISTS, {"path": str(error.filename)})
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            path = error.filename or wanted.path
            fields = {"path": str(path), "folder": str(Path(wanted.path).parent)}
            problem = Problem(
                Code.BACKUP_DISK_FULL if full else Code.BACKUP_NOT_WRITTEN,
                fields,
                str(error.strerror or error),
            )
        except (DatabaseUnavailableError, BusError) as error:
            problem = Problem(Code.BACKUP_STORE_AWAY, {"reason": str(error)})
        return BackupFailed(job_id=wanted.job_id, problem=problem)

    async def _made(self, wanted: MakeBackup) -> BackupMade:
        path = Path(wanted.path)
        if not path.is_absolute():
            raise OSError(errno.EINVAL, "the path is not absolute", wanted.path)
        head = Head(
            version=VERSION,
            made_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            made_by=__version__,
            sealed_key=wanted.sealed_key,
        )
        await self._bus.archive_now()
        writer = await asyncio.to_thread(BackupWriter, path, head, wanted.recipient)
        grown = _Grown(lambda count: publish(self._bus, BackupGrew(job_id=wanted.job_id, read_bytes=count)))
        rows: dict[str, int] = {}
        try:

            async def begin(contents: dump.Contents) -> None:
                rows.update(contents.rows)
                await asyncio.to_thread(writer.add, CONTENTS, msgspec.json.encode(contents))
                for folder, place in ((CONFIG, self._paths.config), (DATA, self._paths.data)):
                    for name in await asyncio.to_thread(_files, place, flat=folder == CONFIG):
                        count = await asyncio.to_thread(writer.add_file, f"{folder}/{name}", place / name)
                        await grown.add(count)

            async def take_rows(table: str, piece: bytes) -> None:
                await asyncio.to_thread(writer.add, f"{TABLES}/{table}", piece)
                await grown.add(len(piece))

            await dump.save(self._database, begin, take_rows)
            size = await asyncio.to_thread(writer.close)
        finally:
            await asyncio.shield(asyncio.to_thread(writer.discard))
        return BackupMade(
            job_id=wanted.job_id, path=wanted.path, size=size, conversations=rows.get("conversations", 0),
            messages=rows.get("messages", 0), files=rows.get("files", 0),
        )  # fmt: skip


class _Grown:
    """Says now and then how much was read."""

    def __init__(self, say: Callable[[int], Awaitable[object]]) -> None:
        self._say = say
        self._count = 0
        self._said_at = time.monotonic()

    async def add(self, count: int) -> None:
        """So many more bytes."""
        self._count += count
        if time.monotonic() - self._said_at >= SAID_EVERY_S:
            self._said_at = time.monotonic()
            await self._say(self._count)


def _files(place: Path, *, flat: bool) -> list[str]:
    """Return the files to keep, relative to their place; the servers' own folders are not among them.

    Of the folder of settings only its own files: with `TITAN_HOME` the other folders lie in there, too.
    """
    found: list[str] = []
    for path in sorted(place.iterdir()):
        if path.is_symlink() or not (flat or is_kept(path.name)):
            continue
        if path.is_file():
            found.append(path.name)
        elif not flat:
            found += [
                inner.relative_to(place).as_posix()
                for inner in sorted(path.rglob("*"))
                if inner.is_file() and not inner.is_symlink()
            ]
    return [name for name in found if not name.endswith((".part", ".new", ".lock"))]


def is_kept(name: str) -> bool:
    """Whether it is a name in Titan's data that is not a server's, nor hidden, nor made anew from the others."""
    return not name.startswith((".", "postgres", "redis", *DERIVED))
