"""Indexing and search over a real bus, a real PostgreSQL and a real embeddings endpoint."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import openai_server
from titan_bus import Bus, BusConfig, RequestFailedError
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.adapters.openai.embedder import OpenAIEmbedder
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages, digest
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.contracts import files, indexing, search, topics
from titan_desktop.contracts.indexing import FileIndexed, IndexStatus, Outcome, Reason
from titan_desktop.contracts.message import Kinds, ask, publish
from titan_desktop.contracts.search import Instead, SearchResult
from titan_desktop.contracts.sources import Lines
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.extractor import Block, Extracted, ExtractionError, ExtractorUnavailableError
from titan_desktop.ports.model import Endpoint
from titan_desktop.ports.passages import FileEntry, Passage
from titan_desktop.services import waiting
from titan_desktop.services.indexing import IndexingService, cutting, embedding, pruning
from titan_desktop.services.search import SearchService, searcher

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


@pytest.fixture
async def env(clean_redis_url: str, database: Database, tmp_path: Path) -> AsyncIterator[Environment]:
    config = BusConfig(url=clean_redis_url, source="memory-test", drain_s=0.2, streams=STREAMS)
    async with Bus(config) as bus:
        yield Environment(bus, database, tmp_path)


@pytest.fixture
def endpoint() -> Iterator[openai_server.OpenAIServer]:
    with openai_server.serve() as server:
        yield server


def titles(result: SearchResult) -> list[str]:
    return [hit.title for hit in result.hits]


@pytest.mark.by_url
async def test_a_file_is_indexed_and_found(env: Environment) -> None:
    """What the files service has seen is read, stored under its event, said with its job, and found."""
    path = env.write("Договор аренды.txt", "Арендатор вносит залог.")
    async with env.service():
        await env.see(path, job_id="job-1")
        (said,) = await env.hear()
        assert (said.path, said.outcome, said.passages) == (str(path), Outcome.INDEXED, 1)
        assert (said.size, said.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
        assert said.job_id == "job-1"
        result = await env.search("какой залог?")
    assert result.legs == ("keyword",)
    assert result.degraded == ""
    (hit,) = result.hits
    assert (hit.path, hit.title, hit.kind) == (str(path), "Договор аренды.txt", "txt")
    assert (hit.passage, hit.place) == ("Арендатор вносит залог.", Lines(first=1, last=1))


async def test_an_unchanged_file_is_not_read_again(env: Environment) -> None:
    """A known stamp means unchanged, unless the caller insists."""
    path = env.write("a.txt", "слово")
    async with env.service():
        for force in (False, False, True):
            await env.see(path, force=force)
        outcomes = [said.outcome for said in await env.hear(3)]
    assert outcomes == [Outcome.INDEXED, Outcome.UNCHANGED, Outcome.INDEXED]
    assert env.extractor.read == ["a.txt", "a.txt"]


async def test_a_broken_file_is_tried_again_only_when_it_changes(env: Environment) -> None:
    """Its reason is recorded and said; after a change it is read."""
    broken, empty = env.write("broken.txt", b"\0"), env.write("empty.txt", b"")
    async with env.service():
        for path in (broken, empty, broken):
            await env.see(path)
        said = await env.hear(3)
        status = await env.status()
        assert {(one.outcome, one.reason) for one in said} == {
            (Outcome.FAILED, Reason.BROKEN),
            (Outcome.SKIPPED, Reason.EMPTY),
            (Outcome.UNCHANGED, Reason.NONE),
        }
        assert (status.files, status.failed, status.skipped, status.passages) == (0, 1, 1, 0)
        assert {failure.detail for failure in status.failures} == {"not a text", ""}
        first = await ask(env.bus, indexing.ListFailures(limit=1), WAIT_S)
        rest = await ask(env.bus, indexing.ListFailures(cursor=first.cursor), WAIT_S)
        assert (first.more, rest.more) == (True, False)
        assert first.failures + rest.failures == status.failures
        await env.see(env.write("broken.txt", "теперь читается"))
        assert (await env.hear())[0].outcome is Outcome.INDEXED
        assert (await env.status()).failed == 0


async def test_what_is_read_in_part_is_found_and_listed(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Garbled letters and too many passages are said with the file, whose text is indexed all the same."""
    monkeypatch.setattr(cutting, "MOST_PASSAGES", 2)
    garbled, long = env.write("garbled.txt", "слово \ufffd"), env.write("long.txt", "слово " * 999)
    async with env.service():
        for path in (garbled, long):
            await env.see(path)
        said = {Path(one.path).name: (one.outcome, one.reason, one.passages) for one in await env.hear(2)}
        status = await env.status()
    assert said == {
        "garbled.txt": (Outcome.INDEXED, Reason.GARBLED, 1),
        "long.txt": (Outcome.INDEXED, Reason.CUT, 2),
    }
    assert (status.files, status.partial, status.failed, status.passages) == (2, 2, 0, 3)
    assert {failure.reason for failure in status.failures} == {Reason.GARBLED, Reason.CUT}


