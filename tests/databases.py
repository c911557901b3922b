"""Databases for the tests: one server a session, one database a test, the schema applied once and then copied."""

import contextlib
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from ulid import ULID

from tests import servers
from tests.ways import WAYS
from titan_desktop.adapters.postgres.database import Database


@pytest.fixture(scope="session")
def postgres_ways(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """A running PostgreSQL with pgvector, shared by the session: each way to it with its DSN."""
    if given := request.config.getoption("--postgres-url"):
        yield dict.fromkeys(WAYS, given)
        return
    with servers.short_folder() as folder, servers.postgres(folder) as ways:
        yield ways


@pytest.fixture
def postgres_url(postgres_ways: dict[str, str], way: str) -> str:
    """The DSN of the session's PostgreSQL."""
    return postgres_ways[way]


@pytest.fixture(scope="session")
async def migrated_template(postgres_ways: dict[str, str]) -> AsyncIterator[str]:
    """The name of a database that has the application's whole schema and nothing in it."""
    from titan_desktop.adapters.postgres.schema import MIGRATIONS

    async with _new_database(postgres_ways["socket"]) as name:
        database = Database(_named(postgres_ways["socket"], name))
        await database.open()
        await database.migrate(MIGRATIONS)
        await database.close()
        yield name


@pytest.fixture
async def empty_database_url(postgres_url: str) -> AsyncIterator[str]:
    """A database of this test's own, without a table: for what makes its schema itself."""
    async with _new_database(postgres_url) as name:
        yield _named(postgres_url, name)


@pytest.fixture
async def database_url(postgres_url: str, migrated_template: str) -> AsyncIterator[str]:
    """A database of this test's own, with the application's schema."""
    async with _new_database(postgres_url, migrated_template) as name:
        yield _named(postgres_url, name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The pool over this test's own database."""
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


@contextlib.asynccontextmanager
async def _new_database(server_url: str, template: str = "template1") -> AsyncIterator[str]:
    name = f"t_{str(ULID()).lower()}"
    connection = await asyncpg.connect(server_url)
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield name
    finally:
        with contextlib.suppress(asyncpg.PostgresError):
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await connection.close()


def _named(server_url: str, name: str) -> str:
    """Return the DSN of another database of the same server."""
    if "/postgres?" in server_url:
        return server_url.replace("/postgres?", f"/{name}?")
    return server_url.rsplit("/", 1)[0] + f"/{name}"
