"""The indexing service: declares its handlers, and owns its background tasks."""

import contextlib
from types import TracebackType
from typing import Self

from titan_bus import Bus, BusError, Handlers, RequestRefused
from titan_desktop.contracts import topics
from titan_desktop.contracts.declaring import take, tell
from titan_desktop.contracts.indexing import (
    DigestPage,
    EmbeddingProgress,
    FailurePage,
    FileDigest,
    FileIndexed,
    GetIndexStatus,
    IndexStatus,
    ListDigests,
    ListFailures,
)
from titan_desktop.contracts.security import GetSecurity, Security
from titan_desktop.ports.embedder import Embedder
from titan_desktop.ports.extractor import Extractor, ExtractorUnavailableError
from titan_desktop.ports.files_root import FilesRoot
from titan_desktop.ports.passages import IndexUnavailableError, Passages, Vectors
from titan_desktop.services.indexing.disk import Disk
from titan_desktop.services.indexing.embedding import Embedding
from titan_desktop.services.indexing.indexer import Indexer
from titan_desktop.services.indexing.pruning import Pruning

GROUP = "indexing"
FILES_AT_ONCE = 8
"""More than extraction workers, so that these have a next file while the database writes the last one."""
DRAIN_S = 1.0
"""A file may take longer than a shutdown may: the next process reads it again."""
MOST_FAILURES = 500
MOST_DIGESTS = 500
DIGESTS_BYTES = 12_000
"""Paths and digests of one reply: JSON's escapes at their worst double that, and an event has 32 KB."""


class IndexingService:
    """Turns files into passages, passages into vectors.

    Args:
        bus: an open bus.
        passages: the keyword index.
        vectors: the vector index over the same passages.
        extractor: extracts the text of files.
        files_root: says whether a file is still there.
        embedder: None makes no vectors. The service closes it.
    """

    drain_s = DRAIN_S

    def __init__(
        self,
        bus: Bus,
        passages: Passages,
        vectors: Vectors,
        extractor: Extractor,
        files_root: FilesRoot,
        embedder: Embedder | None = None,
    ) -> None:
        self._bus = bus
        self._passages = passages
        self._extractor = extractor
        self._first_embedder = embedder
        self._embedding = Embedding(bus, vectors)
        self._pruning = Pruning(vectors)
        self._indexer = Indexer(bus, passages, extractor, Disk(files_root), self._embedding.passages_changed)
        self.handlers = Handlers()
        take(
            self.handlers,
            GROUP,
            self._indexer.file_seen,
            self._indexer.file_renamed,
            self._indexer.file_removed,
            concurrency=FILES_AT_ONCE,
        )
        take(
            self.handlers,
            GROUP,
            self.get_index_status,
            self.list_failures,
            self.list_digests,
            self.get_security,
        )
        tell(self.handlers, FileIndexed, EmbeddingProgress)

    async def __aenter__(self) -> Self:
        await self._embedding.use(self._first_embedder)
        await self._pruning.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pruning.__aexit__(kind, error, trace)
        await self._embedding.close()

    def busy(self) -> bool:
        """Whether a file is being read or vectors are being made: the core should not end now."""
        return self._indexer.busy or self._embedding.busy

    async def set_embedder(self, embedder: Embedder | None) -> None:
        """Use another embedder from now on; the old one is closed when it is no longer needed."""
        await self._embedding.use(embedder)

    def try_embedding_again(self) -> None:
        """End the pause after a fault of the embedder: new settings or a new key may have fixed it."""
        self._embedding.try_again()

    def serving_embedder(self) -> Embedder | None:
        """Return the embedder whose vectors should answer a question now."""
        return self._embedding.serving

    async def get_index_status(self, wanted: GetIndexStatus) -> IndexStatus:
        """Return the counts of the index.

        Raises:
            RequestRefused: `index_unavailable`.
        """
        try:
            return await self._status(min(max(wanted.failures_limit, 0), MOST_FAILURES))
        except IndexUnavailableError as error:
            raise RequestRefused("index_unavailable", error.reason) from error

    async def list_failures(self, wanted: ListFailures) -> FailurePage:
        """Return one page of the files that lack text.

        Raises:
            RequestRefused: `index_unavailable`; `not_found`, for an invalid cursor.
        """
        try:
            page = await self._passages.failures(
                min(max(wanted.limit, 1), MOST_FAILURES), cursor=wanted.cursor
            )
        except IndexUnavailableError as error:
            raise RequestRefused("index_unavailable", error.reason) from error
        if page is None:
            raise RequestRefused("not_found", wanted.cursor)
        return page

    async def list_digests(self, wanted: ListDigests) -> DigestPage:
        """Return one page of the files with a digest of their passages.

        Raises:
            RequestRefused: `index_unavailable`.
        """
        limit = min(max(wanted.limit, 1), MOST_DIGESTS)
        try:
            found = await self._passages.digests(wanted.after, limit)
        except IndexUnavailableError as error:
            raise RequestRefused("index_unavailable", error.reason) from error
        files: list[FileDigest] = []
        room = DIGESTS_BYTES
        for path, digest in found.items():
            room -= len(path.encode()) + len(digest)
            if files and room < 0:
                break
            files.append(FileDigest(path=path, digest=digest))
        return DigestPage(files=tuple(files), more=len(files) < len(found) or len(found) == limit)

    async def get_security(self, _: GetSecurity) -> Security:
        """Return how the processes that read files are confined, as one of them finds it.

        Raises:
            RequestRefused: `extractor_unavailable`.
        """
        try:
            return await self._extractor.security()
        except ExtractorUnavailableError as error:
            raise RequestRefused("extractor_unavailable", str(error)) from error

    async def _status(self, failures_limit: int) -> IndexStatus:
        counts = await self._passages.counts()
        page = await self._passages.failures(failures_limit)
        embedding = self._embedding.state
        return IndexStatus(
            files=counts.files,
            passages=counts.passages,
            failed=counts.failed,
            skipped=counts.skipped,
            partial=counts.partial,
            vectors=embedding.done if embedding else 0,
            embedding=embedding,
            failures=page.failures if page is not None else (),
            waiting=await self._waiting(),
        )

    async def _waiting(self) -> int:
        """Return how many events of files wait or are being handled; 0 while the bus is away."""
        with contextlib.suppress(BusError):
            groups = await self._bus.inspection.groups(topics.FILES)
            return sum(g.pending + g.retrying + (g.lag or 0) for g in groups if g.group == GROUP)
        return 0