async def test_what_is_gone_is_forgotten(env: Environment) -> None:
    """A removed file, a removed folder and a file that vanished before it was read are not found."""
    async with env.service():
        await env.index(**{"a/one": "слово", "a/two": "слово", "b/three": "слово", "b/four": "слово"})
        await env.lose(env.folder / "a", folder=True)
        await env.lose(env.folder / "b" / "three.txt")
        assert {said.outcome for said in await env.hear(2)} == {Outcome.REMOVED}
        assert titles(await env.search("слово")) == ["four.txt"]
        four = env.folder / "b" / "four.txt"
        four.unlink()
        await env.see(four)
        assert [(said.outcome, said.reason) for said in await env.hear()] == [
            (Outcome.REMOVED, Reason.VANISHED)
        ]
        assert (await env.status()).files == 0


async def test_a_removal_waits_for_the_file_that_is_read(env: Environment) -> None:
    """A folder that goes while a file of it is being read leaves nothing behind."""
    path = env.write("a/one.txt", "слово")
    async with env.service() as service:
        env.extractor.go.clear()
        await env.see(path)
        await env.extractor.begun.get()
        assert service.busy()
        await env.lose(env.folder / "a", folder=True)
        await env.see(env.write("b.txt", "другое"))
        assert await env.extractor.begun.get() == "b.txt"  # the removal is before it on the topic
        env.extractor.go.set()
        said = await env.hear(3)
        assert [one.outcome for one in said if "/a" in one.path] == [Outcome.REMOVED, Outcome.REMOVED]
        assert not (await env.search("слово")).hits


