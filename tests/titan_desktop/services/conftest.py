"""Fixtures of the services' tests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.chat_service import Cores, Memory, Window
from tests.desk import Desk, opened
from tests.files_service import Ear, Index
from tests.indexing_service import Environment
from tests.openai_server import OpenAIServer, serve
from titan_bus import Bus, BusConfig
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.contracts import topics
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.services.chat import ChatService


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serve() as server:
        yield server


@pytest.fixture
async def cores(clean_redis_url: str, database: Database, server: OpenAIServer) -> Cores:
    return Cores(clean_redis_url, database, server)


@pytest.fixture
async def window(clean_redis_url: str) -> AsyncIterator[Window]:
    async with Bus(BusConfig(url=clean_redis_url, source="window@v0", streams=STREAMS)) as bus:
        window = Window(bus)
        watching = asyncio.create_task(window.watch())
        yield window
        watching.cancel()
        await asyncio.wait({watching})


@pytest.fixture
async def found(window: Window) -> Memory:
    responder = Memory()
    await window.bus.subscribe(topics.SEARCH_REQUESTS, "search", responder.search)
    return responder


@pytest.fixture
async def core(cores: Cores, found: Memory) -> AsyncIterator[ChatService]:
    async with cores.run() as service:
        yield service


@pytest.fixture
def desktop(tmp_path: Path) -> Path:
    """A root with two files, a hidden one and a link to the outside."""
    root = tmp_path / "Desktop"
    (root / "work").mkdir(parents=True)
    (root / "Договор.txt").write_text("залог", "utf-8")
    (root / "work" / "notes.md").write_text("notes", "utf-8")
    (root / ".hidden").write_text("x", "utf-8")
    (root / "outside").symlink_to("/etc")
    return root


@pytest.fixture
async def bus(clean_redis_url: str) -> AsyncIterator[Bus]:
    async with Bus(BusConfig(url=clean_redis_url, source="test@v0", streams=STREAMS)) as bus:
        yield bus


@pytest.fixture
async def ear(bus: Bus) -> AsyncIterator[Ear]:
    ear = Ear(bus)
    yield ear
    await ear.close()


@pytest.fixture
def index() -> Index:
    return Index()


@pytest.fixture
async def env(clean_redis_url: str, database: Database, tmp_path: Path) -> AsyncIterator[Environment]:
    config = BusConfig(url=clean_redis_url, source="memory-test", drain_s=0.2, streams=STREAMS)
    async with Bus(config) as bus:
        yield Environment(bus, database, tmp_path)


@pytest.fixture
async def desk(
    bus: Bus, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    async with opened(bus, database, tmp_path, monkeypatch) as desk:
        yield desk
