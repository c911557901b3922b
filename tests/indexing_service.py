"""Indexing and search in their tests: over a real bus and a real PostgreSQL, put together as the core does it."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from titan_bus import Bus
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.adapters.openai.embedder import OpenAIEmbedder
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.contracts import files, indexing, search
from titan_desktop.contracts.indexing import FileIndexed, IndexStatus, Reason
from titan_desktop.contracts.message import Kinds, ask, publish
from titan_desktop.contracts.search import SearchResult
from titan_desktop.contracts.sources import Lines
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.extractor import Block, Extracted, ExtractionError
from titan_desktop.services.indexing import IndexingService
from titan_desktop.services.search import SearchService

WAIT_S = 20
INDEXED = Kinds(FileIndexed)
PROGRESS = Kinds(indexing.EmbeddingProgress)


class TextFiles:
    """An extractor that knows plain text. `begun` says what it reads; without `go` it stays in the middle."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.go = asyncio.Event()
        self.go.set()
        self.faults: list[Exception] = []

    async def extract(self, path: Path) -> Extracted:
        self.read.append(path.name)
        self.begun.put_nowait(path.name)
        await self.go.wait()
        if self.faults:
            raise self.faults.pop(0)
        return await asyncio.to_thread(text_of, path)


def text_of(path: Path) -> Extracted:
    if not path.exists():
        raise ExtractionError(Reason.VANISHED)
    content = path.read_bytes()
    if not content:
        raise ExtractionError(Reason.EMPTY)
    if content.startswith(b"\0"):
        raise ExtractionError(Reason.BROKEN, "not a text")
    lines = content.decode()
    place = Lines(first=1, last=lines.count("\n") + 1)
    gap = Reason.GARBLED if "\ufffd" in lines else Reason.NONE
    return Extracted(blocks=(Block(lines, place),), mime_type="text/plain", gap=gap)


def seen(path: Path, **more: Any) -> files.FileSeen:
    size, mtime_ns = (path.stat().st_size, path.stat().st_mtime_ns) if path.exists() else (0, 0)
    return files.FileSeen(path=str(path), size=size, mtime_ns=mtime_ns, **more)


class Environment:
    """What a test needs to speak with the service as the files service and a client do."""

    def __init__(self, bus: Bus, database: Database, folder: Path) -> None:
        self.bus = bus
        self.database = database
        self.folder = folder
        self.extractor = TextFiles()
        self.passages = PostgresPassages(database)
        self.vectors = PostgresVectors(database)
        self.said = bus.tail(INDEXED.topics, start="0")

    @asynccontextmanager
    async def service(self, embedder: OpenAIEmbedder | None = None) -> AsyncIterator[IndexingService]:
        """Both services, put together as the core does it."""
        indexing_service = IndexingService(
            self.bus, self.passages, self.vectors, self.extractor, LocalFilesRoot([self.folder]), embedder
        )
        search_service = SearchService(self.passages, self.vectors, indexing_service.serving_embedder)
        async with (
            serving(self.bus, Chain(), indexing_service),
            serving(self.bus, Chain(), search_service),
        ):
            yield indexing_service

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    async def see(self, path: Path, **more: Any) -> None:
        await publish(self.bus, seen(path, **more))

    async def lose(self, path: Path, *, folder: bool = False) -> None:
        """Take it from the disk, and say so."""
        await asyncio.to_thread(shutil.rmtree if folder else os.unlink, path)
        await publish(self.bus, files.FileRemoved(path=str(path), folder=folder))

    async def hear(self, count: int = 1) -> list[FileIndexed]:
        """The next `count` events that speak of a file."""
        heard: list[FileIndexed] = []
        async with asyncio.timeout(WAIT_S):
            async for event in self.said:
                if (indexed := INDEXED.read(event)) is not None:
                    heard.append(indexed)
                    if len(heard) == count:
                        return heard
        raise AssertionError("the tail ended")

    async def embedded(
        self, suits: Callable[[indexing.EmbeddingProgress], bool]
    ) -> indexing.EmbeddingProgress:
        """The next word of the background embedding that suits."""
        async with asyncio.timeout(WAIT_S):
            async for event in self.said:
                if (progress := PROGRESS.read(event)) is not None and suits(progress):
                    return progress
        raise AssertionError("the tail ended")

    async def embedded_texts(self) -> set[bytes]:
        """The digests of all texts that have a vector."""
        return {row["digest"] for row in await self.database.pool.fetch("SELECT digest FROM vectors")}

    async def index(self, **texts: str) -> list[FileIndexed]:
        for name, text in texts.items():
            await self.see(self.write(f"{name}.txt", text))
        return await self.hear(len(texts))

    async def search(self, query: str, limit: int = 10) -> SearchResult:
        return await ask(self.bus, search.Search(query=query, limit=limit), WAIT_S)

    async def status(self) -> IndexStatus:
        return await ask(self.bus, indexing.GetIndexStatus(), WAIT_S)


def titles(result: SearchResult) -> list[str]:
    return [hit.title for hit in result.hits]
