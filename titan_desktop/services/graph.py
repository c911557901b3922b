"""The graph service: keeps the graph of folders and files in step with the index.

It consumes `indexing.v1` alone, which has a file's outcome after the index has stored it, in order. On `files.v1`
a removal could overtake the events of a file that was still being read.
"""

from pathlib import PurePath

from titan_bus import Handlers
from titan_desktop.contracts import indexing
from titan_desktop.contracts.declaring import take
from titan_desktop.ports.graph import FileNode, Graph, GraphUnavailableError
from titan_desktop.services.waiting import until_there

GROUP = "graph"
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
            path = PurePath(news.path)
            kind = path.suffix.lstrip(".").lower()
            await self._graph.put_file(
                FileNode(news.path, title=path.name, kind=kind, modified=news.mtime_ns)
            )
