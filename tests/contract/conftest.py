"""Every port with its adapters. A suite of this folder runs against all that its table names.

A second adapter of a port is one more line here, and has to pass what the first one does.
"""

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import openai_server
from titan_desktop.adapters.files_root import LocalFileChanges, LocalFilesRoot
from titan_desktop.adapters.keyring.secrets import KeyringSecrets
from titan_desktop.adapters.openai.model import OpenAIChatModel
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.facts import PostgresFacts
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.adapters.redis.recent_cache import RedisRecentCache
from titan_desktop.ports.cache import RecentCache
from titan_desktop.ports.facts import Facts
from titan_desktop.ports.file_changes import FileChanges
from titan_desktop.ports.history import History
from titan_desktop.ports.model import ChatModel, Endpoint
from titan_desktop.ports.passages import Passages, Vectors
from titan_desktop.ports.secrets import Secrets

HISTORIES: dict[str, Callable[[Database], History]] = {"postgres": PostgresHistory}
FACTS: dict[str, Callable[[Database], Facts]] = {"postgres": PostgresFacts}
INDEXES: dict[str, Callable[[Database], tuple[Passages, Vectors]]] = {
    "postgres": lambda database: (PostgresPassages(database), PostgresVectors(database)),
}
CACHES: dict[str, Callable[[str], RecentCache]] = {"redis": RedisRecentCache}
MODELS: dict[str, Callable[[float, float], ChatModel]] = {
    "openai": lambda first_s, idle_s: OpenAIChatModel(
        connect_timeout_s=2, first_token_timeout_s=first_s, idle_timeout_s=idle_s
    ),
}
SECRETS: dict[str, Callable[[Mapping[str, str]], Secrets]] = {"keyring": KeyringSecrets}
FILES_ROOTS: dict[str, Callable[[Path], LocalFilesRoot]] = {"system": lambda root: LocalFilesRoot([root])}
if sys.platform != "win32":
    from titan_desktop.adapters.files_root.beneath_posix import PosixBeneath

    FILES_ROOTS["posix"] = lambda root: LocalFilesRoot([root], PosixBeneath())


@pytest.fixture(params=HISTORIES)
def history(request: pytest.FixtureRequest, database: Database) -> History:
    return HISTORIES[request.param](database)


@pytest.fixture(params=FACTS)
def facts(request: pytest.FixtureRequest, database: Database) -> Facts:
    return FACTS[request.param](database)


@pytest.fixture(params=INDEXES)
def index(request: pytest.FixtureRequest, database: Database) -> tuple[Passages, Vectors]:
    return INDEXES[request.param](database)


@pytest.fixture
def passages(index: tuple[Passages, Vectors]) -> Passages:
    return index[0]


@pytest.fixture
def vectors(index: tuple[Passages, Vectors]) -> Vectors:
    return index[1]


@pytest.fixture(params=CACHES)
async def cache(request: pytest.FixtureRequest, clean_redis_url: str) -> AsyncIterator[RecentCache]:
    cache = CACHES[request.param](clean_redis_url)
    yield cache
    await cache.close()


@dataclass(frozen=True)
class Served:
    """A model, and the server behind its endpoint."""

    model: ChatModel
    impatient: Callable[[float, float], ChatModel]
    server: openai_server.OpenAIServer

    def endpoint(self, key: str = "k") -> Endpoint:
        return Endpoint(base_url=self.server.base_url, model="m", key=key)


@pytest.fixture
def endpoint_server() -> Iterator[openai_server.OpenAIServer]:
    with openai_server.serve(text="one two three four five six") as server:
        yield server


@pytest.fixture(params=MODELS)
async def served(
    request: pytest.FixtureRequest, endpoint_server: openai_server.OpenAIServer
) -> AsyncIterator[Served]:
    make = MODELS[request.param]
    model = make(2, 2)
    yield Served(model, make, endpoint_server)
    await model.close()


@pytest.fixture(params=SECRETS)
def secrets_of(request: pytest.FixtureRequest) -> Callable[[Mapping[str, str]], Secrets]:
    """Makes the secrets of a program with this environment."""
    return SECRETS[request.param]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with one document in a folder, and a secret beside the root."""
    root = tmp_path / "Desktop"
    (root / "inner").mkdir(parents=True)
    (root / "inner" / "lease.txt").write_text("deposit", "utf-8")
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "lease.txt").write_text("secret", "utf-8")
    return root


@pytest.fixture(params=FILES_ROOTS)
def files_root(request: pytest.FixtureRequest, root: Path) -> LocalFilesRoot:
    return FILES_ROOTS[request.param](root)


@pytest.fixture
def changes(files_root: LocalFilesRoot) -> FileChanges:
    return LocalFileChanges(files_root)
