"""`PooledExtractor`: a few worker processes. A bad file may crash its worker; the core is not affected.

Runs in the core, on its loop. The core opens each file through the files root; a worker gets the open descriptor
and the extension, and answers with blocks.
"""

import asyncio
import contextlib
import logging
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

from titan_desktop.adapters.extraction import kinds, messages
from titan_desktop.adapters.extraction.limits import OUT_OF_MEMORY_EXIT, Limits
from titan_desktop.adapters.extraction.process import WorkerEndedError, WorkerGoneError, WorkerProcess
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.security import Security
from titan_desktop.ports.extractor import OCR_MISSING, Extracted, ExtractionError, ExtractorUnavailableError
from titan_desktop.ports.files_root import FilesRoot, FilesRootError
from titan_desktop.system import processes, tesseract

_log = logging.getLogger(__name__)

_WORKERS_MAX = 2
_FILES_A_WORKER = 500
"""Then a fresh one takes its place: what native parsers leak is given back."""
_START_TIMEOUT_S = 30.0
"""For a worker to come up, on a machine that is busy."""
_TRIES = 2
"""A worker that died between two files, or at its start on a machine without memory, has a successor."""
_END_TIMEOUT_S = 10.0
COMMAND = ("extraction-worker",)


class WorkersBrokenError(ExtractorUnavailableError):
    """Workers cannot be started."""


