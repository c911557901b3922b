"""Rows that a newer version has written: each costs itself alone what this version does not know of it."""

from pathlib import Path

import pytest

from tests.contract.corpus import entry, of
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.history.rows import _sources_of
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.contracts.indexing import Outcome, Reason
from titan_desktop.contracts.sources import FilePassage


@pytest.fixture
def passages(database: Database) -> PostgresPassages:
    return PostgresPassages(database)


async def test_a_place_of_another_kind_hides_no_passage(
    passages: PostgresPassages, database: Database
) -> None:
    """Both files are found, one without its place."""
    for name in ("a", "b"):
        await passages.store(entry(f"/d/{name}.txt"), of("залог"))
    await database.pool.execute(
        "UPDATE passages SET place = $1 WHERE id = (SELECT max(id) FROM passages)", '{"type": "chapter"}'
    )
    found = await passages.find_words("залог", 5)
    assert sorted(hit.path for hit in found) == ["/d/a.txt", "/d/b.txt"]


async def test_a_reason_of_another_version_stops_no_scan(
    passages: PostgresPassages, database: Database
) -> None:
    """Failures are listed and scans compared, with one reason that nobody here knows."""
    await passages.store(entry("/d/a.txt", outcome=Outcome.FAILED, reason=Reason.UNREADABLE), ())
    await passages.store(entry("/d/b.txt", outcome=Outcome.FAILED, reason=Reason.BROKEN), ())
    await database.pool.execute("UPDATE files SET reason = 'haunted' WHERE path = '/d/b.txt'")
    assert await passages.failed(Path("/d")) == {"/d/a.txt": Reason.UNREADABLE, "/d/b.txt": Reason.BROKEN}
    page = await passages.failures(5)
    assert page is not None
    assert len(page.failures) == 2


def test_a_source_of_another_kind_hides_no_answer() -> None:
    """The sources that are known are shown."""
    known = (
        '{"type": "file_passage", "path": "/d/a", "title": "a", "score": 1.0, "passage": "p", "kind": "txt"}'
    )
    (source,) = _sources_of(f'[{known}, {{"type": "dream", "title": "b"}}]')
    assert source == FilePassage(path="/d/a", title="a", score=1.0, passage="p", kind="txt")
