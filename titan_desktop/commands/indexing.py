"""Follows one indexing job on the bus until all its files are processed.

`titan index` shows the outcome; `ask` and `search` wait for the first scan with it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import PurePath

from titan_bus import Bus, Event, Tail, new_ulid
from titan_desktop.contracts import files, indexing
from titan_desktop.contracts.indexing import Outcome
from titan_desktop.contracts.message import Kinds, publish

COMMAND_BYTES_MAX = 16_000
"""Paths in one command, as UTF-8: JSON's escapes at their worst double that, and an event has 32 KB."""
SILENCE_S = 180.0
"""Longer than any one file may take: after it, no more outcomes are expected."""

_FOLLOWED = Kinds(
    files.FileSeen,
    files.FileRenamed,
    files.FileRemoved,
    files.PathRefused,
    files.ScanFinished,
    indexing.FileIndexed,
)


class StalledError(Exception):
    """No events for SILENCE_S; `left` files have no outcome."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} files left")
        self.left = left


class Job:
    """The state of a job. Events may come in any order and more than once; sets make that harmless.

    A core that dies during a scan scans again after its restart, so files of both scans count: the job is over
    when its scans have finished and every published file has its outcome.
    """

    def __init__(self, paths: Sequence[str], *, force: bool = False) -> None:
        self.commands = tuple(
            files.IndexPaths(job_id=new_ulid(), paths=batch, force=force) for batch in _batches(paths)
        )
        self._open = {command.job_id for command in self.commands}
        self._ids = frozenset(self._open)
        self._unchanged: dict[str, int] = {}
        self._failed_before: dict[str, int] = {}
        self._scope = frozenset(paths)
        self._waiting: set[str] = set()
        self._outcomes: dict[str, indexing.FileIndexed] = {}
        self._by_others: dict[str, indexing.FileIndexed] = {}
        self.refused: dict[str, str] = {}

    @property
    def left(self) -> int:
        """How many files have no outcome yet."""
        return len(self._waiting)

    @property
    def finished(self) -> bool:
        """Whether everything has been published and has an outcome."""
        return not self._open and not self._waiting

    @property
    def done(self) -> int:
        """How many files of this job have an outcome."""
        return len(self._outcomes)

    def outcomes(self) -> dict[str, indexing.FileIndexed]:
        """Return what became of every file that was read meanwhile, by path; unchanged ones are not in it.

        A core that starts, or watches, reads files on its own account. What it has read by the time that this job
        comes to it is unchanged for the job and news for the person.
        """
        return self._by_others | self._read_by_us()

    def unchanged(self) -> int:
        """The number of files that needed no reading."""
        ours = self._read_by_us()
        said_here = len(self._outcomes) - len(ours)
        there = {path for path, said in self._by_others.items() if said.outcome is not Outcome.REMOVED}
        return max(0, sum(self._unchanged.values()) + said_here - len(there - ours.keys()))

    def failed_before(self) -> int:
        """The number of unchanged files that could not be read before."""
        ours = self._outcomes.keys()
        news = {path for path, said in self._by_others.items() if said.outcome is Outcome.FAILED}
        return max(0, sum(self._failed_before.values()) - len(news - ours))

    def of(self, outcome: Outcome) -> list[indexing.FileIndexed]:
        """Return the files with this outcome, by path."""
        return [news for _, news in sorted(self.outcomes().items()) if news.outcome is outcome]

    def partial(self) -> list[indexing.FileIndexed]:
        """Return the files that were read only in part, by path; they are among the indexed ones, too."""
        return [news for news in self.of(Outcome.INDEXED) if news.reason]

    def _read_by_us(self) -> dict[str, indexing.FileIndexed]:
        return {path: news for path, news in self._outcomes.items() if news.outcome is not Outcome.UNCHANGED}

    def take(self, event: Event) -> bool:
        """Process an event. Returns whether it belonged to this job."""
        match _FOLLOWED.read(event):
            case (
                files.FileSeen(path=path, job_id=job_id)
                | files.FileRenamed(path=path, job_id=job_id)
                | files.FileRemoved(path=path, job_id=job_id)
            ) if job_id in self._ids:
                if path not in self._outcomes:
                    self._waiting.add(path)
            case files.PathRefused(path=path, reason=reason, job_id=job_id) if job_id in self._ids:
                self.refused[path] = reason
            case files.ScanFinished(job_id=job_id, unchanged=unchanged, failed=failed) if job_id in self._ids:
                self._open.discard(job_id)
                self._unchanged[job_id] = unchanged
                self._failed_before[job_id] = failed
            case indexing.FileIndexed(path=path, job_id=job_id) as news if job_id in self._ids:
                self._outcomes[path] = news
                self._waiting.discard(path)
            case indexing.FileIndexed(path=path, outcome=outcome) as news if self._covers(path):
                if outcome is not Outcome.UNCHANGED:
                    self._by_others[path] = news
            case _:
                return False
        return True

    def _covers(self, path: str) -> bool:
        parents = (str(parent) for parent in PurePath(path).parents)
        return not self._scope or path in self._scope or any(parent in self._scope for parent in parents)


@contextlib.asynccontextmanager
async def listening(bus: Bus) -> AsyncIterator[Tail]:
    """Tail from now on, so that no event of a file after this point is missed."""
    tail = bus.tail(_FOLLOWED.topics)
    try:
        await tail.start()
        yield tail
    finally:
        await tail.close()


async def run(bus: Bus, tail: Tail, job: Job, on_progress: Callable[[int, int], None]) -> None:
    """Publish the job's commands and follow it along `tail` to its end.

    Raises:
        StalledError: no events for SILENCE_S.
        BusError: the bus is gone.
    """
    for command in job.commands:
        await publish(bus, command)
    async for event in _within_silence(tail, job):
        if job.take(event):
            on_progress(job.done, job.done + job.left)
        if job.finished:
            return


async def _within_silence(tail: AsyncIterator[Event], job: Job) -> AsyncIterator[Event]:
    while True:
        try:
            yield await asyncio.wait_for(anext(tail), SILENCE_S)
        except TimeoutError as error:
            raise StalledError(job.left) from error


def _batches(paths: Iterable[str]) -> list[tuple[str, ...]]:
    """Split into commands that fit into an event; no path at all is one command for all roots."""
    batches: list[list[str]] = [[]]
    size = 0
    for path in paths:
        size += len(path.encode()) + 3
        if batches[-1] and size > COMMAND_BYTES_MAX:
            batches.append([])
            size = len(path.encode()) + 3
        batches[-1].append(path)
    return [tuple(batch) for batch in batches]
