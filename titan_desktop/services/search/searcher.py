"""Finds the best files for a question: keyword and vector search run concurrently, and are fused."""

import asyncio
import time
from collections.abc import Callable, Sequence

from titan_desktop.contracts.search import Search, SearchResult
from titan_desktop.ports.embedder import Embedder
from titan_desktop.ports.model import ModelError
from titan_desktop.ports.passages import Found, Passages, Vectors, VectorSizeError
from titan_desktop.services.search.fusion import best_of_files

BREADTH = 100
"""The least number of passages that each search returns."""
MOST_FILES = 100
REST_S = 30.0
"""How long a failed embedder is not called, so that not every question waits its two seconds."""


class Searcher:
    """Answers `search`."""

    def __init__(self, passages: Passages, vectors: Vectors, embedder: Callable[[], Embedder | None]) -> None:
        self._passages = passages
        self._vectors = vectors
        self._embedder = embedder
        self._resting: tuple[Embedder, float, str] | None = None

    async def answer(self, search: Search) -> SearchResult:
        """Return the best files.

        Raises:
            IndexUnavailableError: the store is away.
        """
        limit = min(max(search.limit, 1), MOST_FILES)
        breadth = max(BREADTH, limit * 3)
        if not search.query.strip():
            return SearchResult(hits=())
        by_words, (near, degraded) = await asyncio.gather(
            self._passages.find_words(search.query, breadth), self._near(search.query, breadth)
        )
        if near is None:
            return SearchResult(hits=best_of_files([by_words], limit), degraded=degraded)
        hits = best_of_files([by_words, near], limit)
        return SearchResult(
            hits=hits,
            legs=("keyword", "vector"),
            degraded=degraded,
            nearest_only=bool(hits) and not by_words,
        )

    async def _near(self, query: str, breadth: int) -> tuple[Sequence[Found] | None, str]:
        """Return the vector search's passages, or None and why it failed ("" when there is no embedder)."""
        embedder = self._embedder()
        if embedder is None:
            return None, ""
        if self._resting is not None:
            resting, until, why = self._resting
            if resting is embedder and time.monotonic() < until:
                return None, why
        try:
            vector = await embedder.embed_query(query)
            self._resting = None
            return await self._vectors.find_near(embedder.model, vector, breadth), ""
        except (ModelError, VectorSizeError) as error:
            why = str(error) if isinstance(error, ModelError) else f"vectors_differ: {error}"
            self._resting = (embedder, time.monotonic() + REST_S, why)
            return None, why
