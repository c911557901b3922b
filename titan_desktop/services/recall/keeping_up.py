"""Keeps the index of messages, and its vectors, up to date with the history.

What is behind is found by a comparison with the history, at the start and from time to time; what has just been
said is indexed before its event is acknowledged. So a kill loses nothing, and what a former version stored, or
came back with a backup, is indexed like what is new.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from titan_bus.backoff import Backoff
from titan_desktop.ports.embedder import Embedder, embedded
from titan_desktop.ports.model import ModelError
from titan_desktop.ports.passages import IndexUnavailableError, Vectors, VectorSizeError
from titan_desktop.ports.turns import Turns
from titan_desktop.system.outage import Outage

FETCHED = 256
"""Passages read in one step."""
LOOK_EVERY_S = 30.0
"""An embedder that is there only now, or another one, is not told."""
FIRST_DELAY_S = 2.0
LONGEST_DELAY_S = 300.0

_log = logging.getLogger(__name__)


class KeepingUp:
    """Owns the task. `embedder` returns the one whose vectors are current, None for none."""

    def __init__(self, turns: Turns, vectors: Vectors, embedder: Callable[[], Embedder | None]) -> None:
        self._turns = turns
        self._vectors = vectors
        self._embedder = embedder
        self._places: dict[str, int] = {}
        self._changing = asyncio.Lock()
        self._wanted = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.busy = False
        """Whether messages are being indexed or embedded."""

    def start(self) -> None:
        """Begin with what is behind now."""
        self._task = asyncio.create_task(self._keep_up(), name="messages: index")

    async def stop(self) -> None:
        """End; what is not done is done after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def look(self) -> None:
        """Compare with the history now: much was said at once."""
        self._caught_up.clear()
        self._wanted.set()

    async def index(self, conversation_id: str) -> None:
        """Index what was said or deleted in a conversation.

        Raises:
            IndexUnavailableError: not now; call it again.
        """
        async with self._changing:
            if await self._turns.catch_up(conversation_id):
                await self._vectors.prune(0)
        self._wanted.set()

    async def until_caught_up(self) -> None:
        """Wait until the words of all that was said before are indexed."""
        await self._caught_up.wait()

    async def _keep_up(self) -> None:
        """A supervisor: every failure is logged, and tried again with growing pauses."""
        backoff = Backoff(FIRST_DELAY_S, LONGEST_DELAY_S, jitter=False)
        outage = Outage(_log, "the index of messages")
        while True:
            self._wanted.clear()
            try:
                await self._catch_up()
                await self._embed()
            except Exception as error:  # noqa: BLE001 - a supervisor: without it messages would silently be missing
                self.busy = False
                known = isinstance(error, IndexUnavailableError | ModelError | VectorSizeError)
                outage.begins(error, foreseen=known)
                await backoff.pause()
            else:
                self.busy = False
                backoff.reset()
                outage.ends()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._wanted.wait()

    async def _catch_up(self) -> None:
        for conversation_id in await self._turns.behind():
            self.busy = True
            try:
                await self.index(conversation_id)
            except IndexUnavailableError:
                raise
            except Exception:  # noqa: BLE001 - a supervisor: one conversation must not keep the others from being found
                _log.exception("conversation %s cannot be indexed", conversation_id)
        self._caught_up.set()

    async def _embed(self) -> None:
        """Embed until every message is done, or something new was said: words come first."""
        embedder = self._embedder()
        if embedder is None:
            return
        place = self._places.get(embedder.model, 0)
        while (stretch := await self._vectors.stretch(embedder.model, place, FETCHED)).passed:
            for start in range(0, len(stretch.texts), embedder.at_once):
                self.busy = True
                await self._make(embedder, stretch.texts[start : start + embedder.at_once])
                if self._embedder() is not embedder:
                    self._wanted.set()
                    return
            place = self._places[embedder.model] = stretch.end
        await self._vectors.keep_only(embedder.model)

    async def _make(self, embedder: Embedder, texts: Sequence[str]) -> None:
        vectors = await embedded(embedder, texts)
        try:
            await self._vectors.store(embedder.model, vectors)
        except VectorSizeError:
            # Another model under the same name: the stored vectors do not match its questions.
            await self._vectors.forget(embedder.model)
            self._places.pop(embedder.model, None)
            raise
