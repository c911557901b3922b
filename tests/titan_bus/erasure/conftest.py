"""What the tests of erasure share: a server whose files can be read, an archive, and a look into every file."""

import base64
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import zstandard

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


def holding(secret: str, *folders: Path) -> list[str]:
    """Return the files below these folders that have the secret in them, compressed or not, in base64 or not."""
    found, forms = [], [secret.encode(), *(_in_base64(secret, shift) for shift in range(3))]
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if path.suffix == ".zst":
            reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True)
            data += reader.read()
        if any(form in data for form in forms):
            found.append(path.name)
    return found


def _in_base64(secret: str, shift: int) -> bytes:
    """Return what base64 makes of the secret when so many bytes of a group of three stand before it."""
    encoded = base64.b64encode(b"\0" * shift + secret.encode())
    return encoded[(0, 2, 3)[shift] : len(encoded) // 4 * 4 - 4]
