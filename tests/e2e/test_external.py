"""Claims about stores that somebody else runs: the same Titan, reached by three URLs."""

import json

import pytest

from tests.e2e.harness import Titan


@pytest.mark.neo4j
@pytest.mark.parametrize("way", ["url"], indirect=True)
async def test_the_main_job_on_external_stores(
    titan: Titan,
    clean_redis_url: str,
    empty_database_url: str,
    neo4j_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With all three URLs set nothing is started by us, and index, search, ask and doctor do their work."""
    monkeypatch.setenv("TITAN_REDIS_URL", clean_redis_url)
    monkeypatch.setenv("TITAN_POSTGRES_URL", empty_database_url)
    monkeypatch.setenv("TITAN_NEO4J_URL", neo4j_url)
    (titan.desktop / "Договор аренды.txt").write_text("Залог составляет 45 000 рублей.", "utf-8")
    indexed = titan.command("index", "--json")
    assert indexed.returncode == 0, indexed.stderr
    assert json.loads(indexed.stdout)["indexed"] == 1
    found = json.loads(titan.command("search", "размер залога", "--json").stdout)
    assert [hit["title"] for hit in found] == ["Договор аренды.txt"]
    asked = json.loads(titan.command("ask", "какой залог?", "--json").stdout)
    assert "45 000" in asked["sources"][0]["passage"]
    doctor = json.loads(titan.command("doctor", "--json").stdout)
    stores = doctor["core"]["stores"]
    assert {(store["name"], store["place"], store["ok"]) for store in stores} == {
        ("redis", "external", True),
        ("postgres", "external", True),
        ("graph", "external", True),
    }
    assert not [p.name() for p in titan.processes() if p.name().startswith(("valkey", "postgres", "java"))]


@pytest.mark.parametrize(
    ("variable", "url", "store"),
    [
        ("TITAN_REDIS_URL", "redis://127.0.0.1:9", "Redis"),
        ("TITAN_POSTGRES_URL", "postgresql://u:hidden@127.0.0.1:9/x", "PostgreSQL"),
    ],
)
async def test_a_store_that_is_not_there_is_said_with_the_cure(
    titan: Titan, monkeypatch: pytest.MonkeyPatch, variable: str, url: str, store: str
) -> None:
    """An external server that does not answer: one sentence that names the store, and never its password."""
    monkeypatch.setenv(variable, url)
    done = titan.command("search", "anything")
    assert done.returncode == 3
    assert store in done.stderr
    assert "hidden" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
