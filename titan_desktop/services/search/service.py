"""The search service: declares its handler."""

from collections.abc import Callable

from titan_bus import Handlers, RequestRefused
from titan_desktop.contracts.declaring import take
from titan_desktop.contracts.search import Search, SearchResult
from titan_desktop.ports.embedder import Embedder
from titan_desktop.ports.passages import IndexUnavailableError, Passages, Vectors
from titan_desktop.services.search.searcher import Searcher

GROUP = "search"
SEARCHES_AT_ONCE = 4


class SearchService:
    """Answers `search`.

    Args:
        passages: the keyword index.
        vectors: the vector index over the same passages.
        embedder: returns the embedder whose vectors are current; None: keyword search alone.
    """

    drain_s = 1.0

    def __init__(
        self, passages: Passages, vectors: Vectors, embedder: Callable[[], Embedder | None] = lambda: None
    ) -> None:
        self._searcher = Searcher(passages, vectors, embedder)
        self.handlers = Handlers()
        take(self.handlers, GROUP, self.search, concurrency=SEARCHES_AT_ONCE)

    async def search(self, wanted: Search) -> SearchResult:
        """Find the best files.

        Raises:
            RequestRefused: `index_unavailable`.
        """
        try:
            return await self._searcher.answer(wanted)
        except IndexUnavailableError as error:
            raise RequestRefused("index_unavailable", error.reason) from error
