"""One suite for every Passages: files and their passages, what is known of them, and the keyword leg."""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.contract.corpus import CORPUS, entry, fill, of
from titan_desktop.contracts.indexing import Outcome, Reason
from titan_desktop.contracts.sources import Cells, Lines, Pages, Place, Slides
from titan_desktop.ports import extractor
from titan_desktop.ports.extractor import Block
from titan_desktop.ports.passages import Passage, Passages
from titan_desktop.services.indexing.cutting import cut
from titan_desktop.system import tesseract


@pytest.mark.parametrize(
    "query",
    ["", " ", "?!,.;:«»—", "'; DROP TABLE terms; --", "\0", "a\0b", "\ud800", "& | ! <-> :*", "слово " * 4000,
     "х" * 20_000, "()" * 5_000, "\u0301\u200b", "🙂", "%_\\", " ".join(map(str, range(3000)))],
)  # fmt: skip
async def test_any_text_is_a_good_query(passages: Passages, query: str) -> None:
    """Hostile queries find nothing and break nothing."""
    await fill(passages)
    assert await passages.find_words(query, 10) == []
    assert await passages.find_words("залог", 10)


async def test_the_name_counts_in(passages: Passages) -> None:
    """«покажи договор PDF» finds a file by its name and kind, though its text has neither word."""
    await fill(passages)
    assert (await passages.find_words("покажи договор PDF", 10))[0].path == "/d/Договор аренды.pdf"


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("ёлка", "елка"),
        ("договоры", "Договором"),
        ("за\u0301мок", "замок"),
        ("до\u00adговор", "договор"),
        ("e-mail", "email"),
        ("email", "EMAIL"),
        ("ＡＢＣ", "abc"),
        ("deposits", "deposit"),
        ("и\u0306од", "йод"),
        ("№ 4711-Б", "4711"),
    ],
)
async def test_what_is_the_same_word(passages: Passages, written: str, asked: str) -> None:
    """Case, ё, stress marks, soft hyphens, width, endings and hyphens do not keep a word from being found."""
    await passages.store(entry("/d/x.txt"), of(f"перед {written} после"))
    assert await passages.find_words(asked, 1)


@pytest.mark.by_url
async def test_replacing_and_removing(passages: Passages) -> None:
    """A file that is stored again is found by its new text alone; one that is removed is not found."""
    await passages.store(entry("/d/a.txt"), of("старый текст"))
    await passages.store(entry("/d/a.txt"), of("новый текст"))
    assert not await passages.find_words("старый", 5)
    assert (await passages.find_words("новый", 5))[0].position == 0
    assert await passages.remove("/d/a.txt") == 1
    assert await passages.remove("/d/a.txt") == 0
    assert not await passages.find_words("новый", 5)


@pytest.mark.parametrize(
    "place",
    [
        Pages(first=3, last=4),
        Slides(first=2, last=2),
        Lines(first=10, last=24),
        Cells(sheet="Смета «май»", first="B3", last="C29"),
        None,
    ],
)
async def test_a_passage_keeps_its_place(passages: Passages, place: Place | None) -> None:
    """It is found with the place that it was stored with."""
    await passages.store(entry("/d/a.txt"), [Passage("залог", place)])
    assert [found.place for found in await passages.find_words("залог", 1)] == [place]


