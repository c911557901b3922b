"""Follows one indexing job over the bus until every file of it has been dealt with.

`titan index` shows the outcome; `ask` and `search` use it to wait for the first scan.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import msgspec

from titan_bus import Bus, Event, new_ulid
from titan_desktop.contracts import files, memory, topics

COMMAND_BYTES_MAX = 16_000
"""Paths in one command, as UTF-8: JSON's escapes at their worst double that, and an event has 32 KB."""
SILENCE_S = 180.0
"""Longer than any one file may take: after it, what is left will not come any more."""

_FOLLOWED: dict[str, type[msgspec.Struct]] = {
    topics.type_of(struct): struct
    for struct in (files.FileSeen, files.PathRefused, files.ScanFinished, memory.FileIndexed)
}


class StalledError(Exception):
    """No news for SILENCE_S; `left` files were not answered for."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} files left")
        self.left = left


class Job:
    """What is known of a job. Events may come in any order and more than once; sets make that harmless.

    A core that dies in mid-scan scans again after its restart, so the files said before and after count both: the
    job is over when its scans have finished and every file that was said has its outcome.
    """

    def __init__(self, paths: Sequence[str], *, force: bool = False) -> None:
        self.commands = tuple(
            files.IndexPaths(job_id=new_ulid(), paths=batch, force=force) for batch in _batches(paths)
        )
        self._open = {command.job_id for command in self.commands}
        self._ids = frozenset(self._open)
        self._unchanged: dict[str, int] = {}
        self._waiting: set[str] = set()
        self.outcomes: dict[str, memory.FileIndexed] = {}
        self.refused: dict[str, str] = {}

    @property
    def left(self) -> int:
        """How many files have been said and not dealt with."""
        return len(self._waiting)

    @property
    def finished(self) -> bool:
        """Whether everything has been said and dealt with."""
        return not self._open and not self._waiting

    @property
    def unchanged(self) -> int:
        """How many files the index knew already."""
        known = sum(self._unchanged.values())
        return known + len(self.of(memory.Outcome.UNCHANGED))

    def of(self, outcome: memory.Outcome) -> list[memory.FileIndexed]:
        """Return the files with this outcome, by path."""
        return sorted(
            (news for news in self.outcomes.values() if news.outcome is outcome), key=lambda n: n.path
        )

    def take(self, event: Event) -> bool:
        """Learn from an event; say whether it belonged to this job."""
        match _decoded(event):
            case files.FileSeen(path=path, job_id=job_id) if job_id in self._ids:
                if path not in self.outcomes:
                    self._waiting.add(path)
            case files.PathRefused(path=path, reason=reason, job_id=job_id) if job_id in self._ids:
                self.refused[path] = reason
            case files.ScanFinished(job_id=job_id, unchanged=unchanged) if job_id in self._ids:
                self._open.discard(job_id)
                self._unchanged[job_id] = unchanged
            case memory.FileIndexed(path=path, job_id=job_id) as news if job_id in self._ids:
                self.outcomes[path] = news
                self._waiting.discard(path)
            case _:
                return False
        return True


async def run(bus: Bus, job: Job, on_progress: Callable[[int, int], None]) -> None:
    """Publish the job's commands and follow it to its end.

    Raises:
        StalledError: nothing was heard of it for SILENCE_S.
        BusError: the bus is gone.
    """
    tail = bus.tail([topics.FS, topics.MEMORY], start="$")
    try:
        await tail.start()  # before the commands go out: nothing of theirs may be missed
        for command in job.commands:
            await bus.publish(topics.FS, topics.type_of(command), command)
        async for event in _within_silence(tail, job):
            if job.take(event):
                on_progress(len(job.outcomes), len(job.outcomes) + job.left)
            if job.finished:
                return
    finally:
        await tail.close()


async def _within_silence(tail: AsyncIterator[Event], job: Job) -> AsyncIterator[Event]:
    while True:
        try:
            yield await asyncio.wait_for(anext(tail), SILENCE_S)
        except TimeoutError as error:
            raise StalledError(job.left) from error


def _decoded(event: Event) -> object:
    struct = _FOLLOWED.get(event.event_type)
    return event.payload_as(struct) if struct else None


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
