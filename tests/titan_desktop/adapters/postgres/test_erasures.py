"""What is to be erased, in PostgreSQL: due from the deletion on, and for as long as it is not done."""

import pytest

from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.erasures import PostgresErasures
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.contracts.chat import SendPrompt

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