async def test_what_a_former_extractor_read_is_outdated(
    passages: Passages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beneath the folder that is asked for, until it is stored anew; what was skipped is tried again, too."""
    await fill(passages)
    await passages.store(entry("/d/x.bin", outcome=Outcome.SKIPPED, reason=Reason.UNSUPPORTED), ())
    assert await passages.outdated(Path("/d")) == frozenset()
    monkeypatch.setattr(extractor, "VERSION", extractor.VERSION + 1)
    await passages.store(entry("/d/notes.txt"), of("новый текст"))
    assert await passages.outdated(Path("/d")) == {"/d/x.bin", *CORPUS} - {"/d/notes.txt"}
    assert await passages.outdated(Path("/d/lease.docx")) == {"/d/lease.docx"}
    assert await passages.outdated(Path("/e")) == frozenset()


async def test_what_tesseract_might_read_is_outdated_once_it_is_installed(
    passages: Passages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing else that has no text."""
    skipped = partial(entry, outcome=Outcome.SKIPPED, reason=Reason.NO_TEXT)
    await passages.store(skipped("/d/scan.pdf", detail=extractor.OCR_MISSING), ())
    await passages.store(skipped("/d/blank.pdf"), ())
    monkeypatch.setattr(tesseract, "folder", lambda: None)
    assert await passages.outdated(Path("/d")) == frozenset()
    monkeypatch.setattr(tesseract, "folder", lambda: Path("/models"))
    assert await passages.outdated(Path("/d")) == {"/d/scan.pdf"}


async def test_a_folder_that_moves_too_deep_leaves_what_has_no_room(passages: Passages) -> None:
    """A path that the index could not hold goes; the others get theirs."""
    deep = "/d/a/" + "я" * 1_000 + ".txt"
    for path in (deep, "/d/a/b.txt"):
        await passages.store(entry(path), of("залог"))
    new = "/d/" + "э" * 300
    assert await passages.move_folder("/d/a", new) == 1
    assert [found.path for found in await passages.find_words("залог", 5)] == [f"{new}/b.txt"]


async def test_what_is_held_is_told_of_many_paths_at_once(passages: Passages) -> None:
    """Files and the folders above them; not what has only the same beginning, nor what wildcards would find."""
    await passages.store(entry("/d/Папка 1/a.txt"), of("залог"))
    await passages.store(entry("/d/x.bin", outcome=Outcome.SKIPPED, reason=Reason.UNSUPPORTED), ())
    held = {"/d", "/d/Папка 1", "/d/Папка 1/a.txt", "/d/x.bin"}
    others = {"/", "/d/Папка", "/d/Папка_1", "/d/Папка 1/a", "/d/Папка 1/a.txt/b", "/d%", "/e", ""}
    assert await passages.held([*held, *others]) - {"/", ""} == held
    assert await passages.held([]) == frozenset()


async def test_a_folder_goes_without_its_neighbours(passages: Passages) -> None:
    """Wildcards in a folder's name mean themselves, and a folder is not the beginning of another's name."""
    kept = ["/d/aXb/1.txt", "/d/a_bc/1.txt", "/d/a_b.txt", "/d/100/1.txt"]
    gone = ["/d/a_b/1.txt", "/d/a_b/deep/er/2.txt"]
    for path in (*kept, *gone):
        await passages.store(entry(path), of("слово"))
    assert await passages.remove("/d/a_b", folder=True) == len(gone)
    assert await passages.remove("/d/1%0", folder=True) == 0
    assert sorted(await passages.known(Path("/"))) == sorted(kept)
    assert sorted(await passages.known(Path("/d/aXb"))) == ["/d/aXb/1.txt"]
    assert sorted(await passages.known(Path("/d/a_b.txt"))) == ["/d/a_b.txt"]


async def test_stamps_and_failures_are_kept(passages: Passages) -> None:
    """Files that lack text are known by their stamp, counted, and listed with reasons, failures first."""
    await fill(passages)
    failed = entry("/d/broken.pdf", outcome=Outcome.FAILED, reason=Reason.BROKEN, detail="no trailer\0\ud800")
    await passages.store(failed, ())
    await passages.store(entry("/d/x.bin", outcome=Outcome.SKIPPED, reason=Reason.UNSUPPORTED), ())
    await passages.store(entry("/d/long.txt", reason=Reason.CUT), of("begin"))
    known = await passages.entry_of("/d/broken.pdf")
    assert known is not None
    assert (known.stamp, known.outcome, known.reason) == (failed.stamp, Outcome.FAILED, Reason.BROKEN)
    assert known.event_id == failed.event_id
    assert await passages.entry_of("/d/never.pdf") is None
    counts = await passages.counts()
    assert (counts.files, counts.passages, counts.failed, counts.skipped) == (5, 6, 1, 1)
    assert counts.partial == 1
    page = await passages.failures(5)
    assert page is not None
    listed = page.failures
    assert not page.more
    assert [(one.path, one.reason) for one in listed] == [
        ("/d/broken.pdf", Reason.BROKEN),
        ("/d/long.txt", Reason.CUT),
        ("/d/x.bin", Reason.UNSUPPORTED),
    ]
    assert await passages.failed(Path("/d")) == {"/d/broken.pdf": Reason.BROKEN}
    assert await passages.failed(Path("/d/x.bin")) == {}
    assert listed[0].detail == "no trailer?"


@pytest.mark.parametrize("limit", [1, 2, 5, 7])
async def test_pages_of_failures_join_without_a_gap(passages: Passages, limit: int) -> None:
    """Over the borders between failed, read in part and skipped, too; a cursor of nobody's is no page."""
    for number, outcome in enumerate((Outcome.SKIPPED, Outcome.FAILED, Outcome.INDEXED, Outcome.FAILED) * 2):
        reason = Reason.NONE if number == 2 else Reason.EMPTY
        await passages.store(entry(f"/d/{number}.txt", outcome=outcome, reason=reason), ())
    found: list[str] = []
    cursor, more = "", True
    while more:
        page = await passages.failures(limit, cursor=cursor)
        assert page is not None
        assert len(page.failures) == limit or not page.more
        found += [failure.path for failure in page.failures]
        cursor, more = page.cursor, page.more
    assert found == [f"/d/{number}.txt" for number in (7, 5, 3, 1, 6, 4, 0)]
    for nobodys in ("no place", f"failed 2026-11-30T12:00:00+00:00 {2**63}", "failed 2026-11-30T12:00:00 1"):
        assert await passages.failures(limit, cursor=nobodys) is None


async def test_one_file_does_not_crowd_out_the_others(passages: Passages) -> None:
    """A file with many fitting passages takes three places, so the next file is among the first four."""
    await passages.store(entry("/d/long.txt"), of("залог залог") * 50)
    await passages.store(entry("/d/short.txt"), of("залог и многое другое"))
    assert {hit.title for hit in await passages.find_words("залог", 4)} == {"long.txt", "short.txt"}


@pytest.mark.parametrize(
    ("language", "floor"), [("ru", (0.905, 0.979, 0.987)), ("en", (0.930, 0.985, 0.990))]
)
async def test_finds_what_plain_bm25_finds(
    passages: Passages, shared_data: Path, language: str, floor: tuple[float, float, float]
) -> None:
    """On the public questions the keyword leg's hit rates @1, @5 and @10 are not below BM25's."""
    data = json.loads((shared_data / "retrieval" / f"xquad-{language}-dev.json").read_text("utf-8"))
    for document in data["documents"]:
        await passages.store(entry(f"/d/{document['id']}.txt"), cut([Block(document["text"])]))
    ranks = []
    for question in data["questions"]:
        hits = await passages.find_words(question["question"], 100)
        titles = list(dict.fromkeys(hit.title for hit in hits))
        expected = f"{question['doc']}.txt"
        ranks.append(titles.index(expected) if expected in titles else len(titles))
    rates = [sum(rank < k for rank in ranks) / len(ranks) for k in (1, 5, 10)]
    assert all(rate >= least for rate, least in zip(rates, floor, strict=True)), rates


@pytest.mark.parametrize(
    ("query", "files"),
    [
        ("what is the colour of it", []),
        ("какой у меня был попугай", []),
        ("какой у меня был залог", ["Договор аренды.pdf", "смета.xlsx"]),
        ("who is the", ["lease.docx", "notes.txt"]),
    ],
)
async def test_stop_words_alone_find_nothing(passages: Passages, query: str, files: list[str]) -> None:
    """Sharing "the" or «у меня» with all there is means nothing was found; a query of nothing else is served."""
    await fill(passages)
    await passages.store(entry("/d/я.txt"), of("Какой у меня был день, что это было за время и кто где"))
    found = await passages.find_words(query, 10)
    assert sorted({Path(hit.path).name for hit in found}) == files