async def test_a_file_that_goes_while_it_is_stored_leaves_nothing_behind(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files service says nothing of a file that the index does not know yet, so the index looks itself."""
    path, store = env.write("a.txt", "слово"), env.passages.store

    async def store_late(entry: FileEntry, passages: Sequence[Passage]) -> None:
        path.unlink(missing_ok=True)
        await store(entry, passages)

    monkeypatch.setattr(env.passages, "store", store_late)
    async with env.service():
        await env.see(path)
        (said,) = await env.hear()
        assert (said.outcome, said.reason) == (Outcome.REMOVED, Reason.VANISHED)
        assert not (await env.search("слово")).hits


@pytest.mark.parametrize("year_s", [10_413_792_000, -30_000_000_000])
async def test_a_file_of_any_date_is_indexed_once(env: Environment, year_s: int) -> None:
    """What an archive dates to 2300 or to 1019 is stored with a date that the next scan finds unchanged."""
    path = env.write("a.txt", "слово")
    os.utime(path, ns=(0, year_s * 1_000_000_000))
    stamp = LocalFilesRoot([env.folder]).stamp(path)
    async with env.service():
        event = files.FileSeen(path=str(path), size=stamp.size, mtime_ns=stamp.mtime_ns, inode=stamp.inode)
        for outcome in (Outcome.INDEXED, Outcome.UNCHANGED):
            await publish(env.bus, event)
            assert (await env.hear())[0].outcome is outcome
    assert await env.passages.known(env.folder) == {str(path): stamp}


@pytest.mark.logs("^refused ")
async def test_nothing_is_forgotten_that_is_still_there(env: Environment) -> None:
    """Events of a program that is not the files service's empty, rename or move nothing against the disk."""
    async with env.service():
        await env.index(**{"a/one": "слово", "a/two": "слово", "b": "слово"})
        (env.folder / "a" / "two.txt").unlink()
        forged = (
            files.FileRemoved(path="/", folder=True),
            files.FileRemoved(path=str(env.folder / "b.txt")),
            files.FileRenamed(path=str(env.folder / "c"), former_path="/", folder=True),
            files.FileRenamed(path=str(env.folder / "c"), former_path=str(env.folder / "a"), folder=True),
        )
        for event in forged:
            await publish(env.bus, event)
        said = await env.hear(len(forged) + 1)
        assert {one.path for one in said if one.outcome is Outcome.REMOVED} == {
            str(env.folder / "a" / "two.txt")
        }
        stamp = seen(env.folder / "b.txt")
        await publish(
            env.bus,
            files.FileRenamed(
                path=str(env.folder / "c.txt"), former_path=stamp.path,
                size=stamp.size, mtime_ns=stamp.mtime_ns,
            ),
        )  # fmt: skip
        await env.hear()
        assert sorted(titles(await env.search("слово"))) == ["b.txt", "one.txt"]


async def test_a_service_that_ends_in_the_middle_of_a_file(env: Environment) -> None:
    """The file is not acknowledged: the next service reads it, once."""
    path = env.write("a.txt", "слово")
    env.extractor.go.clear()
    async with env.service():
        await env.see(path)
        await env.extractor.begun.get()
    env.extractor.go.set()
    async with env.service():
        assert (await env.hear())[0].outcome is Outcome.INDEXED
        assert len((await env.search("слово")).hits) == 1


async def test_a_service_that_ends_before_it_says_what_it_stored(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one says that the file is indexed: the graph would never hear of a file that is only unchanged."""
    stored, store = asyncio.Event(), env.passages.store

    async def store_and_be_cut_off(entry: FileEntry, passages: Sequence[Passage]) -> None:
        await store(entry, passages)
        stored.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(env.passages, "store", store_and_be_cut_off)
        async with env.service():
            await env.see(env.write("a.txt", "слово"))
            await asyncio.wait_for(stored.wait(), WAIT_S)
    async with env.service():
        assert (await env.hear())[0].outcome is Outcome.INDEXED
        assert len((await env.search("слово")).hits) == 1


@pytest.mark.logs(" waits: ")
async def test_a_store_that_is_away_costs_no_event(env: Environment) -> None:
    """Files seen while the store is away are indexed when it is back; a search meanwhile is refused."""
    async with env.service():
        await env.database.close()
        await env.see(env.write("a.txt", "слово"))
        with pytest.raises(RequestFailedError) as caught:
            await env.search("слово")
        assert caught.value.code == "index_unavailable"
        await env.database.open()
        assert (await env.hear())[0].outcome is Outcome.INDEXED


async def test_what_makes_the_extractor_stumble_is_a_failure_of_its_file(
    env: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody knows is recorded and said, so the job that asked comes to its end."""
    env.extractor.faults = [ZeroDivisionError()]
    async with env.service():
        await env.see(env.write("a.txt", "слово"), job_id="j")
        said = (await env.hear())[0]
        assert (said.outcome, said.reason, said.job_id) == (Outcome.FAILED, Reason.CRASHED, "j")
        assert [failure.reason for failure in (await env.status()).failures] == [Reason.CRASHED]
        assert "cannot be indexed" in caplog.text


@pytest.mark.logs(" waits: ")
async def test_without_workers_a_file_waits(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that cannot read is not the file's fault: it is read when workers are there again."""
    monkeypatch.setattr(waiting, "FIRST_PAUSE_S", 0.0)
    env.extractor.faults = [ExtractorUnavailableError() for _ in range(10)]
    async with env.service():
        await env.see(env.write("a.txt", "слово"))
        assert (await env.hear())[0].outcome is Outcome.INDEXED


async def test_hostile_requests(env: Environment) -> None:
    """An empty query and absurd limits are answered, an unknown request is refused, and the service goes on."""
    async with env.service():
        await env.index(a="слово")
        assert (await env.search("  ")).hits == ()
        assert len((await env.search("слово", -5)).hits) == 1
        assert len((await env.search("слово", 10**9)).hits) == 1
        with pytest.raises(RequestFailedError):
            await env.bus.request(topics.SEARCH_REQUESTS, "no_such_request", {}, timeout_s=WAIT_S)
        assert len((await env.search("слово")).hits) == 1


async def test_the_best_passage_speaks_for_its_file(env: Environment) -> None:
    """A file is listed once, by its best passage, in descending order of scores."""
    filler = "Совсем другое предложение о погоде и о дороге домой. " * 25
    async with env.service():
        await env.index(
            long=f"{filler}\n\nЗалог, залог и ещё раз залог.\n\n{filler}", short="Про залог тоже."
        )
        result = await env.search("залог")
    assert sorted(titles(result)) == ["long.txt", "short.txt"]
    assert [hit.score for hit in result.hits] == sorted((hit.score for hit in result.hits), reverse=True)
    assert "залог" in next(hit for hit in result.hits if hit.title == "long.txt").passage.lower()
    assert result.instead is None


async def test_what_was_searched_instead_is_told(env: Environment) -> None:
    """«залог», typed in the other layout."""
    async with env.service():
        await env.index(short="Про залог.")
        result = await env.search("pfkju")
    assert titles(result) == ["short.txt"]
    assert result.instead == Instead(written="pfkju", shown="залог")


@pytest.mark.by_url
async def test_both_legs_are_fused(env: Environment, endpoint: openai_server.OpenAIServer) -> None:
    """With an embedder a file is found by likeness though no word of the question stands in it; that is said."""
    embedder = OpenAIEmbedder(Endpoint(endpoint.base_url, "text-embedding-3-large"))
    async with env.service(embedder):
        await env.index(cat="котёночек спит", sum="смета на ремонт")
        await env.embedded(lambda progress: progress.done == progress.total == 2)
        result = await env.search("котёнки")
        assert result.legs == ("keyword", "vector")
        assert titles(result)[0] == "cat.txt"
        assert result.nearest_only
        assert (await env.status()).vectors == 2
        assert not (await env.search("смета котёнки")).nearest_only


@pytest.mark.logs("^the vectors of .* waits: ")
async def test_an_embedder_that_fails_degrades_the_search(
    env: Environment, endpoint: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keyword leg serves alone, the result says why, and the endpoint is not asked by every question."""
    monkeypatch.setattr(embedding, "FIRST_DELAY_S", 600.0)
    endpoint.fault = "invalid_api_key"
    embedder = OpenAIEmbedder(Endpoint(endpoint.base_url, "text-embedding-3-large", "k"))
    async with env.service(embedder) as service:
        await env.index(a="слово")
        assert (await env.embedded(lambda progress: bool(progress.fault))).fault.startswith("wrong_key")
        assert not service.busy()
        for _ in range(3):
            result = await env.search("слово")
            assert (result.legs, titles(result)) == (("keyword",), ["a.txt"])
            assert result.degraded.startswith("wrong_key")
    assert len([request for request in endpoint.requests if request.body["input"] == ["слово"]]) <= 2


@pytest.mark.logs("^the vectors of .* waits: ")
async def test_embedding_goes_on_after_a_fault(
    env: Environment, endpoint: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault is said and tried again; when the endpoint is back the vectors are made."""
    monkeypatch.setattr(embedding, "FIRST_DELAY_S", 0.05)
    endpoint.faults = ["model_not_found"]
    async with env.service(OpenAIEmbedder(Endpoint(endpoint.base_url, "text-embedding-3-large"))):
        await env.index(a="слово")
        await env.embedded(lambda progress: progress.fault.startswith("model_not_found"))
        await env.embedded(lambda progress: progress.done == progress.total == 1 and not progress.fault)


@pytest.mark.logs("refuses a passage of")
@pytest.mark.parametrize("fault", ["context_length_exceeded", "html"])
async def test_a_text_that_the_model_refuses(
    env: Environment, endpoint: openai_server.OpenAIServer, fault: str
) -> None:
    """A passage that is refused, or gets no vector, keeps no other from its own, and is not asked again."""
    # The batch, then (after the probe) the first text alone.
    endpoint.faults = [fault, "", fault]
    for name, text in {"a": "одно", "b": "другое"}.items():
        env.write(f"{name}.txt", text)
    async with env.service():
        await env.index(a="одно", b="другое")
    async with env.service(OpenAIEmbedder(Endpoint(endpoint.base_url, "text-embedding-3-large"))):
        await env.embedded(lambda progress: progress.done == 2)
    assert await env.database.pool.fetchval("SELECT count(*) FROM vectors WHERE embedding IS NULL") == 1
    assert len(endpoint.requests) == 4


async def test_a_change_of_model(
    env: Environment, endpoint: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old vectors answer until the new ones are complete; then the old ones go."""
    monkeypatch.setattr(embedding, "FIRST_DELAY_S", 0.05)
    monkeypatch.setattr(searcher, "REST_S", 0.0)
    old = OpenAIEmbedder(Endpoint(endpoint.base_url, "old-model"))
    async with env.service(old) as service:
        await env.index(a="котёночек спит")
        await env.embedded(lambda progress: progress.done == progress.total == 1)
        with openai_server.serve(fault="server_error") as slow:
            await service.set_embedder(OpenAIEmbedder(Endpoint(slow.base_url, "new-model")))
            assert (await env.search("котёнки")).legs == ("keyword", "vector")
            assert {request.body["model"] for request in slow.requests} <= {"new-model"}
            slow.fault = ""
            await env.embedded(lambda progress: progress.model == "new-model" and progress.done == 1)
            names = await env.database.pool.fetchval("SELECT array_agg(name) FROM models")
            assert names == ["new-model"]
            assert (await env.search("котёнки")).legs == ("keyword", "vector")
            await service.set_embedder(None)
            assert (await env.search("котёночек")).legs == ("keyword",)


async def test_the_cache_of_vectors(env: Environment, endpoint: openai_server.OpenAIServer) -> None:
    """A file that moves is not embedded again."""
    async with env.service(OpenAIEmbedder(Endpoint(endpoint.base_url, "text-embedding-3-large"))):
        await env.index(a="слово")
        await env.embedded(lambda progress: progress.done == progress.total == 1)
        await env.lose(env.folder / "a.txt")
        await env.hear()
        await env.index(b="слово")
        await env.search("слово")
        assert (await env.status()).vectors == 1
    embedded = [request for request in endpoint.requests if request.body["input"] == ["слово"]]
    assert len(embedded) == 2  # the passage once, the question once


@pytest.mark.parametrize("embedded", [False, True], ids=["without an embedder", "with one"])
async def test_vectors_of_text_that_is_gone_go(
    env: Environment, endpoint: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch, *, embedded: bool
) -> None:
    """Those of a deleted file and of a changed one, while others come and go, and whoever makes vectors now."""
    monkeypatch.setattr(pruning, "PRUNE_EVERY_S", 0.01)
    monkeypatch.setattr(pruning, "KEPT_S", 0.0)
    embedder = OpenAIEmbedder(Endpoint(endpoint.base_url, "text-embedding-3-large"))
    async with env.service(embedder):
        await env.index(deleted="одно", changed="другое", kept="третье")
        await env.embedded(lambda progress: progress.done == progress.total == 3)
    again = OpenAIEmbedder(Endpoint(endpoint.base_url, "text-embedding-3-large")) if embedded else None
    async with env.service(again):
        await env.lose(env.folder / "deleted.txt")
        await env.see(env.write("changed.txt", "совсем иное"))
        await env.hear(2)
        left = {digest("третье"), digest("совсем иное")} if embedded else {digest("третье")}
        async with asyncio.timeout(WAIT_S):
            while await env.embedded_texts() != left:
                await env.index(other="то одно, то иное")
                await env.lose(env.folder / "other.txt")
                await env.hear()


@pytest.mark.logs("^the vectors of .* waits: ")
async def test_an_endpoint_that_wants_a_day_is_asked_sooner(
    env: Environment, endpoint: openai_server.OpenAIServer
) -> None:
    """The wait is bounded and told, to those who ask later, too; whoever mends the cause ends it."""
    endpoint.fault = "daily_limit"
    async with env.service(OpenAIEmbedder(Endpoint(endpoint.base_url, "text-embedding-3-large"))) as service:
        await env.index(a="слово")
        told = await env.embedded(lambda progress: bool(progress.fault))
        assert (told.fault, told.done, told.total) == ("rate_limited", 0, 1)
        wait_s = (datetime.fromisoformat(told.retry_at) - datetime.now(UTC)).total_seconds()
        assert 60 < wait_s <= embedding.LONGEST_ASKED_S
        assert (await env.status()).embedding == told
        assert not service.busy()
        endpoint.fault = ""
        service.try_embedding_again()
        await env.embedded(lambda progress: progress.done == progress.total == 1 and not progress.fault)
        status = (await env.status()).embedding
        assert status is not None
        assert (status.fault, status.retry_at) == ("", "")
