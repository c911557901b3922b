"""The graph service: keeps the graph of folders and files in step with the index.

It consumes `indexing.v1` alone, which has a file's outcome after the index has stored it, in order. On `files.v1`
a removal could overtake the events of a file that was still being read.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from types import TracebackType
from typing import Self

from titan_bus import Handlers
from titan_desktop.contracts import indexing
from titan_desktop.contracts.declaring import take
from titan_desktop.ports.graph import FileNode, Graph, GraphUnavailableError, OpenGraph
from titan_desktop.ports.passages import IndexUnavailableError, Passages
from titan_desktop.services.waiting import until_there

GROUP = "graph"
_log = logging.getLogger(__name__)
DRAIN_S = 1.0
"""A write takes milliseconds; one that takes longer waits for a server that is away, and is delivered again."""


class GraphService:
    """Writes every indexed file to an open `graph`. One event at a time, to keep the order of a file's events."""

    drain_s = DRAIN_S

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.handlers = Handlers()
        take(self.handlers, GROUP, self.file_indexed, concurrency=1)

    async def file_indexed(self, news: indexing.FileIndexed) -> None:
        """Store one file's outcome; waits for a graph that is away."""
        await until_there(lambda: self._write(news), GraphUnavailableError)

    async def _write(self, news: indexing.FileIndexed) -> None:
        if news.outcome is indexing.Outcome.REMOVED:
            # The event does not say whether it was a folder; beneath a file there is nothing.
            await self._graph.remove(news.path, folder=True)
        elif news.outcome is indexing.Outcome.MOVED:
            await self._graph.move(news.former_path, news.path)
        elif news.outcome is indexing.Outcome.INDEXED:
            await self._graph.put_file(_node(news.path, news.mtime_ns))


class GraphFiller:
    """Fills a graph that has no files from the index, beside the work: one that is new, or was lost.

    Args:
        roots: returns the folders that are read.
    """

    def __init__(self, index: Passages, graph: OpenGraph, roots: Callable[[], Sequence[Path]]) -> None:
        self._index = index
        self._graph = graph
        self._roots = roots
        self._filling: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._filling = asyncio.create_task(self._run(), name="files of the graph")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.wait({self._filling})

    async def fill(self, graph: Graph) -> int:
        """Put every file of the index into the graph; return how many.

        What goes or moves meanwhile may be put after its event; so this looks until the two are the same.

        Raises:
            IndexUnavailableError, GraphError: not now; what is put stays.
        """
        done: dict[str, int] = {}
        while True:
            there = {
                path: stamp.mtime_ns
                for root in self._roots()
                for path, stamp in (await self._index.readable(root)).items()
            }
            if there == done:
                return len(done)
            for path in done.keys() - there.keys():
                await graph.remove(path)
            for path, mtime_ns in there.items():
                if done.get(path) != mtime_ns:
                    await graph.put_file(_node(path, mtime_ns))
            done = there

    async def refill(self, graph: Graph) -> int:
        """Take all files of the folders out of the graph, and put them in anew; return how many.

        Raises:
            IndexUnavailableError, GraphError: not now; what is put stays.
        """
        for root in self._roots():
            await graph.remove(str(root), folder=True)
        return await self.fill(graph)

    async def _run(self) -> None:
        graph = await self._graph.opened()
        try:
            await until_there(lambda: self._fill_empty(graph), GraphUnavailableError, IndexUnavailableError)
        except Exception:  # noqa: BLE001 - a supervisor: the graph stays as it is until the next start
            _log.exception("the files of the index could not be put into the graph")

    async def _fill_empty(self, graph: Graph) -> None:
        if not (await graph.counts()).files and (count := await self.fill(graph)):
            _log.info("the graph was empty; the index has put %d files into it", count)


def _node(path: str, mtime_ns: int) -> FileNode:
    pure = PurePath(path)
    return FileNode(path, title=pure.name, kind=pure.suffix.lstrip(".").lower(), modified=mtime_ns)
