"""Keeps the facts of the graph in step with their store, and makes them anew where the graph has none.

The graph says up to which revision it has them, so nothing is lost while it is away, and nothing has to be noted.
"""

import asyncio
import logging

from titan_bus.backoff import Backoff
from titan_desktop.ports.facts import Facts, FactsUnavailableError
from titan_desktop.ports.graph import Graph, GraphUnavailableError, OpenGraph
from titan_desktop.system.outage import Outage

AT_ONCE = 500
"""How many changes are one transaction of the graph."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0

_log = logging.getLogger(__name__)


class Projector:
    """Brings the graph up to date whenever it is woken."""

    def __init__(self, facts: Facts, graph: OpenGraph) -> None:
        self._facts = facts
        self._graph = graph
        self._due = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    def wake(self) -> None:
        """Look for changes."""
        self._due.set()

    async def run(self) -> None:
        """Work until cancelled: the supervisor of the projection."""
        outage, backoff = Outage(_log, "the graph of facts"), Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        while True:
            graph = await self._graph.opened()
            self._due.clear()
            try:
                await self.catch_up(graph)
            except Exception as error:  # noqa: BLE001 - a supervisor: every error is retried
                outage.begins(
                    error, foreseen=isinstance(error, GraphUnavailableError | FactsUnavailableError)
                )
                await backoff.pause()
                continue
            outage.ends()
            backoff.reset()
            await self._due.wait()

    async def rebuild(self, graph: Graph) -> None:
        """Take all facts out of the graph, and put them in anew.

        Raises:
            GraphError, FactsUnavailableError: not now; the next change goes on with it.
        """
        async with self._one_at_a_time:
            await graph.clear_facts()
            await self._catch_up(graph)

    async def catch_up(self, graph: Graph) -> None:
        """Apply everything that has changed.

        Raises:
            GraphError, FactsUnavailableError: not now; what is applied stays so.
        """
        async with self._one_at_a_time:
            await self._catch_up(graph)

    async def _catch_up(self, graph: Graph) -> None:
        revision = await graph.revision()
        while True:
            changes = await self._facts.changes(revision, AT_ONCE)
            if revision > changes.newest:  # of another store, or of one that was restored
                await graph.clear_facts()
                revision = 0
                continue
            if changes.revision == revision:
                return
            await graph.apply(changes)
            revision = changes.revision
