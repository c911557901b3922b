"""The memory service on the bus: it follows `fs.v1`, answers requests, and owns what runs beside them."""

import asyncio
from types import TracebackType
from typing import Self

from titan_bus import Bus, Event, RequestRefused, Subscription
from titan_desktop.contracts import memory, topics
from titan_desktop.ports.embedder import Embedder
from titan_desktop.ports.extractor import Extractor
from titan_desktop.ports.passages import IndexUnavailableError, Passages, Vectors
from titan_desktop.services.memory.embedding import Embedding
from titan_desktop.services.memory.indexer import Indexer
from titan_desktop.services.memory.pruning import Pruning
from titan_desktop.services.memory.search import Searcher

GROUP = "memory"
FILES_AT_ONCE = 8
"""More than there are extraction workers, so that these have a next file while the database writes the last."""
SEARCHES_AT_ONCE = 4
DRAIN_S = 1.0
"""A file may take longer than a shutdown may: it is read again by the next process."""
MOST_FAILURES = 500


class MemoryService:
    """Files into passages, questions into passages found.

    `async with` it when bus and store are open; leaving it, events in hand go back to the bus.

    Args:
        bus: open.
        passages: the index of words.
        vectors: the index of meanings, over the same passages.
        extractor: text out of files.
        embedder: None: the keyword leg serves alone. The service closes it.
    """

    def __init__(
        self,
        bus: Bus,
        passages: Passages,
        vectors: Vectors,
        extractor: Extractor,
        embedder: Embedder | None = None,
    ) -> None:
        self._bus = bus
        self._passages = passages
        self._vectors = vectors
        self._first_embedder = embedder
        self._embedding = Embedding(bus, vectors)
        self._pruning = Pruning(vectors)
        self._indexer = Indexer(bus, passages, extractor, self._embedding.passages_changed)
        self._searcher = Searcher(passages, vectors, self._embedding)
        self._subscriptions: list[Subscription] = []

    async def __aenter__(self) -> Self:
        await self._embedding.use(self._first_embedder)
        await self._pruning.__aenter__()
        for topic, handler, concurrency in (
            (topics.MEMORY_REQUESTS, self._answer, SEARCHES_AT_ONCE),
            (topics.FS, self._indexer.handle, FILES_AT_ONCE),
        ):
            self._subscriptions.append(
                await self._bus.subscribe(topic, GROUP, handler, concurrency=concurrency)
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(subscription.stop(DRAIN_S) for subscription in self._subscriptions))
        self._subscriptions.clear()
        await self._pruning.__aexit__(kind, error, trace)
        await self._embedding.close()

    def busy(self) -> bool:
        """Whether a file is being read or vectors are being made: the core should not end now."""
        return self._indexer.busy or self._embedding.busy

    async def set_embedder(self, embedder: Embedder | None) -> None:
        """Use another embedder from now on; the old one is closed when nothing needs it any more."""
        await self._embedding.use(embedder)

    def try_embedding_again(self) -> None:
        """Do not wait any longer after a fault of the embedder: settings or key may have mended it."""
        self._embedding.try_again()

    async def _answer(self, event: Event) -> memory.SearchResult | memory.IndexStatus | memory.FailurePage:
        try:
            match event.event_type:
                case "search":
                    return await self._searcher.answer(event.payload_as(memory.Search))
                case "index_status":
                    return await self._status(event.payload_as(memory.GetIndexStatus).failures_limit)
                case "list_failures":
                    return await self._failures(event.payload_as(memory.ListFailures))
                case unknown:
                    raise RequestRefused("unknown_request", unknown)
        except IndexUnavailableError as error:
            raise RequestRefused("index_unavailable", error.reason) from error

    async def _status(self, failures_limit: int) -> memory.IndexStatus:
        counts = await self._passages.counts()
        page = await self._passages.failures(min(max(failures_limit, 0), MOST_FAILURES))
        embedding = self._embedding.state
        return memory.IndexStatus(
            files=counts.files,
            passages=counts.passages,
            failed=counts.failed,
            skipped=counts.skipped,
            vectors=embedding.done if embedding else 0,
            embedding=embedding,
            failures=page.failures if page is not None else (),
        )

    async def _failures(self, wanted: memory.ListFailures) -> memory.FailurePage:
        page = await self._passages.failures(min(max(wanted.limit, 1), MOST_FAILURES), cursor=wanted.cursor)
        if page is None:
            raise RequestRefused("not_found", wanted.cursor)
        return page
