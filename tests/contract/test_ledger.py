"""One suite for every Ledger: an action is written before it takes place, and ends once."""

import msgspec
import pytest

from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.ledger import PostgresLedger
from titan_desktop.contracts.file_actions import Action, ActionKind, ActionState, Refusal
from titan_desktop.ports.ledger import Entry

AT = "2026-11-30T10:00:00+00:00"


@pytest.fixture(params=[PostgresLedger])
def ledger(request: pytest.FixtureRequest, database: Database) -> PostgresLedger:
    return request.param(database)


def action(action_id: str, **more: object) -> Action:
    asked = {
        "kind": ActionKind.WRITE,
        "path": f"/d/{action_id}",
        "asked_at": AT,
        "requested_by": "titan-command@v0",
    }
    return Action(id=action_id, **{"run_id": action_id, **asked, **more})


async def done(ledger: PostgresLedger, one: Action, **more: object) -> Action:
    await ledger.begin(Entry(action=one, event_id="E", **more))
    ended = msgspec.structs.replace(one, state=ActionState.DONE, undoable=True)
    await ledger.end(ended)
    return ended


@pytest.mark.by_url
async def test_an_entry_is_begun_anew_until_it_has_ended(ledger: PostgresLedger) -> None:
    """A try after a kill may keep another content; what is done stays as it was done."""
    asked = action("a", target="/d/new", size=2**40)
    await ledger.begin(Entry(action=asked, event_id="E1", before="1"))
    await ledger.begin(
        Entry(action=asked, event_id="E1", before="2", after="3", trashed="/t", replaced=True, inode=7)
    )
    assert await ledger.entry_of("a") == Entry(
        action=asked, event_id="E1", before="2", after="3", trashed="/t", replaced=True, inode=7
    )
    ended = msgspec.structs.replace(asked, state=ActionState.DONE, undoable=True)
    await ledger.end(ended)
    await ledger.begin(Entry(action=asked, event_id="E1", before="4"))
    entry = await ledger.entry_of("a")
    assert entry is not None
    assert (entry.action, entry.before) == (ended, "2")
    assert await ledger.entry_of("none") is None


async def test_an_undone_action_names_what_took_it_back(ledger: PostgresLedger) -> None:
    """A refused try takes nothing back; one that was undone stays so when its undoing is undone."""

    async def undone_by() -> list[str]:
        entries = [await ledger.entry_of(one) for one in ("a", "b")]
        return [entry.action.undone_by for entry in entries if entry is not None]

    await done(ledger, action("a"))
    refused = action("x", undoes="a", state=ActionState.REFUSED, refusal=Refusal.CHANGED)
    await ledger.begin(Entry(action=refused))
    await ledger.end(refused)
    await done(ledger, action("b", undoes="a"))
    assert await undone_by() == ["b", ""]
    await done(ledger, action("c", undoes="b"))
    assert await undone_by() == ["b", "c"]


async def test_the_newest_come_first_in_pages(ledger: PostgresLedger) -> None:
    """Of everything, of a run, or of a path with what is beneath it; refused ones are among them."""
    for number in range(5):
        await done(ledger, action(f"{number}", run_id=f"r{number % 2}"))
    await ledger.begin(Entry(action=action("m", kind=ActionKind.MOVE, path="/d/in/x", target="/e/x")))
    page = await ledger.page(4)
    assert page is not None
    assert [one.id for one in page.actions] == ["m", "4", "3", "2"]
    rest = await ledger.page(4, cursor=page.next_cursor)
    assert rest is not None
    assert ([one.id for one in rest.actions], rest.next_cursor) == (["1", "0"], "")
    for wanted, expected in (
        ({"run_id": "r1"}, ["3", "1"]),
        ({"path": "/d/in"}, ["m"]),
        ({"path": "/e"}, ["m"]),
        ({"path": "/d/i"}, []),
    ):
        found = await ledger.page(10, **wanted)
        assert found is not None
        assert [one.id for one in found.actions] == expected
    assert await ledger.page(4, cursor="x") is None
    assert [entry.action.id for entry in await ledger.of_run("r0")] == ["4", "2", "0"]


async def test_a_forgotten_file_is_in_no_entry(ledger: PostgresLedger) -> None:
    """Its contents are told but those that another entry names; a hostile path is stored as well as can be."""
    await done(ledger, action("1", path="/d/a"), before="one", replaced=True)
    await done(ledger, action("2", path="/d/a", kind=ActionKind.MOVE, target="/d/b"))
    await done(ledger, action("3", path="/d/a/b"), before="two", replaced=True)
    await done(ledger, action("4", path="/d/ab\0\ud800"), before="two", replaced=True)
    names = await ledger.names_of("/d/b")
    assert sorted(names) == ["/d/a", "/d/b"]
    assert list(await ledger.contents_of(names)) == ["one"]
    assert await ledger.forget(names) == 3
    page = await ledger.page(10)
    assert page is not None
    assert [(one.id, one.path) for one in page.actions] == [("4", "/d/ab\ufffd?")]
    assert await ledger.rewrite() == ""
