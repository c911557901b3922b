"""The graph service: keeps the graph of folders and files in step with what the index says.

Group `graph`. It follows `memory.v1` for files that were read, and `fs.v1` for what is gone: a removed folder
is said there once, not once for each file in it.
"""

from pathlib import PurePath
from types import TracebackType
from typing import Self

from titan_bus import Bus, Event, Subscription
from titan_desktop.contracts import files, memory, topics
from titan_desktop.ports.graph import FileNode, Graph

GROUP = "graph"


class GraphService:
    """Writes every indexed file to an open `graph`. One event at a time, so that a file's news stay in order."""

    def __init__(self, bus: Bus, graph: Graph) -> None:
        self._bus = bus
        self._graph = graph
        self._subscriptions: list[Subscription] = []

    async def __aenter__(self) -> Self:
        for topic, handler in ((topics.MEMORY, self._on_memory), (topics.FS, self._on_files)):
            self._subscriptions.append(await self._bus.subscribe(topic, GROUP, handler, concurrency=1))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for subscription in self._subscriptions:
            await subscription.stop()

    async def _on_memory(self, event: Event) -> None:
        if event.event_type != topics.type_of(memory.FileIndexed):
            return
        news = event.payload_as(memory.FileIndexed)
        if news.outcome is memory.Outcome.REMOVED:
            await self._graph.remove(news.path)
        elif news.outcome is memory.Outcome.INDEXED:
            path = PurePath(news.path)
            kind = path.suffix.lstrip(".").lower()
            await self._graph.put_file(
                FileNode(news.path, title=path.name, kind=kind, modified=news.mtime_ns)
            )

    async def _on_files(self, event: Event) -> None:
        if event.event_type != topics.type_of(files.FileRemoved):
            return
        gone = event.payload_as(files.FileRemoved)
        await self._graph.remove(gone.path, folder=gone.folder)
