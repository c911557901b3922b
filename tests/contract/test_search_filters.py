"""One suite for both legs of a search: a filter leaves out what it says, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.nearness import MODEL, passages_of
from titan_desktop.adapters.postgres import filtering
from titan_desktop.contracts.search import EVERYTHING, Filters
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, Passages, Vectors

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
FILES = {
    "/d/Договор.pdf": MARCH,
    "/d/Работа/договор.docx": APRIL - timedelta(microseconds=1),
    "/d/Работа 2/договор.pdf": APRIL,
    "/e_/старый договор.xlsx": MARCH - timedelta(days=900),
}


@pytest.fixture
async def legs(index: tuple[Passages, Vectors]) -> tuple[Passages, Vectors]:
    passages, vectors = index
    for number, (path, changed) in enumerate(FILES.items()):
        stamp = Stamp(1, int(changed.timestamp()) * 10**9 + changed.microsecond * 1_000)
        text = f"договор номер {number}"
        await passages.store(FileEntry(path=path, stamp=stamp), passages_of(text))
        await vectors.store(MODEL, {text: [1.0, number / 10, 0.0]})
    return passages, vectors


CASES = (
    (EVERYTHING, {0, 1, 2, 3}),
    (Filters(kinds=("pdf",)), {0, 2}),
    (Filters(kinds=("docx", "xlsx")), {1, 3}),
    (Filters(folders=("/d",)), {0, 1, 2}),
    (Filters(folders=("/d/Работа", "/e_/")), {1, 3}),
    (Filters(since=MARCH), {0, 1, 2}),
    (Filters(since=MARCH, until=APRIL), {0, 1}),
    (Filters(until=datetime.min.replace(tzinfo=UTC)), set()),
    (Filters(since=MARCH, kinds=("pdf",), folders=("/d",), until=datetime.max.replace(tzinfo=UTC)), {0, 2}),
    (Filters(folders=("/x'; DROP TABLE files; --", "/%")), set()),
    (Filters(kinds=("'", "")), set()),
)


@pytest.mark.parametrize("few", [2_000, 0], ids=["one by one", "along the index"])
async def test_both_legs_find_what_the_filter_allows(
    legs: tuple[Passages, Vectors], monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """By folder, kind and time, singly and together, whether few passages are left or many."""
    monkeypatch.setattr(filtering, "FEW", few)
    passages, vectors = legs
    for filters, found in CASES:
        by_words = await passages.find_words("договор", 10, filters)
        near = await vectors.find_near(MODEL, [1.0, 0.1, 0.0], 10, filters)
        paths = {path for number, path in enumerate(FILES) if number in found}
        assert {hit.path for hit in by_words} == paths, filters
        assert {hit.path for hit in near} == paths, filters


async def test_each_leg_scores_what_the_other_found(legs: tuple[Passages, Vectors]) -> None:
    """The score of a passage is the same, whether it was found or asked for."""
    passages, vectors = legs
    by_words = await passages.find_words("договор номер 2", 10)
    numbers = [hit.passage_id for hit in by_words]
    assert await passages.score_words("договор номер 2", numbers) == pytest.approx(
        {hit.passage_id: hit.score for hit in by_words}
    )
    near = await vectors.find_near(MODEL, [1.0, 0.1, 0.0], 10)
    assert await vectors.cosines(MODEL, [1.0, 0.1, 0.0], [*numbers, 10**6]) == pytest.approx(
        {hit.passage_id: hit.score for hit in near}
    )
    assert await passages.score_words("ничего такого", numbers) == {}
    assert await vectors.cosines("another", [1.0], numbers) == {}
