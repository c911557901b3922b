"""Claims about how the stores are said to be, and when."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests import homes
from tests.e2e.harness import Listener, Titan, cleaned
from tests.relay import relay
from titan_desktop.adapters.postgres.database import Database, DatabaseUnavailableError
from titan_desktop.contracts import system
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.core import health as health_module
from titan_desktop.core.health import Health
from titan_desktop.settings import StoreSettings

pytestmark = pytest.mark.logs("^postgres: ")


@pytest.fixture
def titan(titan_home: Path, new_cluster: Path | None) -> Iterator[Titan]:
    with cleaned(titan_home) as installed:
        homes.install(installed.paths, new_cluster)
        yield installed


def a_health() -> tuple[Health, list[system.StoreStatus]]:
    """A core's health, and what it tells of changes."""
    health, told = Health(StoreSettings(postgres="external")), list[system.StoreStatus]()
    health.on_change(told.append)
    return health, told


async def postgres(health: Health) -> system.StoreStatus:
    return next(store for store in await health.stores() if store.name == "postgres")


async def test_a_store_that_has_gone_is_found_when_somebody_asks(database_url: str) -> None:
    """Nothing tells an idle pool: the question looks. It is told once, and once more when the store is back."""
    health, told = a_health()
    async with relay(database_url) as way:
        database = Database(way.url)
        await database.open()
        health.mark_serving("postgres", "PostgreSQL", "18", database.look)
        assert (await postgres(health)).ok
        await way.close()
        for _ in range(3):
            now = await postgres(health)
            assert not now.ok
            assert now.problem is not None
            assert now.problem.code == Code.REFUSED
        await way.open()
        assert (await postgres(health)).ok
        await database.close()
    assert [store.ok for store in told] == [True, False, True]


async def test_a_pool_whose_server_has_gone_says_nothing_by_itself(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """That the store is away is the health's to tell, once: the driver fills no log with tracebacks meanwhile."""
    async with relay(database_url) as way:
        database = Database(way.url)
        await database.open()
        await way.close()
        for _ in range(3):
            with pytest.raises((OSError, asyncpg.PostgresError), match=r"failed|reset|closed"):
                await database.pool.fetchval("SELECT 1")
        await way.open()
        assert await database.pool.fetchval("SELECT 1") == 1
        await database.close()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_silent_store_holds_nobody_up(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks is told after a moment that nothing has come yet; that it has failed is told after some more."""
    health, told = a_health()

    def patience(answer_s: float, look_s: float) -> None:
        monkeypatch.setattr(health_module, "ANSWER_S", answer_s)
        monkeypatch.setattr(health_module, "LOOK_PATIENCE_S", look_s)

    async with relay(database_url) as way:
        database = Database(way.url)
        await database.open()
        patience(answer_s=30.0, look_s=30.0)
        health.mark_serving("postgres", "PostgreSQL", "18", database.look)
        assert (await postgres(health)).ok
        way.hold()
        patience(answer_s=0.05, look_s=30.0)
        assert (await postgres(health)).problem == Problem(
            Code.SILENT, {"product": "PostgreSQL", "seconds": "0.05"}
        )
        assert [store.ok for store in told] == [True]
        way.let_pass()
        patience(answer_s=30.0, look_s=30.0)
        assert (await postgres(health)).ok
        way.hold()
        patience(answer_s=30.0, look_s=0.05)
        assert not (await postgres(health)).ok
        way.let_pass()
        patience(answer_s=30.0, look_s=30.0)
        assert (await postgres(health)).ok
        await database.close()
    assert [store.ok for store in told] == [True, False, True]


async def test_those_who_ask_at_once_share_one_look() -> None:
    """Ten windows are no load for a store."""
    looks = []

    async def look() -> None:
        looks.append(1)
        await asyncio.sleep(0)

    health, _ = a_health()
    health.mark_serving("postgres", "PostgreSQL", "18", look)
    await asyncio.gather(*(health.stores() for _ in range(10)))
    assert len(looks) == 1


async def test_what_its_place_says_of_a_server_is_not_overwritten() -> None:
    """That a server is started again says more than that the connection is refused."""

    async def look() -> None:
        raise DatabaseUnavailableError("refused")

    health, told = a_health()
    health.mark_serving("postgres", "PostgreSQL", "18", look)
    restarting = Problem(Code.RESTARTING, {"store": "postgres"})
    health.server_changed("postgres", restarting)
    assert (await postgres(health)).problem == restarting
    health.server_changed("postgres", None)
    assert [store.ok for store in told] == [True, False, True]


async def test_a_store_that_was_left_is_not_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    """A core that ends does not tell that its stores fail."""
    health, told = a_health()
    ended = asyncio.Event()

    async def look() -> None:
        await ended.wait()
        raise DatabaseUnavailableError("it has not been opened yet")

    health.mark_serving("postgres", "PostgreSQL", "18", look)
    asking = asyncio.create_task(health.stores())
    await asyncio.sleep(0)
    health.mark_closed("postgres")
    ended.set()
    await asking
    assert [store.ok for store in told] == [True]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_doctor_sees_a_postgresql_that_has_gone(
    titan: Titan, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the external PostgreSQL down doctor names it and ends with 1; clients hear that it goes and comes."""
    async with relay(database_url) as way:
        monkeypatch.setenv("TITAN_POSTGRES_URL", way.url)
        async with titan.link() as link, Listener(link, system.CoreReady, system.StoreChanged) as heard:
            await heard.first(system.CoreReady)
            well = await asyncio.to_thread(titan.command, "doctor", "--json")
            assert well.returncode == 0, well.stdout
            await way.close()
            ill = await asyncio.to_thread(titan.command, "doctor", "--json")
            assert ill.returncode == 1
            assert "postgres (external): PostgreSQL cannot be used" in json.loads(ill.stdout)["problems"][0]
            await heard.first(system.StoreChanged, lambda said: is_postgres(said, ok=False))
            await way.open()
            heard.messages.clear()
            await heard.first(system.StoreChanged, lambda said: is_postgres(said, ok=True))


def is_postgres(said: system.StoreChanged, *, ok: bool) -> bool:
    return (said.store.name, said.store.ok) == ("postgres", ok)


async def test_the_last_lines_of_a_log_are_no_news() -> None:
    """A server that fails again with the same problem and a new log is told once; who asks gets the new lines."""
    health, told = a_health()
    for time in ("12:00", "12:01"):
        health.server_changed("postgres", Problem(Code.POSTGRES_FAILED, {}, f"{time} FATAL"))
    assert len(told) == 1
    assert (await postgres(health)).problem == Problem(Code.POSTGRES_FAILED, {}, "12:01 FATAL")
