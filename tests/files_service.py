"""The files service in its tests: what it says is heard, and an index remembers it as the indexer would."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from titan_bus import Bus
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts import files
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.message import Kinds
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import IndexUnavailableError
from titan_desktop.services.files import FilesService

LONGEST_OUTAGE = 10
"""Refusals after which the index is back; files.commands.v1 has three retries."""
SAID = Kinds(files.FileSeen, files.FileRenamed, files.FileRemoved, files.PathRefused, files.ScanFinished)


class Index:
    """What the indexer remembers; `learn` deals with what was said as it would."""

    def __init__(self) -> None:
        self.stamps: dict[str, Stamp] = {}
        self.broken: dict[str, Reason] = {}
        self.old: set[str] = set()
        self.down = False
        self.refusals = 0

    async def known(self, folder: Path) -> Mapping[str, Stamp]:
        if self.down:
            self.refusals += 1
            self.down = self.refusals != LONGEST_OUTAGE
            raise IndexUnavailableError("it restarts")
        return {path: stamp for path, stamp in self.stamps.items() if Path(path).is_relative_to(folder)}

    async def failed(self, folder: Path) -> Mapping[str, Reason]:
        return {path: why for path, why in self.broken.items() if Path(path).is_relative_to(folder)}

    async def held(self, paths: Sequence[str]) -> frozenset[str]:
        return frozenset(path for path in paths if any(Path(one).is_relative_to(path) for one in self.stamps))

    async def with_inodes(self, inodes: Sequence[int]) -> Mapping[str, Stamp]:
        return {path: stamp for path, stamp in self.stamps.items() if stamp.inode in inodes}

    async def outdated(self, folder: Path) -> frozenset[str]:
        return frozenset(path for path in self.old if Path(path).is_relative_to(folder))

    def learn(self, heard: Sequence[msgspec.Struct]) -> None:
        for event in heard:
            if isinstance(event, files.FileSeen):
                self.stamps[event.path] = Stamp(event.size, event.mtime_ns, event.inode)
            elif isinstance(event, files.FileRenamed):
                for path in [one for one in self.stamps if Path(one).is_relative_to(event.former_path)]:
                    new = Path(event.path, Path(path).relative_to(event.former_path))
                    self.stamps[str(new)] = self.stamps.pop(path)


class Ear:
    """Hears everything said on the topic, in order, and waits for what a test names."""

    def __init__(self, bus: Bus) -> None:
        self._tail = bus.tail(SAID.topics, start="0")
        self.heard: list[msgspec.Struct] = []

    async def until(self, *wanted: Callable[[msgspec.Struct], bool]) -> list[msgspec.Struct]:
        """Listen until each of `wanted` was heard in this call, or before and not yet forgotten."""
        missing = [want for want in wanted if not any(map(want, self.heard))]
        async with asyncio.timeout(20):
            while missing:
                event = await anext(self._tail)
                if (said := SAID.read(event)) is not None:
                    self.heard.append(said)
                    missing = [want for want in missing if not want(self.heard[-1])]
        return self.heard

    async def finished(self, job_id: str = "") -> files.ScanFinished:
        """Wait for the end of a job, or of any."""
        await self.until(is_finished(job_id))
        return next(event for event in self.heard if is_finished(job_id)(event))

    def forget(self) -> None:
        self.heard.clear()

    def of(self, kind: type[msgspec.Struct]) -> list[str]:
        return sorted(event.path for event in self.heard if isinstance(event, kind))

    async def close(self) -> None:
        await self._tail.close()


def is_finished(job_id: str = "") -> Callable[[msgspec.Struct], bool]:
    return lambda event: isinstance(event, files.ScanFinished) and job_id in {"", event.job_id}


def is_seen(path: Path, size: int | None = None) -> Callable[[msgspec.Struct], bool]:
    return lambda event: (
        isinstance(event, files.FileSeen) and event.path == str(path) and size in {None, event.size}
    )


def is_removed(path: Path, *, folder: bool = False) -> Callable[[msgspec.Struct], bool]:
    return lambda event: (
        isinstance(event, files.FileRemoved) and (event.path, event.folder) == (str(path), folder)
    )


def is_renamed(old: Path, new: Path) -> Callable[[msgspec.Struct], bool]:
    return lambda event: (
        isinstance(event, files.FileRenamed) and (event.former_path, event.path) == (str(old), str(new))
    )


def make_root_with(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("x", "utf-8")


async def becomes(condition: Callable[[], bool]) -> None:
    """Wait for a state of the service that nobody announces."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


@asynccontextmanager
async def started(
    bus: Bus, ear: Ear, index: Index, *roots: Path, **more: object
) -> AsyncIterator[FilesService]:
    """A service after its first scan, which the index has taken in."""
    files_service = FilesService(bus, LocalFilesRoot(roots), index, **more)  # type: ignore[arg-type]
    async with serving(bus, Chain(), files_service) as service:
        if any(root.is_dir() for root in roots):
            await ear.finished()
            index.learn(ear.heard)
        ear.forget()
        yield service
