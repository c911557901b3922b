"""Finds the best files for a question: reads its filters, runs both legs side by side, and adds their scores."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from titan_desktop.contracts.search import Filters, Instead, ReadFilters, Search, SearchResult
from titan_desktop.contracts.sources import FilePassage
from titan_desktop.ports.embedder import Embedder
from titan_desktop.ports.model import ModelError
from titan_desktop.ports.passages import Found, Passages, Vectors, VectorSizeError
from titan_desktop.services.search import wording
from titan_desktop.services.search.fusion import chosen, fused

BREADTH = 100
"""The least number of passages that each search returns."""
MOST_FILES = 100
MOST_OF_FILE = 10
REST_S = 30.0
"""How long a failed embedder is not called, so that not every question waits its two seconds."""
WORTH = 0.3
"""A filter that was read holds while the best word score that it leaves is so much of the best of all."""
PREFERENCE = 1.2
"""What the score of a file of the time that is asked for is multiplied with."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Candidates:
    """What the two legs found, and what each knows of what the other found."""

    found: dict[int, Found] = field(default_factory=dict)
    words: Mapping[int, float] = field(default_factory=dict)
    nearness: Mapping[int, float] = field(default_factory=dict)
    best_word: float = 0.0
    whole: float = 0.0
    vectors: bool = False
    degraded: str = ""
    instead: Instead | None = None


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
        if not search.query.strip():
            return SearchResult(hits=())
        reading = await self._read(search)
        breadth = max(BREADTH, min(search.limit, MOST_FILES) * 3)
        candidates, read = await self._candidates(search, reading, breadth)
        preferred = reading.preferred if read is not None and not read.dropped else Filters()
        return SearchResult(
            hits=_hits(search, candidates, preferred),
            legs=("keyword", "vector") if candidates.vectors else ("keyword",),
            degraded=candidates.degraded,
            nearest_only=bool(candidates.found) and not candidates.words,
            read=read,
            instead=candidates.instead,
        )

    async def _read(self, search: Search) -> wording.Reading:
        names = () if search.filters.folders else wording.folder_names(search.query)
        folders = await self._passages.folders_named(names) if names else {}
        return wording.read(search.query, date.today(), folders, search.filters)  # noqa: DTZ011 - the person's day

    async def _candidates(
        self, search: Search, reading: wording.Reading, breadth: int
    ) -> tuple[_Candidates, ReadFilters | None]:
        """Search with what was read, unless it keeps away what the question is about; then without it."""
        if not reading.words:
            return await self._both(search.query, breadth, search.filters), None
        read = ReadFilters(filters=reading.filters, words=reading.words)
        filters = _together(search.filters, reading.filters)
        candidates, best = await asyncio.gather(
            self._both(reading.rest, breadth, filters),
            self._passages.find_words(reading.rest, 1, search.filters),
        )
        if candidates.best_word >= WORTH * best[0].score if best else candidates.found:
            return candidates, read
        return await self._both(search.query, breadth, search.filters), replace(read, dropped=True)

    async def _both(self, query: str, breadth: int, filters: Filters) -> _Candidates:
        by_words, (near, vector, degraded), written = await asyncio.gather(
            self._passages.find_words(query, breadth, filters),
            self._near(query, breadth, filters),
            self._passages.read_words(query),
        )
        words = {found.passage_id: found.score for found in by_words}
        candidates = _Candidates(
            found={found.passage_id: found for found in (*by_words, *near)},
            words=words,
            best_word=max(words.values(), default=0.0),
            vectors=vector is not None,
            degraded=degraded,
            whole=written.whole,
            instead=written.instead,
        )
        if vector is None:
            return candidates
        model, embedded = vector
        nearness = {found.passage_id: found.score for found in near}
        more_near, more_words = await asyncio.gather(
            self._vectors.cosines(model, embedded, [key for key in words if key not in nearness]),
            self._passages.score_words(query, [key for key in nearness if key not in words] if words else []),
        )
        candidates.nearness = {**nearness, **more_near}
        candidates.words = {**words, **more_words}
        return candidates

    async def _near(
        self, query: str, breadth: int, filters: Filters
    ) -> tuple[Sequence[Found], tuple[str, Sequence[float]] | None, str]:
        """Return the nearest passages, the model and its vector of the question, and why there is none.

        Without an embedder there is no reason.
        """
        embedder = self._embedder()
        if embedder is None:
            return (), None, ""
        if self._resting is not None:
            resting, until, why = self._resting
            if resting is embedder and time.monotonic() < until:
                return (), None, why
        try:
            vector = await embedder.embed_query(query)
            self._resting = None
            near = await self._vectors.find_near(embedder.model, vector, breadth, filters)
        except (ModelError, VectorSizeError) as error:
            why = str(error) if isinstance(error, ModelError) else f"vectors_differ: {error}"
            self._resting = (embedder, time.monotonic() + REST_S, why)
            return (), None, why
        return near, (embedder.model, vector), ""


def _together(given: Filters, read: Filters) -> Filters:
    """Return both filters as one: what is given is not read."""
    return Filters(
        folders=given.folders or read.folders,
        kinds=given.kinds or read.kinds,
        since=given.since or read.since,
        until=given.until or read.until,
    )


def _hits(search: Search, candidates: _Candidates, preferred: Filters) -> tuple[FilePassage, ...]:
    scores = fused(candidates.words, candidates.nearness, candidates.whole)
    ranked = [
        (found, scores.get(key, 0.0) * (PREFERENCE if _is_of(found, preferred) else 1.0))
        for key, found in candidates.found.items()
    ]
    limit = min(max(search.limit, 1), MOST_FILES)
    per_file = min(max(search.per_file, 1), MOST_OF_FILE)
    return tuple(_hit(found, score) for found, score in chosen(ranked, limit, per_file))


def _is_of(found: Found, preferred: Filters) -> bool:
    if preferred.since is None or preferred.until is None:
        return False
    changed = _EPOCH + timedelta(microseconds=found.changed_ns // 1_000)
    return preferred.since <= changed < preferred.until


def _hit(found: Found, score: float) -> FilePassage:
    return FilePassage(
        path=found.path,
        title=found.title,
        score=score,
        passage=found.text,
        kind=found.kind,
        position=found.position,
        place=found.place,
        modified_ns=found.changed_ns,
    )
