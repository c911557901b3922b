"""The graph service on a real bus and a real Ladybug."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from titan_bus import Bus, BusConfig
from titan_desktop.adapters.graph.ladybug import LadybugGraph
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.contracts import indexing
from titan_desktop.contracts.indexing import FileIndexed, Outcome
from titan_desktop.contracts.message import publish
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.graph import FileNode, GraphCounts, OpenGraph
from titan_desktop.ports.passages import FileEntry, Passage
from titan_desktop.services import waiting
from titan_desktop.services.graph import GraphFiller, GraphService


class ListeningGraph(LadybugGraph):
    """A Ladybug that tells a test when it was written to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.written: asyncio.Queue[str] = asyncio.Queue()

    async def put_file(self, file: FileNode) -> None:
        await super().put_file(file)
        self.written.put_nowait(file.path)

    async def remove(self, path: str, *, folder: bool = False) -> None:
        await super().remove(path, folder=folder)
        self.written.put_nowait(path)

    async def wait_for(self, writes: int) -> None:
        async with asyncio.timeout(30):
            for _ in range(writes):
                await self.written.get()


@pytest.fixture
async def bus(clean_redis_url: str) -> AsyncIterator[Bus]:
    async with Bus(BusConfig(url=clean_redis_url, source="test@v1", streams=STREAMS)) as opened:
        yield opened


@pytest.fixture
async def graph(tmp_path: Path) -> AsyncIterator[ListeningGraph]:
    opened = ListeningGraph(tmp_path / "graph")
    await opened.open()
    yield opened
    await opened.close()


async def say(bus: Bus, *news: FileIndexed) -> None:
    for said in news:
        await publish(bus, said)


async def test_indexed_files_stand_in_the_graph_and_others_do_not(bus: Bus, graph: ListeningGraph) -> None:
    """Title, kind and time come from the path and the event; failed and skipped files are no nodes."""
    await say(
        bus,
        FileIndexed(path="/d/broken.pdf", outcome=Outcome.FAILED, reason=indexing.Reason.BROKEN),
        FileIndexed(path="/d/a.txt", outcome=Outcome.INDEXED, mtime_ns=5),
        FileIndexed(path="/d/Договор.PDF", outcome=Outcome.INDEXED, mtime_ns=7),
    )
    async with serving(bus, Chain(), GraphService(graph)):
        await graph.wait_for(2)
    assert await graph.neighbours("/d/a.txt", 5) == (
        FileNode(path="/d/Договор.PDF", title="Договор.PDF", kind="pdf", modified=7),
    )


@pytest.mark.logs(" waits: ")
async def test_a_graph_that_is_away_costs_no_news(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long its server is away, what was said meanwhile is written when it is back."""
    monkeypatch.setattr(waiting, "FIRST_PAUSE_S", 0.0)
    await say(bus, FileIndexed(path="/d/a.txt", outcome=Outcome.INDEXED))
    away = ListeningGraph(tmp_path / "away")
    tries = 0

    async def put_file(file: FileNode) -> None:
        nonlocal tries
        tries += 1
        if tries == 10:
            await away.open()
        await ListeningGraph.put_file(away, file)

    monkeypatch.setattr(away, "put_file", put_file)
    async with serving(bus, Chain(), GraphService(away)):
        await away.wait_for(1)
        assert await away.counts() == GraphCounts(files=1, folders=2)
    await away.close()


async def test_a_removal_takes_a_file_or_a_whole_folder(bus: Bus, graph: ListeningGraph) -> None:
    """The event does not say which; both leave the graph as they left the disk, and twice is as once."""
    await say(
        bus,
        *(FileIndexed(path=f"/d/{name}", outcome=Outcome.INDEXED) for name in ("a", "b", "f/c", "f/g/e")),
        FileIndexed(path="/d/a", outcome=Outcome.REMOVED),
        FileIndexed(path="/d/f", outcome=Outcome.REMOVED),
        FileIndexed(path="/d/f", outcome=Outcome.REMOVED),
    )
    async with serving(bus, Chain(), GraphService(graph)):
        await graph.wait_for(7)
    assert await graph.counts() == GraphCounts(files=1, folders=2)


async def test_an_empty_graph_is_filled_from_the_index(graph: ListeningGraph, database: Database) -> None:
    """With what can be read of the folders, and no other file."""
    index = PostgresPassages(database)
    for path, outcome in (
        ("/d/a.txt", Outcome.INDEXED),
        ("/d/b.txt", Outcome.FAILED),
        ("/e/c", Outcome.INDEXED),
    ):
        stamp = Stamp(size=1, mtime_ns=5, inode=1)
        await index.store(FileEntry(path=path, stamp=stamp, outcome=outcome), [Passage("a text")])
    opened = OpenGraph()
    async with GraphFiller(index, opened, lambda: [Path("/d")]):
        opened.use(graph)
        await graph.wait_for(1)
    assert await graph.counts() == GraphCounts(files=1, folders=2)
