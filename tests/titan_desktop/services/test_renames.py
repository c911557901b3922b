"""What is renamed or moved while the real watcher looks, or while nobody does: files, index and graph together."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from titan_bus import Bus, BusConfig
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.adapters.graph.ladybug import LadybugGraph
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.contracts import files
from titan_desktop.contracts.indexing import FileIndexed, Outcome
from titan_desktop.contracts.message import BusMessage, Kinds
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.extractor import Block, Extracted
from titan_desktop.services.files import FilesService
from titan_desktop.services.files.settling import Rested, Settling
from titan_desktop.services.graph import GraphService
from titan_desktop.services.indexing import IndexingService
from titan_desktop.system.file_names import written

SAID = Kinds(files.FileSeen, files.FileRenamed, files.FileRemoved, files.ScanFinished, FileIndexed)
TEXT = "Арендатор вносит залог."


class Reader:
    """Reads texts, and remembers which."""

    def __init__(self) -> None:
        self.read: list[str] = []

    async def extract(self, path: Path) -> Extracted:
        self.read.append(path.name)
        text = await asyncio.to_thread(Path(written(str(path))).read_text, "utf-8")
        return Extracted(blocks=(Block(text),), mime_type="text/plain")


class Titan:
    """Two roots and a folder outside, and the services that follow them."""

    def __init__(self, bus: Bus, database: Database, graph: LadybugGraph, home: Path) -> None:
        self.bus = bus
        self.desktop, self.downloads, self.outside = (
            home / name for name in ("Desktop", "Downloads", "Else")
        )
        for folder in (self.desktop, self.downloads, self.outside):
            folder.mkdir()
        self.passages = PostgresPassages(database)
        self.vectors = PostgresVectors(database)
        self.graph = graph
        self.reader = Reader()
        self.heard: list[BusMessage] = []
        self._tail = bus.tail(SAID.topics, start="0")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Files, indexing and graph, after the first scan and what it brought."""
        self.forget()
        root = LocalFilesRoot((self.desktop, self.downloads))
        async with AsyncExitStack() as stack:
            for service in (
                GraphService(self.graph),
                IndexingService(self.bus, self.passages, self.vectors, self.reader, root),
                FilesService(self.bus, root, self.passages),
            ):
                await stack.enter_async_context(serving(self.bus, Chain(), service))
            await self.until(lambda: bool(self.of(files.ScanFinished)))
            sent = (
                len(self.of(files.FileSeen))
                + len(self.of(files.FileRenamed))
                + len(self.of(files.FileRemoved))
            )
            await self.until(lambda: len(self.of(FileIndexed)) >= sent)
            yield

    async def until(self, reached: Callable[[], bool]) -> None:
        """Listen until what was heard suffices."""
        async with asyncio.timeout(30):
            while not reached():
                if (said := SAID.read(await anext(self._tail))) is not None:
                    self.heard.append(said)

    async def outcome(self, outcome: Outcome, path: Path) -> FileIndexed:
        """Wait until the index says this of a file."""
        suits = lambda news: (news.outcome, news.path) == (outcome, str(path))  # noqa: E731
        await self.until(lambda: any(map(suits, self.of(FileIndexed))))
        return next(filter(suits, self.of(FileIndexed)))

    def of(self, kind: type[BusMessage]) -> list:  # type: ignore[type-arg]
        return [said for said in self.heard if isinstance(said, kind)]

    def forget(self) -> None:
        self.heard.clear()
        self.reader.read.clear()

    async def found(self, query: str = "залог") -> list[Path]:
        return sorted({Path(hit.path) for hit in await self.passages.find_words(query, 50)})

    async def in_graph(self, *paths: Path) -> bool:
        """Wait until the graph holds these files of one folder, and no other there."""
        async with asyncio.timeout(30):
            while True:
                near = {node.path for node in await self.graph.neighbours(str(paths[0]), 50)}
                if near == {str(path) for path in paths[1:]} and (await self.graph.counts()).files == len(
                    paths
                ):
                    return True
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        await self._tail.close()


@pytest.fixture
async def titan(clean_redis_url: str, database: Database, tmp_path: Path) -> AsyncIterator[Titan]:
    graph = LadybugGraph(tmp_path / "graph")
    await graph.open()
    config = BusConfig(url=clean_redis_url, source="renames-test", drain_s=0.2, streams=STREAMS)
    async with Bus(config) as bus:
        titan = Titan(bus, database, graph, tmp_path)
        yield titan
        await titan.close()
    await graph.close()


