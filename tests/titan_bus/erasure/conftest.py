"""What the tests of erasure share: a server whose files can be read, and an archive."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.titan_bus.conftest import QUICK_RETRY, Server
from titan_bus import ArchiveConfig, Bus, BusConfig, names
from titan_bus.connections.connection import Connection

TOPIC = "chat.v1"
STREAM = names.stream_of(TOPIC)
SECRETS = [
    "he-who-came-first-has-nothing-to-hide",
    "what-nobody-is-to-read-any-more",
    "the-last-one-stays-as-it-is",
]
"""Stand in payloads; the middle one in what is erased."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server whose files show the bytes as they are."""
    with servers.short_folder() as folder:
        server = Server(folder, "--rdbcompression", "no")
        server.start()
        yield server
        server.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def config(server: Server, folder: Path) -> BusConfig:
    archive = ArchiveConfig(target=str(folder), every_s=3_600.0)
    return BusConfig(url=server.url, archive=archive, retry=QUICK_RETRY)


@pytest.fixture
async def bus(config: BusConfig) -> AsyncIterator[Bus]:
    """A bus that archives when it is asked to."""
    async with Bus(config) as bus:
        await bus.archive_now()
        yield bus


@pytest.fixture
def raw(bus: Bus) -> Connection:
    return bus._connection
