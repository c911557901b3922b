"""What is to be erased, in PostgreSQL: due from the deletion on, and for as long as it is not done."""

import pytest

from titan_desktop.adapters.postgres import rewriting
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.erasures import TABLES, PostgresErasures
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.contracts.chat import SendPrompt
from titan_desktop.ports.erasures import ErasuresUnavailableError

AT = "2026-11-23T10:00:00Z"


@pytest.fixture
def erasures(database: Database) -> PostgresErasures:
    return PostgresErasures(database)


@pytest.fixture
async def history(database: Database) -> PostgresHistory:
    """Two conversations, of which the one called "gone" is deleted."""
    history = PostgresHistory(database)
    for name in ("gone", "kept"):
        prompt = SendPrompt(conversation_id=name, message_id=f"q-{name}", text="?")
        await history.ask(prompt, title="?", answer_id=f"a-{name}", asked_at=AT, event_id="E1")
    await history.delete("gone", event_id="E2")
    return history


@pytest.mark.by_url
async def test_a_deletion_is_due_by_itself_until_it_is_done(
    history: PostgresHistory, erasures: PostgresErasures
) -> None:
    """Whoever deletes writes nothing here; what was found is kept until the end, and counted then."""
    [due] = await erasures.unerased()
    assert (due.conversation_id, due.since, due.event_ids) == (
        "gone",
        "2026-11-23T10:00:00+00:00",
        frozenset(),
    )
    await erasures.note("gone", {"E1", "E2"})
    await erasures.note("gone", {"E2", "E3"})
    [due] = await erasures.unerased()
    assert due.event_ids == {"E1", "E2", "E3"}
    assert await erasures.done(due, complete=True) == 3
    assert await erasures.unerased() == ()
    await history.delete("gone", event_id="E4")
    assert await erasures.unerased() == ()


async def test_what_is_asked_for_meanwhile_is_not_done(
    history: PostgresHistory, erasures: PostgresErasures
) -> None:
    """Somebody has said more of it since the pass began: it is due again, with what was found."""
    [due] = await erasures.unerased()
    await erasures.note("gone", {"E1"})
    await erasures.again("gone")
    assert await erasures.done(due, complete=True) is None
    [due] = await erasures.unerased()
    assert due.event_ids == {"E1"}
    assert await erasures.done(due, complete=True) == 1
    await erasures.again("gone")
    await erasures.again("kept")
    [due] = await erasures.unerased()
    assert due.conversation_id == "gone"


@pytest.mark.by_url
async def test_what_keeps_the_servers_log_is_said(erasures: PostgresErasures, database: Database) -> None:
    """A server of another's keeping may need its old log, in which the words stand."""
    assert await erasures.rewrite() == ""
    async with database.pool.acquire() as connection:
        await connection.execute("SELECT pg_create_physical_replication_slot('standby', true, true)")
        assert await erasures.rewrite() == "replication slot standby"
        await connection.execute("SELECT pg_drop_replication_slot('standby')")


async def test_a_role_without_rights_over_the_server_is_said(database: Database) -> None:
    """Its own tables are written anew all the same."""
    async with database.pool.acquire() as connection:
        await connection.execute("CREATE ROLE plain")
        try:
            for table in TABLES:
                await connection.execute(f"ALTER TABLE {table} OWNER TO plain")
            await connection.execute("SET ROLE plain")
            assert "pg_switch_wal" in await rewriting.rewrite(connection, TABLES)
        finally:
            await connection.execute("RESET ROLE; REASSIGN OWNED BY plain TO CURRENT_USER; DROP ROLE plain")


async def test_a_table_in_use_is_not_waited_for_for_long(
    erasures: PostgresErasures, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody would stand behind the one who waits for it; the service tries again later."""
    monkeypatch.setattr(rewriting, "LOCK_PATIENCE", "1ms")
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE messages IN ACCESS SHARE MODE")
        with pytest.raises(ErasuresUnavailableError):
            await erasures.rewrite()
