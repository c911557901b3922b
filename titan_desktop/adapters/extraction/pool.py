"""`PooledExtractor`: a few worker processes, each of which a file may cost, none of which costs Titan.

Runs in the core, on its loop; the files are opened and read in the workers alone.
"""

import asyncio
import logging
import multiprocessing
import os
from collections.abc import Iterable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Self

from pebble import ProcessExpired, ProcessPool

from titan_desktop.adapters.extraction import kinds, worker
from titan_desktop.adapters.extraction.limits import OUT_OF_MEMORY_EXIT, Limits
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.extractor import Extracted, ExtractionError, ExtractorUnavailableError

_log = logging.getLogger(__name__)

_WORKERS_MAX = 2
_FILES_A_WORKER = 500
"""Then a fresh one takes its place: what native parsers leak is given back."""
_START_ALLOWANCE_S = 30.0
"""For a worker to come up before a file's own time begins, on a machine that is busy."""
_CLOSE_TIMEOUT_S = 10.0


class WorkersBrokenError(ExtractorUnavailableError):
    """Workers cannot be started."""


class PooledExtractor:
    """See `ports.extractor.Extractor`. An async context manager; leaving it ends the workers.

    `reader` is what a worker does with a file; tests pass what hangs and what crashes.
    """

    def __init__(
        self, roots: Iterable[Path], limits: Limits | None = None, reader: worker.Reader = worker.read_file
    ) -> None:
        self._roots = tuple(roots)
        self._limits = limits or Limits()
        self._reader = reader
        self._workers = min(_WORKERS_MAX, os.cpu_count() or 1)
        self._free = asyncio.Semaphore(self._workers)
        self._pool: ProcessPool | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await _close(pool)

    async def extract(self, path: Path) -> Extracted:
        """See `Extractor`.

        Raises:
            ExtractionError: no text, with the reason.
            WorkersBrokenError: no worker can be started.
        """
        if kinds.is_refused_by_name(path):
            raise ExtractionError(Reason.UNSUPPORTED)
        async with self._free:
            try:
                return await self._read(path)
            except BrokenProcessPool:
                # A worker that died between two files takes pebble's whole pool with it; the file is not at fault.
                _log.warning("the extraction workers are started again")
            try:
                return await self._read(path)
            except BrokenProcessPool as error:
                raise WorkersBrokenError from error

    async def _read(self, path: Path) -> Extracted:
        pool = await self._running()
        limit_s = self._limits.timeout_s
        try:
            future = pool.schedule(worker.run, args=(self._reader, str(path)), timeout=limit_s)
        except RuntimeError as error:  # what pebble says of a pool that broke while it was idle
            raise BrokenProcessPool from error
        try:
            async with asyncio.timeout(limit_s + _START_ALLOWANCE_S):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise ExtractionError(Reason.TIMED_OUT, f"{limit_s:g} s") from error
        except ProcessExpired as error:
            if error.exitcode == OUT_OF_MEMORY_EXIT:
                raise ExtractionError(Reason.OUT_OF_MEMORY) from error
            raise ExtractionError(Reason.CRASHED, f"exit code {error.exitcode}") from error

    async def _running(self) -> ProcessPool:
        """Return the pool, a new one where the old is broken.

        pebble starts workers in the thread that schedules, which must live as long as they do: PR_SET_PDEATHSIG
        counts the death of that thread as the parent's (prctl(2)). So it is the loop's, for some milliseconds.
        """
        pool = self._pool
        if pool is not None and not pool.active:
            self._pool = None
            await _close(pool)
        if self._pool is None:
            spawn: Any = multiprocessing.get_context("spawn")  # pebble's type for it does not fit Windows
            self._pool = ProcessPool(
                max_workers=self._workers,
                max_tasks=_FILES_A_WORKER,
                initializer=worker.start,
                initargs=(self._roots, self._limits),
                context=spawn,
            )
        return self._pool


async def _close(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # pebble's
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await asyncio.to_thread(pool.join)
    except TimeoutError:
        _log.warning("the extraction workers did not end in %g s", _CLOSE_TIMEOUT_S)
