"""The graph service: keeps the graph of folders and files in step with what the index says.

Group `graph` on `memory.v1` alone, which says what became of a file after the index has dealt with it, in order.
On `fs.v1` a removal could overtake the news of a file that was still being read.
"""

from pathlib import PurePath
from types import TracebackType
from typing import Self

from titan_bus import Bus, Event, Subscription
from titan_desktop.contracts import memory, topics
from titan_desktop.contracts.message import event_type
from titan_desktop.ports.graph import FileNode, Graph, GraphUnavailableError
from titan_desktop.services.waiting import until_there

GROUP = "graph"
DRAIN_S = 1.0
"""A write takes milliseconds; one that takes longer waits for a server that is away, and comes again."""


class GraphService:
    """Writes every indexed file to an open `graph`. One event at a time, so that a file's news stay in order."""

    def __init__(self, bus: Bus, graph: Graph) -> None:
        self._bus = bus
        self._graph = graph
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> Self:
        self._subscription = await self._bus.subscribe(topics.MEMORY, GROUP, self._handle, concurrency=1)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._subscription is not None:
            await self._subscription.stop(DRAIN_S)

    async def _handle(self, event: Event) -> None:
        if event.event_type != event_type(memory.FileIndexed):
            return
        news = event.payload_as(memory.FileIndexed)
        await until_there(lambda: self._write(news), GraphUnavailableError)

    async def _write(self, news: memory.FileIndexed) -> None:
        if news.outcome is memory.Outcome.REMOVED:
            # The news does not say whether it was a folder; beneath a file there is nothing.
            await self._graph.remove(news.path, folder=True)
        elif news.outcome is memory.Outcome.INDEXED:
            path = PurePath(news.path)
            kind = path.suffix.lstrip(".").lower()
            await self._graph.put_file(
                FileNode(news.path, title=path.name, kind=kind, modified=news.mtime_ns)
            )