class PooledExtractor:
    """See `ports.extractor.Extractor`. An async context manager; leaving it ends the workers.

    Args:
        files_root: opens the files.
        folder: for what workers need on disk, in a folder that is there; made anew, and removed at the end.
        limits: of each worker.
        command: the worker's command line; tests pass one whose parser hangs, crashes and attacks.
    """

    def __init__(
        self,
        files_root: FilesRoot,
        folder: Path,
        limits: Limits | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self._files_root = files_root
        self._folder = folder
        self._limits = limits or Limits()
        self._command = list(command) if command else processes.worker_command(*COMMAND)
        self._free = asyncio.Semaphore(min(_WORKERS_MAX, os.cpu_count() or 1))
        self._preparing = asyncio.Lock()
        self._is_prepared = False
        self._workers: set[WorkerProcess] = set()
        self._idle: list[WorkerProcess] = []
        self._known: messages.Ready | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.kill()
        ends = [asyncio.ensure_future(worker.ended()) for worker in self._workers]
        if ends and (await asyncio.wait(ends, timeout=_END_TIMEOUT_S))[1]:
            _log.warning("the extraction workers did not end in %g s", _END_TIMEOUT_S)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def extract(self, path: Path) -> Extracted:
        """See `Extractor`.

        Raises:
            ExtractionError: no text, with the reason.
            WorkersBrokenError: no worker can be started.
        """
        if kinds.is_refused_by_name(path):
            raise ExtractionError(Reason.UNSUPPORTED)
        if kinds.extension(path) in kinds.PICTURES and tesseract.folder() is None:
            raise ExtractionError(Reason.NO_TEXT, OCR_MISSING)
        async with self._free, self._opened(path) as file:
            answer = await self._answer(path, file)
        match answer:
            case messages.Text(extracted=extracted):
                return extracted
            case messages.Failed(reason=reason, detail=detail):
                raise ExtractionError(reason, detail)
        raise AssertionError(answer)

    async def _answer(self, path: Path, file: BinaryIO) -> messages.Answer:
        try:
            return await self._asked(messages.Read(kinds.extension(path)), file)
        except TimeoutError as error:
            raise ExtractionError(Reason.TIMED_OUT, f"{self._limits.timeout_s:g} s") from error
        except messages.WrongAnswerError as error:
            _log.info("a worker was killed for an invalid answer about %r: %s", str(path), error)
            raise ExtractionError(Reason.CRASHED, f"a wrong answer: {error}") from error
        except WorkerEndedError as error:
            if error.exit_code == OUT_OF_MEMORY_EXIT:
                raise ExtractionError(Reason.OUT_OF_MEMORY) from error
            raise ExtractionError(Reason.CRASHED, str(error)) from error

    async def security(self) -> Security:
        """See `Extractor`."""
        async with self._free:
            await self._prepare()
            try:
                answer = await self._asked(messages.Try(str(self._folder / "outside")), None)
            except (TimeoutError, messages.WrongAnswerError, WorkerEndedError) as error:
                raise WorkersBrokenError(str(error)) from error
        if not isinstance(answer, messages.Tried) or self._known is None:
            raise WorkersBrokenError
        return Security(mechanisms=self._known.mechanisms, attempts=answer.attempts)

    @contextlib.asynccontextmanager
    async def _opened(self, path: Path) -> AsyncIterator[BinaryIO]:
        """Open a file in a thread; whoever is cancelled meanwhile leaves none open."""
        opening = asyncio.ensure_future(asyncio.to_thread(self._files_root.open, path))
        try:
            file = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_the_opened)
            raise
        except FilesRootError as error:
            raise ExtractionError(error.reason, error.detail) from error
        with file:
            yield file

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator[WorkerProcess]:
        """Take a worker that waits, or start one. After any error it is ended."""
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                break
        else:
            worker = await self._started()
        try:
            yield worker
        except BaseException:
            worker.kill()
            raise
        if worker.requests < _FILES_A_WORKER:
            self._idle.append(worker)
        else:
            worker.kill()

    async def _asked(self, request: messages.Request, file: BinaryIO | None) -> messages.Answer:
        """Ask a worker, within the time that it has for a file.

        Raises:
            WorkersBrokenError: none can be had.
            TimeoutError: it took longer than a file may.
            WrongAnswerError, WorkerEndedError: see `WorkerProcess.ask`.
        """
        for tries_left in reversed(range(_TRIES)):
            try:
                async with self._worker() as worker, asyncio.timeout(self._limits.timeout_s):
                    return await worker.ask(request, file)
            except WorkerGoneError:
                pass
            except WorkerEndedError:
                if not tries_left or file is None or _has_been_read(file):
                    raise
            _log.info("an extraction worker ended between two files")
        raise WorkersBrokenError

    async def _started(self) -> WorkerProcess:
        """Return a new worker that is confined.

        Raises:
            WorkersBrokenError: none can be had.
        """
        await self._prepare()
        models = tesseract.folder()
        readable = [self._folder / "lib", *([models] if models is not None else [])]
        for _ in range(_TRIES):
            worker = await self._launched(self._command)
            try:
                async with asyncio.timeout(_START_TIMEOUT_S):
                    ready = await worker.ask(worker.setup(readable))
                if isinstance(ready, messages.Ready):
                    self._tell(ready)
                    return worker
            except (TimeoutError, messages.WrongAnswerError, WorkerEndedError, WorkerGoneError) as error:
                _log.warning("an extraction worker did not start: %s: %.500r", error, worker.said)
            except asyncio.CancelledError:
                worker.kill()
                raise
            worker.kill()
        raise WorkersBrokenError

    def _tell(self, ready: messages.Ready) -> None:
        """Log once how workers are confined."""
        if self._known is None:
            named = (
                f"{one.name}{'' if one.in_force else ' MISSING'} {one.detail}" for one in ready.mechanisms
            )
            _log.info("extraction workers are confined by: %s", "; ".join(map(str.strip, named)))
        self._known = ready

    async def _launched(self, command: Sequence[str]) -> WorkerProcess:
        environment = processes.worker_environment(self._folder / "lib")
        if (models := tesseract.folder()) is not None:
            environment[tesseract.VARIABLE] = str(models)
        try:
            worker = await WorkerProcess.start(command, environment, self._folder / "work", self._limits)
        except OSError as error:
            raise WorkersBrokenError(str(error)) from error
        self._workers.add(worker)
        worker.when_ended(lambda: self._workers.discard(worker))
        return worker

    async def _prepare(self) -> None:
        """Lay the folder out, once, and again where it has gone."""
        async with self._preparing:
            if not self._is_prepared or not await asyncio.to_thread(self._folder.is_dir):
                await asyncio.to_thread(_lay_out, self._folder)
                await self._unpack()
                self._is_prepared = True

    async def _unpack(self) -> None:
        """Let a process that reads nothing foreign, and so is not confined, lay down what parsers unpack."""
        worker = await self._launched([*self._command, messages.PREPARE])
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                code = await worker.ended()
        except TimeoutError as error:
            raise WorkersBrokenError("the parsers could not be unpacked") from error
        finally:
            worker.kill()
        if code != 0:
            _log.warning("the parsers could not be unpacked: %.500r", worker.said)
            raise WorkersBrokenError(worker.said)


def _lay_out(folder: Path) -> None:
    """Make the folder: `lib` gets what parsers unpack, `work` stays empty, no worker reaches `outside`."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        for name in ("lib", "work"):
            (folder / name).mkdir(mode=0o700)
        (folder / "outside").touch(mode=0o600)
    except OSError as error:
        raise WorkersBrokenError(str(error)) from error


def _has_been_read(file: BinaryIO) -> bool:
    """Say whether a worker has begun with the file: its place in it is that of our descriptor, too (dup(2))."""
    return os.lseek(file.fileno(), 0, os.SEEK_CUR) != 0


def _close_the_opened(opening: "asyncio.Future[BinaryIO]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
