"""Claims about mixtures of places, and about servers that somebody else runs."""

import pytest

from titan_desktop.client import problems
from titan_desktop.provision.errors import StoreUnavailableError
from titan_desktop.provision.external import External
from titan_desktop.provision.places import Provision
from titan_desktop.settings import StoreSettings
from titan_desktop.system.paths import Paths

URLS = {
    "TITAN_REDIS_URL": "redis://:very-secret@example.org:6379/1",
    "TITAN_POSTGRES_URL": "postgresql://u:very-secret@example.org/titan",
    "TITAN_NEO4J_URL": "neo4j+s://u:very-secret@example.org",
}


async def test_external_stores_are_the_environments(
    titan_home: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three variables, three endpoints, no process; no password shows when they are printed."""
    for name, url in URLS.items():
        monkeypatch.setenv(name, url)
    chosen = StoreSettings(redis="external", postgres="external", graph="external")
    async with Provision(chosen, Paths.from_environment(), lambda *_: None) as provision:
        assert provision.lost is None
        endpoints = await provision.endpoints()
    assert (endpoints.redis_url, endpoints.postgres_dsn, endpoints.graph.url) == tuple(URLS.values())
    assert "very-secret" not in repr(endpoints)


async def test_places_may_be_mixed(titan_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedded transport beside an external database, and the graph in its folder."""
    monkeypatch.setenv("TITAN_POSTGRES_URL", URLS["TITAN_POSTGRES_URL"])
    paths = Paths.from_environment()
    paths.create()
    changes: list[tuple[str, str]] = []
    async with Provision(
        StoreSettings(postgres="external"), paths, lambda store, problem: changes.append((store, problem))
    ) as provision:
        endpoints = await provision.endpoints()
        assert endpoints.redis_url.startswith("unix://")
        assert endpoints.postgres_dsn == URLS["TITAN_POSTGRES_URL"]
        assert endpoints.graph.folder == paths.data / "graph"
    assert changes == [("redis", None)]
    assert not (paths.data / "postgres-18").exists()


@pytest.mark.parametrize("store", ["redis", "postgres", "graph"])
async def test_a_missing_url_is_a_sentence_with_an_example(store: str) -> None:
    """It names the variable."""
    with pytest.raises(StoreUnavailableError, match=r"variable_missing .* example=[a-z]+://") as caught:
        await External({}).url(store)
    assert caught.value.store == store


async def test_the_url_of_another_kind_of_server_is_refused_without_being_repeated() -> None:
    """The sentence goes to logs, and a wrong URL may hold a right password."""
    with pytest.raises(StoreUnavailableError, match="variable_of_other_kind") as caught:
        await External({"TITAN_POSTGRES_URL": "mysql://u:very-secret@host/db"}).url("postgres")
    assert "very-secret" not in problems.say("en", caught.value.problem)
