"""The two ways to a server: a private socket, as embedded stores have it, and a URL, as all others have it.

By URL it is a TCP port, a user with a password and, on Redis, a database with a number. Tests marked `by_url` run
by both ways, all others by the socket; servers that are given (`--redis-url` …) have the way that was given.
"""

from collections.abc import Iterator

import pytest

from tests import servers
from tests.workers import GIVEN

WAYS = ("socket", "url")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked by both ways."""
    given = any(metafunc.config.getoption(name) for name in GIVEN)
    if metafunc.definition.get_closest_marker("by_url") and not given:
        metafunc.parametrize("way", WAYS, indirect=True)


@pytest.fixture
def way(request: pytest.FixtureRequest) -> str:
    """How this test reaches its servers."""
    return str(getattr(request, "param", "socket"))


@pytest.fixture(scope="session")
def redis_on_a_socket() -> Iterator[str]:
    """A running Redis-protocol server, shared by the session."""
    with servers.short_folder() as folder, servers.valkey(folder) as url:
        yield url


@pytest.fixture(scope="session")
def redis_on_a_port() -> Iterator[str]:
    """Another one, for those who come by URL."""
    with servers.short_folder() as folder, servers.valkey_on_a_port(folder) as url:
        yield url


@pytest.fixture
def redis_url(request: pytest.FixtureRequest, way: str) -> str:
    """A running Redis-protocol server, shared by the session. Use unique topics or `clean_redis_url`."""
    if given := request.config.getoption("--redis-url"):
        return str(given)
    return str(request.getfixturevalue("redis_on_a_socket" if way == "socket" else "redis_on_a_port"))


@pytest.fixture
async def clean_redis_url(redis_url: str) -> str:
    """The shared server, emptied."""
    import redis.asyncio

    async with redis.asyncio.from_url(redis_url) as client:
        await client.flushdb()
    return redis_url
