"""Claims about servers named by URL: what is refused, and that nothing of a password is said."""

import pytest

from titan_desktop.client import problems
from titan_desktop.provision.errors import StoreUnavailableError
from titan_desktop.provision.external import VARIABLES, External


@pytest.mark.parametrize(
    ("store", "url"),
    [
        ("redis", "rediss://user:secret@host:6380/1"),
        ("redis", "unix:///run/a@b/redis.sock?db=2"),
        ("postgres", "postgresql://u:secret@one:5432,two:5433/titan"),
        ("postgres", "postgresql://u@/titan?host=/run/postgresql"),
        ("graph", "neo4j+s://u:p%2Fq@host"),
    ],
)
async def test_a_url_is_passed_on_as_it_is(store: str, url: str) -> None:
    """With a user, a socket, several hosts."""
    assert await External({VARIABLES[store][0]: url}).url(store) == url


@pytest.mark.parametrize(
    ("store", "url"),
    [
        ("redis", "redis://:sec/ret@host:6379"),
        ("redis", "redis://:sec#ret@host:6379"),
        ("postgres", "postgresql://u:sec#ret@host/titan"),
        ("postgres", "postgresql://u:12/sec@host/titan"),
        ("postgres", "postgresql://u:p@host:sec/titan"),
        ("graph", "bolt://u:sec?ret@host"),
        ("redis", "http://:secret@host"),
    ],
)
async def test_a_url_that_cannot_be_taken_apart_is_not_quoted(store: str, url: str) -> None:
    """The drivers would say what they took for the port: half of a password. The sentence names the variable."""
    with pytest.raises(StoreUnavailableError, match=VARIABLES[store][0]) as caught:
        await External({VARIABLES[store][0]: url}).url(store)
    assert "sec" not in problems.say("en", caught.value.problem)


async def test_what_is_not_set_is_a_sentence() -> None:
    """With an example."""
    with pytest.raises(StoreUnavailableError, match=r"variable_missing .*TITAN_REDIS_URL"):
        await External({}).url("redis")
