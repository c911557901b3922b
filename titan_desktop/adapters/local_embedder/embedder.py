"""`LocalEmbedder`: the `Embedder` that needs nothing. Owns the worker process; runs in the core, on its loop."""

import asyncio
import logging
import math
import signal
from array import array
from collections.abc import Sequence
from sys import byteorder

from titan_desktop.adapters.local_embedder import MODEL
from titan_desktop.adapters.local_embedder.process import WorkerEndedError, WorkerProcess, threads
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import ModelError
from titan_desktop.system import processes

AT_ONCE = 8
"""A few seconds' work: what a kill loses."""
IDLE_S = 180.0
"""Then the worker ends and its 50 MB are free; the next question starts another in 0.15 s."""
START_TIMEOUT_S = 30.0
PASSAGE_TIMEOUT_S = 120.0
"""Of one passage, on a machine whose person needs nearly all of it."""
QUERY_TIMEOUT_S = 2.0
COMMAND = ("embedding-worker",)

_OWN_DEATHS = {
    getattr(signal, name, signal.SIGABRT)
    for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS")
}
"""Signals of a program that has failed; others come from outside."""

_log = logging.getLogger(__name__)


class LocalEmbedder:
    """See `ports.embedder.Embedder`.

    Args:
        command: the worker's command line; tests pass one that crashes.
        idle_s: how long a worker without work is kept.
    """

    model = MODEL
    at_once = AT_ONCE

    def __init__(self, command: Sequence[str] = (), idle_s: float = IDLE_S) -> None:
        self._command = list(command) or processes.worker_command(*COMMAND)
        self._idle_s = idle_s
        self._worker: WorkerProcess | None = None
        self._starting: asyncio.Task[WorkerProcess] | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._resting: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def pid(self) -> int:
        """The worker's process id, 0 while there is none."""
        return self._worker.pid if self._worker is not None and self._worker.is_alive else 0

    async def open(self) -> None:
        """See `Embedder`. The worker starts with the first text, which need not come."""

    async def embed_passages(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """See `Embedder`. One at a time, so that cancelling leaves the worker with one at most."""
        return [await self._embed(text, is_question=False, timeout_s=PASSAGE_TIMEOUT_S) for text in texts]

    async def embed_query(self, text: str) -> Sequence[float]:
        """See `Embedder`."""
        return await self._embed(text, is_question=True, timeout_s=QUERY_TIMEOUT_S)

    async def close(self) -> None:
        """End the worker."""
        self._closed = True
        if self._rest is not None:
            self._rest.cancel()
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        if self._worker is not None:
            await self._worker.end()
        if self._resting:
            await asyncio.wait(self._resting)

    async def _embed(self, text: str, *, is_question: bool, timeout_s: float) -> Sequence[float]:
        """Return a text's vector.

        Raises:
            ModelError: TIMED_OUT; CRASHED, perhaps because of the text; WORKER_UNAVAILABLE.
        """
        sent = text.encode("utf-8", "replace").decode()
        try:
            async with asyncio.timeout(timeout_s):
                try:
                    return _numbers(await (await self._started()).embed(sent, is_question=is_question))
                except WorkerEndedError:
                    if not is_question:
                        raise
                # It may have died of a passage, and a person waits.
                return _numbers(await (await self._started()).embed(sent, is_question=True))
        except TimeoutError as error:
            if not is_question and self._worker is not None:
                self._worker.kill()  # it hangs; a question may only have come while it was starting
            raise ModelError(Fault.TIMED_OUT, f"{timeout_s:g} s") from error
        except WorkerEndedError as error:
            raise _fault(error) from error
        finally:
            self._rest_later()

    async def _started(self) -> WorkerProcess:
        """Return a worker that runs. Whoever is cancelled, or has no more time, leaves the start to the next."""
        if self._closed:
            raise ModelError(Fault.WORKER_UNAVAILABLE, "closed")
        if self._worker is not None and self._worker.is_alive:
            return self._worker
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(), name="start of the local embedder")
            self._starting.add_done_callback(_heard)
        starting = self._starting
        try:
            await asyncio.wait([starting])
        finally:
            if starting.done() and self._starting is starting:
                self._starting = None
        if starting.cancelled():
            raise ModelError(Fault.WORKER_UNAVAILABLE, "closed")
        return starting.result()

    async def _start(self) -> WorkerProcess:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                worker = await WorkerProcess.start(self._command, threads())
        except (OSError, TimeoutError, WorkerEndedError) as error:
            raise ModelError(Fault.WORKER_UNAVAILABLE, str(error)) from error
        if worker.open_means:
            _log.info("the embedding worker is not confined by: %s", "; ".join(worker.open_means))
        self._worker = worker
        return worker

    def _rest_later(self) -> None:
        """End the worker when nothing has been asked of it for a while."""
        if self._rest is not None:
            self._rest.cancel()
        if self._closed:
            return
        self._rest = asyncio.get_running_loop().call_later(self._idle_s, self._go_to_rest)

    def _go_to_rest(self) -> None:
        worker = self._worker
        if worker is None or not worker.is_alive or not worker.is_idle:
            return
        self._worker = None
        task = asyncio.create_task(worker.end(), name="end of the local embedder")
        self._resting.add(task)
        task.add_done_callback(self._resting.discard)


def _numbers(vector: bytes) -> Sequence[float]:
    """Return the numbers of a vector, which come from a process that may lie. Raises ModelError."""
    numbers = array("f", vector[: len(vector) // 4 * 4])
    if byteorder == "big":
        numbers.byteswap()
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ModelError(Fault.MALFORMED)
    return numbers.tolist()


def _fault(error: WorkerEndedError) -> ModelError:
    """Tell a death that the text may have caused from one that came from outside, such as a want of memory."""
    is_own = -error.exit_code in _OWN_DEATHS
    return ModelError(Fault.CRASHED if is_own else Fault.WORKER_UNAVAILABLE, str(error))


def _heard(task: "asyncio.Task[WorkerProcess]") -> None:
    if not task.cancelled():
        task.exception()  # nobody may be left to hear it