def write(path: Path, text: str = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


async def test_a_renamed_file_is_found_under_its_new_name_and_not_read_again(titan: Titan) -> None:
    """By its new words and not by the old; the graph has it in its place."""
    old, other = write(titan.desktop / "scan0017.txt"), write(titan.desktop / "other.txt", "иное")
    async with titan.running():
        titan.forget()
        new = old.rename(titan.desktop / "Договор.txt")
        moved = await titan.outcome(Outcome.MOVED, new)
        assert moved.former_path == str(old)
        assert await titan.found() == await titan.found("договор") == [new]
        assert await titan.found("scan0017") == []
        assert await titan.in_graph(new, other)
    assert titan.reader.read == []
    assert not titan.of(files.FileSeen)


@pytest.mark.skipif(sys.platform != "linux", reason="names are text here")
async def test_a_name_that_is_not_utf8_goes_all_the_way(titan: Titan) -> None:
    """Read by the scan, told by the watcher under its spelling, found by its words, renamed unread."""
    write(titan.desktop / os.fsdecode(b"\xe9 scan.txt"))
    spelled = titan.desktop / "\ufffdE9 scan.txt"
    async with titan.running():
        assert await titan.found("scan") == [spelled]
        titan.forget()
        (titan.desktop / os.fsdecode(b"\xe9 scan.txt")).rename(titan.desktop / os.fsdecode(b"\xff lease.txt"))
        await titan.outcome(Outcome.MOVED, titan.desktop / "\ufffdFF lease.txt")
        assert titan.reader.read == []
        new = write(titan.desktop / os.fsdecode(b"new\xff.txt")).with_name("new\ufffdFF.txt")
        await titan.outcome(Outcome.INDEXED, new)
        assert new in await titan.found()


async def test_a_renamed_folder_is_one_event(titan: Titan) -> None:
    """Whatever lies in it, and what is put into it then is read from there."""
    old = titan.desktop / "old"
    names = [f"deep/{number}.txt" for number in range(30)]
    for name in names:
        write(old / name)
    async with titan.running():
        titan.forget()
        new = old.rename(titan.desktop / "new")
        moved = await titan.outcome(Outcome.MOVED, new)
        assert moved.former_path == str(old)
        assert await titan.found() == sorted(new / name for name in names)
        assert await titan.in_graph(*(new / name for name in names))
        assert [(said.path, said.folder) for said in titan.of(files.FileRenamed)] == [(str(new), True)]
        assert titan.reader.read == []
        late = write(new / "deep" / "late.txt", "позже")
        await titan.outcome(Outcome.INDEXED, late)
    assert not titan.of(files.FileRemoved)


async def test_a_file_that_goes_from_root_to_root_is_not_read_again(titan: Titan) -> None:
    """Two watches see a file that comes and one that goes."""
    old = write(titan.desktop / "a.txt")
    async with titan.running():
        titan.forget()
        new = old.rename(titan.downloads / "a.txt")
        await titan.outcome(Outcome.MOVED, new)
        assert await titan.found() == [new]
    assert titan.reader.read == []


async def test_leaving_the_roots_is_a_removal_and_coming_in_is_a_creation(titan: Titan) -> None:
    """Of a file and of a folder."""
    file, folder = write(titan.desktop / "a.txt"), titan.desktop / "folder"
    write(folder / "b.txt")
    other = write(titan.outside / "other" / "c.txt").parent
    async with titan.running():
        titan.forget()
        file.rename(titan.outside / "a.txt")
        folder.rename(titan.outside / "folder")
        await titan.outcome(Outcome.REMOVED, file)
        await titan.outcome(Outcome.REMOVED, folder)
        assert await titan.found() == []
        come = other.rename(titan.desktop / "other") / "c.txt"
        await titan.outcome(Outcome.INDEXED, come)
        assert await titan.found() == [come]
    assert not titan.of(files.FileRenamed)


def save_beside_and_replace(path: Path, text: str) -> None:
    write(path.with_name(f".{path.name}.tmp"), text).replace(path)


def save_beside_with_a_name_that_is_read(path: Path, text: str) -> None:
    write(path.with_name(f"{path.stem}-new.txt"), text).replace(path)


def put_aside_and_write_anew(path: Path, text: str) -> None:
    aside = path.rename(path.with_name(f"{path.name}~"))
    write(path, text)
    aside.unlink()


def put_aside_and_keep(path: Path, text: str) -> None:
    path.rename(path.with_name(f"{path.stem}.bak.txt"))
    write(path, text)


@pytest.mark.parametrize(
    "save",
    [
        save_beside_and_replace,
        save_beside_with_a_name_that_is_read,
        put_aside_and_write_anew,
        put_aside_and_keep,
    ],
)
async def test_what_editors_do_to_save_is_a_change(titan: Titan, save: Callable[[Path, str], None]) -> None:
    """The file has its new text, and its old text is found in what was kept aside alone."""
    file = write(titan.desktop / "a.txt", "старая плата")
    async with titan.running():
        titan.forget()
        save(file, TEXT)
        await titan.outcome(Outcome.INDEXED, file)
        kept = [path for path in titan.desktop.iterdir() if path != file and not path.name.endswith("~")]
        for path in kept:
            await titan.outcome(Outcome.INDEXED, path)
        assert await titan.found() == [file]
        assert await titan.found("плата") == kept
    assert not titan.of(files.FileRenamed)


async def test_a_file_that_was_renamed_and_changed_is_read(titan: Titan) -> None:
    """And nothing is left of its old name."""
    old = write(titan.desktop / "a.txt", "старая плата")
    async with titan.running():
        titan.forget()
        new = old.rename(titan.desktop / "b.txt")
        write(new)
        await titan.outcome(Outcome.INDEXED, new)
        await titan.outcome(Outcome.REMOVED, old)
        assert await titan.found() == [new]
        assert await titan.found("плата") == []


async def test_a_file_that_gets_another_extension_is_read(titan: Titan) -> None:
    """Another kind may be read in another way."""
    old = write(titan.desktop / "a.txt")
    async with titan.running():
        titan.forget()
        new = old.rename(titan.desktop / "a.md")
        await titan.outcome(Outcome.INDEXED, new)
        assert await titan.found() == [new]
    assert titan.reader.read == ["a.md"]


async def test_a_second_name_for_a_file_is_a_file(titan: Titan) -> None:
    """Both names of a hard link lead to the text."""
    one = write(titan.desktop / "one.txt")
    async with titan.running():
        titan.forget()
        two = titan.desktop / "two.txt"
        os.link(one, two)
        await titan.outcome(Outcome.INDEXED, two)
        assert await titan.found() == [one, two]
    assert not titan.of(files.FileRenamed)


async def test_what_is_hidden_by_its_new_name_is_forgotten(titan: Titan) -> None:
    """A file and a folder."""
    file, folder = write(titan.desktop / "a.txt"), titan.desktop / "folder"
    write(folder / "b.txt")
    async with titan.running():
        titan.forget()
        file.rename(titan.desktop / ".a.txt")
        folder.rename(titan.desktop / ".folder")
        await titan.outcome(Outcome.REMOVED, file)
        await titan.outcome(Outcome.REMOVED, folder)
        assert await titan.found() == []


async def test_what_was_renamed_while_titan_was_not_running_is_not_read_again(titan: Titan) -> None:
    """A file, a folder, and one that went to the other root, whose scan comes later."""
    file, folder = write(titan.desktop / "a.txt"), titan.desktop / "folder"
    write(folder / "b.txt")
    crossed = write(titan.downloads / "c.txt")
    async with titan.running():
        pass
    new = [
        file.rename(titan.desktop / "d.txt"),
        folder.rename(titan.desktop / "new") / "b.txt",
        crossed.rename(titan.desktop / "c.txt"),
    ]
    async with titan.running():
        assert {said.outcome for said in titan.of(FileIndexed)} == {Outcome.MOVED}
        assert await titan.found() == sorted(new)
    assert titan.reader.read == []


def test_a_folder_that_moves_on_has_moved_once() -> None:
    """From where it was at first; one that came back has not moved."""
    now = 0.0
    settling = Settling(lambda: now)
    settling.moved(Path("/a"), Path("/b"))
    settling.moved(Path("/b"), Path("/c"))
    now += 1
    assert settling.candidates() == [Path("/c")]
    assert settling.settled({Path("/c"): None}) == {Path("/c"): Rested(is_folder=True, former=Path("/a"))}
    settling.moved(Path("/a"), Path("/b"))
    settling.moved(Path("/b"), Path("/a"))
    now += 1
    assert settling.settled({Path("/a"): None}) == {Path("/a"): Rested(is_folder=True)}
