"""Vectors for passages, made in the background, and the embedder that a question may use.

After a change of model the old embedder answers questions until the new one's vectors are complete; then the
old vectors go. A fault is said on `memory.v1` and tried again with growing pauses.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence

from titan_bus import Bus, BusError
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.memory import EmbeddingProgress
from titan_desktop.contracts.message import publish
from titan_desktop.ports.embedder import Embedder
from titan_desktop.ports.model import ModelError
from titan_desktop.ports.passages import IndexUnavailableError, Vectors, VectorSizeError

FETCHED = 512
"""Passages that are looked up at once."""
STORED = 64
"""Passages whose vectors are stored at once: what a kill may cost."""
PROGRESS_EVERY_S = 1.0
FIRST_DELAY_S = 2.0
LONGEST_DELAY_S = 300.0
PRUNE_EVERY_S = 3_600.0
"""Vectors of texts that are gone stay so long at least: a file that is moved finds them again."""
ABOUT_THE_TEXT = frozenset({Fault.REFUSED, Fault.CONTEXT_TOO_LONG})
"""Faults that another text may not meet."""
PROBE = "Titan"
"""A text that no embedder refuses, unless it refuses everything."""

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
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether vectors are being made. Waiting for an endpoint that fails is not work."""
        return self._working

    @property
    def embedder(self) -> Embedder | None:
        """The embedder that is configured."""
        return self._embedder

    @property
    def serving(self) -> Embedder | None:
        """The embedder whose vectors should answer a question now."""
        if self._former is not None and not self._complete:
            return self._former
        return self._embedder

    async def use(self, embedder: Embedder | None) -> None:
        """Go over to another embedder, or to none."""
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
        if embedder is not None:
            self._wanted.set()
            self._task = asyncio.create_task(self._keep_up(embedder), name=f"embedding {embedder.model}")

    def passages_changed(self) -> None:
        """Look for passages without a vector."""
        self._wanted.set()

    async def close(self) -> None:
        """Stop; what is stored stays, the rest is made after the next start."""
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
        """Supervise: whatever goes wrong is said, and tried again later."""
        delay_s = FIRST_DELAY_S
        while True:
            self._wanted.clear()
            try:
                await embedder.open()
                await self._catch_up(embedder)
            except Exception as error:  # a supervisor: without it the vectors would end silently
                self._working = False
                known = isinstance(error, (ModelError, VectorSizeError, IndexUnavailableError))
                log.warning("no vectors of %s: %s", embedder.model, error, exc_info=not known)
                await self._say(embedder, fault=str(error) if known else type(error).__name__)
                await asyncio.sleep(max(delay_s, getattr(error, "retry_after_s", 0.0)))
                delay_s = min(delay_s * 2, LONGEST_DELAY_S)
            else:
                self._working = False
                delay_s = FIRST_DELAY_S
                await self._rest()

    async def _rest(self) -> None:
        """Wait for new passages, and throw away what nobody needs while there are none."""
        while not self._wanted.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PRUNE_EVERY_S):
                    await self._wanted.wait()
                return
            with contextlib.suppress(IndexUnavailableError):
                await self._vectors.prune()

    async def _catch_up(self, embedder: Embedder) -> None:
        """Embed until every passage has been dealt with."""
        said_at = time.monotonic()
        made = 0
        while texts := await self._vectors.missing(embedder.model, FETCHED):
            self._working = True
            for start in range(0, len(texts), STORED):
                vectors = await self._embed(embedder, texts[start : start + STORED])
                await self._store(embedder, vectors)
                made += len(vectors)
                if time.monotonic() - said_at >= PROGRESS_EVERY_S:
                    said_at = time.monotonic()
                    await self._say(embedder)
        first = not self._complete
        if first:
            await self._vectors.keep_only(embedder.model)
            self._complete = True
            await self._drop_former()
        if made or first:
            await self._say(embedder)

    async def _store(self, embedder: Embedder, vectors: Mapping[str, Sequence[float] | None]) -> None:
        try:
            await self._vectors.store(embedder.model, vectors)
        except VectorSizeError:
            # Another model under the same name: what is stored answers none of its questions.
            await self._vectors.forget(embedder.model)
            raise

    async def _embed(self, embedder: Embedder, texts: Sequence[str]) -> Mapping[str, Sequence[float] | None]:
        try:
            return dict(zip(texts, await embedder.embed_passages(texts), strict=True))
        except ModelError as error:
            if error.fault not in ABOUT_THE_TEXT:
                raise
        # One of the texts, or the endpoint refuses everything: then the probe raises.
        await embedder.embed_passages([PROBE])
        return {text: await self._embed_alone(embedder, text) for text in texts}

    async def _embed_alone(self, embedder: Embedder, text: str) -> Sequence[float] | None:
        try:
            return (await embedder.embed_passages([text]))[0]
        except ModelError as error:
            if error.fault not in ABOUT_THE_TEXT:
                raise
            log.warning("%s refuses a passage of %d characters: %s", embedder.model, len(text), error.detail)
            return None

    async def _say(self, embedder: Embedder, fault: str = "") -> None:
        # How far it is does not matter to anybody when neither store nor bus can be asked.
        with contextlib.suppress(IndexUnavailableError, BusError):
            done, total = await self._vectors.progress(embedder.model)
            said = EmbeddingProgress(model=embedder.model, done=done, total=total, fault=fault)
            await publish(self._bus, said, priority="low")
