"""Makes the vectors of passages in the background, and provides the embedder for questions.

After a change of model the old embedder answers questions until the new one's vectors are complete; then the old
vectors are deleted. A fault is published on `indexing.v1`, and retried with growing pauses.

The head of each file comes first, that of the newest file before all others: a folder is searchable in minutes.
The rest is walked in the order in which passages were stored. Passages up to `_place`, and heads up to `_headed`,
are done and not read again.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from titan_bus import Bus, BusError
from titan_bus.backoff import Backoff
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.indexing import EmbeddingProgress
from titan_desktop.contracts.message import publish
from titan_desktop.ports.embedder import Embedder, embedded
from titan_desktop.ports.model import ModelError
from titan_desktop.ports.passages import IndexUnavailableError, Stretch, Vectors, VectorSizeError
from titan_desktop.system.outage import Outage

FETCHED = 1_024
"""Passages read in one step."""
HEADS = 128
"""Heads read in one step: the next one takes those into account that have come meanwhile."""
PROGRESS_EVERY_S = 1.0
FIRST_DELAY_S = 2.0
LONGEST_DELAY_S = 300.0
LONGEST_ASKED_S = 900.0
"""An endpoint that asks for a longer pause is tried again all the same: limits are raised, accounts topped up."""

log = logging.getLogger(__name__)


class Embedding:
    """Owns the embedders and the one task that makes vectors."""

    def __init__(self, bus: Bus, vectors: Vectors) -> None:
        self._bus = bus
        self._vectors = vectors
        self._embedder: Embedder | None = None
        self._former: Embedder | None = None
        self._complete = False
        self._working = False
        self._place = self._headed = self._left = self._total = 0
        self._trouble: Mapping[str, str] = {}
        self._said_at = 0.0
        self._said: EmbeddingProgress | None = None
        self._wanted = asyncio.Event()
        self._again = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether vectors are being made. Waiting for a failing endpoint does not count."""
        return self._working

    @property
    def state(self) -> EmbeddingProgress | None:
        """The progress of the configured embedder, and its fault; None without one."""
        if self._embedder is None:
            return None
        done = min(max(self._total - self._left, 0), self._total)
        return EmbeddingProgress(model=self._embedder.model, done=done, total=self._total, **self._trouble)

    @property
    def embedder(self) -> Embedder | None:
        """The configured embedder."""
        return self._embedder

    @property
    def serving(self) -> Embedder | None:
        """The embedder whose vectors should answer a question now."""
        if self._former is not None and not self._complete:
            return self._former
        return self._embedder

    async def use(self, embedder: Embedder | None) -> None:
        """Change to another embedder, or to none."""
        await self._stop()
        if embedder is not None and self._complete:
            self._former, leaving = self._embedder, self._former
        else:
            leaving = self._embedder
        if embedder is None:
            await self._drop_former()
        if leaving is not None:
            await leaving.close()
        self._embedder, self._complete = embedder, False
        self._place = self._headed = self._left = self._total = 0
        self._trouble, self._said = {}, None
        if embedder is not None:
            self._wanted.set()
            self._task = asyncio.create_task(self._keep_up(embedder), name=f"embedding {embedder.model}")

    def passages_changed(self) -> None:
        """Look for passages without a vector."""
        self._wanted.set()

    def try_again(self) -> None:
        """End a pause after a fault, because the cause may have been fixed."""
        self._again.set()

    async def close(self) -> None:
        """Stop. Stored vectors stay; the rest is made after the next start."""
        await self.use(None)

    async def _stop(self) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.wait([task])
        self._working = False

    async def _drop_former(self) -> None:
        if self._former is not None:
            former, self._former = self._former, None
            await former.close()

    async def _keep_up(self, embedder: Embedder) -> None:
        """Make vectors until cancelled: the supervisor, which publishes and retries every failure."""
        backoff = Backoff(FIRST_DELAY_S, LONGEST_DELAY_S, jitter=False)
        outage = Outage(log, f"the vectors of {embedder.model}")
        while True:
            self._wanted.clear()
            self._again.clear()
            try:
                await embedder.open()
                await self._catch_up(embedder)
            except Exception as error:  # noqa: BLE001 - a supervisor: without it the vectors would end silently
                self._working = False
                code, detail = _fault(error)
                outage.begins(error, foreseen=code is not Fault.INTERNAL)
                asked_s = min(getattr(error, "retry_after_s", 0.0), LONGEST_ASKED_S)
                await self._wait(max(backoff.next_s(), asked_s), code, detail)
            else:
                self._working = False
                backoff.reset()
                outage.ends()
                await self._wanted.wait()

    async def _wait(self, wait_s: float, fault: str, detail: str) -> None:
        """Publish the fault and the time of the next try, and wait; `try_again` ends the wait."""
        at = datetime.now(UTC) + timedelta(seconds=wait_s)
        self._trouble = {"fault": fault, "detail": detail, "retry_at": at.isoformat(timespec="seconds")}
        await self._say()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._again.wait()

    async def _catch_up(self, embedder: Embedder) -> None:
        """Embed until every passage is done: heads first, also those that come while the rest is being done."""
        self._said_at = time.monotonic()
        self._left, self._total = await self._vectors.lacking(embedder.model, self._place)
        await self._embed_heads(embedder)
        while (stretch := await self._vectors.stretch(embedder.model, self._place, FETCHED)).passed:
            self._count(stretch)
            for texts in _batches(stretch.texts, embedder.at_once):
                await self._make(embedder, texts)
                if self._wanted.is_set():
                    await self._embed_heads(embedder)
                    break  # some of these may be among them
            else:
                self._place = stretch.end
        self._count(stretch)
        self._left, self._trouble = 0, {}
        if not self._complete:
            await self._vectors.keep_only(embedder.model)
            self._complete = True
            await self._drop_former()
        if self.state != self._said:
            await self._say()

    async def _embed_heads(self, embedder: Embedder) -> None:
        """Embed the first passage of each file that has none yet, newest files first."""
        self._wanted.clear()
        passed = HEADS
        while passed == HEADS:
            heads = await self._vectors.heads(embedder.model, self._headed, HEADS)
            self._count(heads)
            for texts in _batches(heads.texts, embedder.at_once):
                await self._make(embedder, texts)
            passed = heads.passed
        self._headed = heads.end

    def _count(self, stretch: Stretch) -> None:
        """Count in what has been stored or removed since the last look: roughly, until all are done."""
        self._left += stretch.total - self._total
        self._total = stretch.total

    async def _make(self, embedder: Embedder, texts: Sequence[str]) -> None:
        """Make and store the vectors of a batch."""
        self._working = True
        vectors = await embedded(embedder, texts)
        await self._store(embedder, vectors)
        self._left -= len(vectors)
        self._trouble = {}
        if (
            self._left > 0 and time.monotonic() - self._said_at >= PROGRESS_EVERY_S
        ):  # the last word is `_catch_up`'s
            self._said_at = time.monotonic()
            await self._say()

    async def _store(self, embedder: Embedder, vectors: Mapping[str, Sequence[float] | None]) -> None:
        try:
            await self._vectors.store(embedder.model, vectors)
        except VectorSizeError:
            # Another model under the same name: the stored vectors do not match its questions.
            await self._vectors.forget(embedder.model)
            self._place = self._headed = 0
            raise

    async def _say(self) -> None:
        """Publish the progress. It may be lost while the bus is away; a later request returns the state."""
        said = self._said = self.state
        if said is not None:
            with contextlib.suppress(BusError):
                await publish(self._bus, said, priority="low")


def _batches(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (texts[start : start + size] for start in range(0, len(texts), size))


def _fault(error: Exception) -> tuple[str, str]:
    """Return the code of a fault, and its detail."""
    match error:
        case ModelError():
            return error.fault, error.detail
        case VectorSizeError():
            return "vectors_differ", str(error)
        case IndexUnavailableError():
            return "index_unavailable", error.reason
        case _:
            return Fault.INTERNAL, type(error).__name__
