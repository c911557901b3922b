"""`titan memory rebuild` against the services themselves, over real stores and real files."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.indexing_service import TextFiles
from titan_bus import Bus
from titan_desktop.adapters.files_root.root import LocalFilesRoot
from titan_desktop.adapters.graph.ladybug import LadybugGraph
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.facts import PostgresFacts
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.commands import arguments, exit_codes, indexing, rebuilding, sentences
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.graph import FileNode, OpenGraph
from titan_desktop.ports.passages import FileEntry, Passage
from titan_desktop.services.facts import FactsService
from titan_desktop.services.files import FilesService
from titan_desktop.services.graph import GraphFiller, GraphService
from titan_desktop.services.indexing import IndexingService


async def test_what_an_index_has_wrong_is_put_right_and_told_while_search_answers(
    bus: Bus, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A text that differs, one that lacks and one of no file are named; the graph loses what is nowhere."""
    folder = tmp_path / "d"
    folder.mkdir()
    for name in ("same", "changed", "gained"):
        (folder / f"{name}.txt").write_text(f"the {name} text about marmots", "utf-8")
    index, graph, opened = PostgresPassages(database), LadybugGraph(tmp_path / "graph"), OpenGraph()
    root = LocalFilesRoot((folder,))
    await graph.open()
    opened.use(graph)
    filler = GraphFiller(index, opened, lambda: root.roots)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(graph.close)
        for service in (
            GraphService(graph),
            IndexingService(bus, index, PostgresVectors(database), TextFiles(), root),
            FilesService(bus, root, index),
            FactsService(bus, PostgresFacts(database), opened, refill=filler.refill),
        ):
            await stack.enter_async_context(serving(bus, Chain(), service))
        async with indexing.listening(bus) as tail:
            await indexing.run(bus, tail, indexing.Job((), force=True), lambda _done, _total: None)
        entry = await index.entry_of(str(folder / "changed.txt"))
        assert entry is not None
        await index.store(entry, [Passage("what no file says")])
        await index.remove(str(folder / "gained.txt"))
        ghost = FileEntry(path=str(folder / "lost.txt"), stamp=Stamp(size=1, mtime_ns=1, inode=1))
        await index.store(ghost, [Passage("a ghost")])
        await graph.put_file(FileNode(path=str(folder / "nowhere.txt"), title="nowhere.txt", kind="txt"))

        options = arguments.parser().parse_args(["memory", "rebuild", "--json"])
        rebuild = asyncio.create_task(rebuilding.run(bus, options, sentences.ENGLISH))
        while not rebuild.done():
            found = await index.find_words("same marmots", 5)
            assert str(folder / "same.txt") in {one.path for one in found}
        assert await rebuild == exit_codes.DONE
        said = json.loads(capsys.readouterr().out)
        assert {kind: [Path(path).stem for path in said[kind]] for kind in ("changed", "gained", "lost")} == {
            "changed": ["changed"], "gained": ["gained"], "lost": ["lost"],
        }  # fmt: skip
        assert [Path(path).stem for path in said["same"]] == ["same"]
        assert said["graph_files"] == (await graph.counts()).files == 3
