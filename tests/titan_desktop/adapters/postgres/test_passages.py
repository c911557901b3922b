"""The index of files and passages, and its keyword leg, on a real PostgreSQL."""

import json
import math
import random
from collections import Counter
from pathlib import Path

import pytest

from titan_desktop.adapters.postgres import keyword
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.contracts.indexing import Outcome, Reason
from titan_desktop.contracts.sources import Cells, Lines, Pages, Place, Slides
from titan_desktop.ports import extractor
from titan_desktop.ports.extractor import Block
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, IndexUnavailableError, Passage
from titan_desktop.services.indexing.cutting import cut

CORPUS = {
    "/d/Договор аренды.pdf": [
        "Арендатор вносит залог в размере двух месячных платежей.",
        "Залог возвращается арендатору после проверки квартиры, если нет повреждений.",
    ],
    "/d/смета.xlsx": ["Смета на ремонт: краска, обои, залог за инструмент, краска ещё раз."],
    "/d/lease.docx": ["The deposit is two monthly rents. The deposit is returned after the inspection."],
    "/d/notes.txt": ["Buy paint, return the drill, pay the rent before the tenth."],
}


@pytest.fixture
async def passages(database: Database) -> PostgresPassages:
    return PostgresPassages(database)


def entry(path: str, **changes: object) -> FileEntry:
    return FileEntry(path=path, stamp=Stamp(size=1, mtime_ns=2), **changes)


def of(*texts: str) -> list[Passage]:
    return [Passage(text) for text in texts]


async def fill(passages: PostgresPassages, corpus: dict[str, list[str]] = CORPUS) -> None:
    for path, texts in corpus.items():
        await passages.store(entry(path), of(*texts))


async def stems(database: Database, text: str) -> Counter[str]:
    rows = await database.pool.fetch(
        "SELECT lexeme, cardinality(positions) AS n FROM unnest(to_tsvector('titan', $1))", text
    )
    return Counter({row["lexeme"]: row["n"] for row in rows})


async def recount(database: Database) -> tuple[dict[str, int], tuple[int, int], int]:
    """What the statistics should be, counted anew from the passages' texts and the names of their files."""
    frequencies: Counter[str] = Counter()
    lengths = []
    postings = 0
    for row in await database.pool.fetch("SELECT body, title FROM passages JOIN files ON files.id = file_id"):
        bag = await stems(database, f"{keyword.words(row['body'])} {keyword.name_words(row['title'])}")
        frequencies.update(bag.keys())
        lengths.append(bag.total())
        postings += len(bag)
    return dict(frequencies), (len(lengths), sum(lengths)), postings


@pytest.mark.parametrize(
    "query", ["залог арендатора", "when is the deposit returned", "краска", "договор pdf"]
)
@pytest.mark.by_url
async def test_ranks_as_bm25(passages: PostgresPassages, database: Database, query: str) -> None:
    """Scores are Okapi BM25 (k1 1.2, b 0.75) over the stems of text and name, to the sixth digit."""
    await fill(passages)
    bags = [
        (text, await stems(database, f"{keyword.words(text)} {keyword.name_words(Path(path).name)}"))
        for path, texts in CORPUS.items()
        for text in texts
    ]
    number, mean = len(bags), sum(bag.total() for _, bag in bags) / len(bags)
    frequencies = Counter(term for _, bag in bags for term in bag)
    expected = {}
    for text, bag in bags:
        score = 0.0
        for term in await stems(database, keyword.words(query)):
            df, tf = frequencies[term], bag[term]
            idf = math.log(1 + (number - df + 0.5) / (df + 0.5))
            score += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * bag.total() / mean))
        if score:
            expected[text] = score
    found = await passages.find_words(query, 10)
    assert {hit.text: hit.score for hit in found} == pytest.approx(expected, abs=1e-6)
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


async def test_common_terms_complete_the_scores(
    passages: PostgresPassages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query whose common terms are not read for candidates scores as one whose terms all are."""
    await fill(passages)
    exact = await passages.find_words("залог за инструмент", 10)
    monkeypatch.setattr(keyword, "POSTINGS_READ", 1)
    bounded = await passages.find_words("залог за инструмент", 10)
    assert bounded[0] == exact[0]
    assert len(bounded) < len(exact)


async def test_statistics_equal_a_recount(passages: PostgresPassages, database: Database) -> None:
    """After any sequence of stores, replacements and removals the counters are what a recount gives."""
    drawn = random.Random(7)
    words = "залог аренда договор paint rent ремонт 2024 ёлка e-mail краска".split()
    for step in range(60):
        path = f"/d/{drawn.choice('abc')}/{drawn.choice('xyz')}.txt"
        match drawn.randrange(6):
            case 0:
                await passages.remove(path)
            case 1 if step % 3 == 0:
                await passages.remove(f"/d/{drawn.choice('abc')}", folder=True)
            case _:
                texts = [
                    " ".join(drawn.choices(words, k=drawn.randrange(12))) for _ in range(drawn.randrange(4))
                ]
                await passages.store(entry(path), of(*texts))
    frequencies, (number, length), postings = await recount(database)
    pool = database.pool
    assert {row["term"]: row["df"] for row in await pool.fetch("SELECT term, df FROM terms")} == frequencies
    assert tuple(await pool.fetchrow("SELECT passages, length FROM statistics")) == (number, length)
    assert await pool.fetchval("SELECT count(*) FROM postings") == postings
    assert await pool.fetchval("SELECT count(*) FROM passages") == number


@pytest.mark.parametrize(
    "query",
    ["", " ", "?!,.;:«»—", "'; DROP TABLE terms; --", "\0", "a\0b", "\ud800", "& | ! <-> :*", "слово " * 4000,
     "х" * 20_000, "()" * 5_000, "\u0301\u200b", "🙂", "%_\\", " ".join(map(str, range(3000)))],
)  # fmt: skip
async def test_any_text_is_a_good_query(passages: PostgresPassages, query: str) -> None:
    """Hostile queries find nothing and break nothing."""
    await fill(passages)
    assert await passages.find_words(query, 10) == []
    assert await passages.find_words("залог", 10)


async def test_the_name_counts_in(passages: PostgresPassages) -> None:
    """«покажи договор PDF» finds a file by its name and kind, though its text has neither word."""
    await fill(passages)
    assert (await passages.find_words("покажи договор PDF", 10))[0].path == "/d/Договор аренды.pdf"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Договор аренды.pdf", "договор аренды pdf"),
        ("rentalAgreement_final-v2.docx", "rentalagreement final v2 docx finalv2 rental agreement v 2"),
        ("Счёт2024.PDF", "счет2024 pdf счет 2024"),
        ("...", ""),
    ],
)
def test_name_words(name: str, words: str) -> None:
    """A name is parted at punctuation, camelCase and digits, and its whole words stay."""
    assert keyword.name_words(name) == words


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
async def test_what_is_the_same_word(passages: PostgresPassages, written: str, asked: str) -> None:
    """Case, ё, stress marks, soft hyphens, width, endings and hyphens do not keep a word from being found."""
    await passages.store(entry("/d/x.txt"), of(f"перед {written} после"))
    assert await passages.find_words(asked, 1)


@pytest.mark.by_url
async def test_replacing_and_removing(passages: PostgresPassages) -> None:
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
async def test_a_passage_keeps_its_place(passages: PostgresPassages, place: Place | None) -> None:
    """It is found with the place that it was stored with."""
    await passages.store(entry("/d/a.txt"), [Passage("залог", place)])
    assert [found.place for found in await passages.find_words("залог", 1)] == [place]


async def test_what_a_former_extractor_read_is_outdated(
    passages: PostgresPassages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beneath the folder that is asked for, until it is stored anew; what gave no text is not tried again."""
    await fill(passages)
    await passages.store(entry("/d/x.bin", outcome=Outcome.SKIPPED, reason=Reason.UNSUPPORTED), ())
    assert await passages.outdated(Path("/d")) == frozenset()
    monkeypatch.setattr(extractor, "VERSION", extractor.VERSION + 1)
    await passages.store(entry("/d/notes.txt"), of("новый текст"))
    assert await passages.outdated(Path("/d")) == CORPUS.keys() - {"/d/notes.txt"}
    assert await passages.outdated(Path("/d/lease.docx")) == {"/d/lease.docx"}
    assert await passages.outdated(Path("/e")) == frozenset()


async def test_a_folder_goes_without_its_neighbours(passages: PostgresPassages) -> None:
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


async def test_stamps_and_failures_are_kept(passages: PostgresPassages) -> None:
    """Files without text are known by their stamp, counted, and listed with their reasons, failures first."""
    await fill(passages)
    failed = entry("/d/broken.pdf", outcome=Outcome.FAILED, reason=Reason.BROKEN, detail="no trailer\0\ud800")
    await passages.store(failed, ())
    await passages.store(entry("/d/x.bin", outcome=Outcome.SKIPPED, reason=Reason.UNSUPPORTED), ())
    assert await passages.stamp_of("/d/broken.pdf") == Stamp(size=1, mtime_ns=2)
    assert await passages.stamp_of("/d/never.pdf") is None
    counts = await passages.counts()
    assert (counts.files, counts.passages, counts.failed, counts.skipped) == (4, 5, 1, 1)
    page = await passages.failures(5)
    assert page is not None
    listed = page.failures
    assert not page.more
    assert [(one.path, one.reason) for one in listed] == [
        ("/d/broken.pdf", Reason.BROKEN),
        ("/d/x.bin", Reason.UNSUPPORTED),
    ]
    assert await passages.failed(Path("/d")) == {"/d/broken.pdf": Reason.BROKEN}
    assert await passages.failed(Path("/d/x.bin")) == {}
    assert listed[0].detail == "no trailer?"


@pytest.mark.parametrize("limit", [1, 2, 5, 7])
async def test_pages_of_failures_join_without_a_gap(passages: PostgresPassages, limit: int) -> None:
    """Over the border between failed and skipped, too; a cursor of nobody's is no page."""
    for number, outcome in enumerate((Outcome.SKIPPED, Outcome.FAILED, Outcome.INDEXED, Outcome.FAILED) * 2):
        await passages.store(entry(f"/d/{number}.txt", outcome=outcome, reason=Reason.EMPTY), ())
    found: list[str] = []
    cursor, more = "", True
    while more:
        page = await passages.failures(limit, cursor=cursor)
        assert page is not None
        assert len(page.failures) == limit or not page.more
        found += [failure.path for failure in page.failures]
        cursor, more = page.cursor, page.more
    assert found == [f"/d/{number}.txt" for number in (7, 5, 3, 1, 4, 0)]
    assert await passages.failures(limit, cursor="no place") is None


async def test_one_file_does_not_crowd_out_the_others(passages: PostgresPassages) -> None:
    """A file with many fitting passages takes three places, so the next file is among the first four."""
    await passages.store(entry("/d/long.txt"), of("залог залог") * 50)
    await passages.store(entry("/d/short.txt"), of("залог и многое другое"))
    assert {hit.title for hit in await passages.find_words("залог", 4)} == {"long.txt", "short.txt"}


async def test_broken_text_is_stored(passages: PostgresPassages) -> None:
    """NUL and half surrogates, which PostgreSQL cannot hold, do not keep a file out of the index."""
    await passages.store(entry("/d/a.txt"), of("до\0говор \ud800 аренды"))
    assert (await passages.find_words("договор", 1))[0].text == "договор ? аренды"


async def test_a_store_that_is_away(passages: PostgresPassages, database: Database) -> None:
    """Without its database the index says so with an error of the port."""
    await database.close()
    with pytest.raises(IndexUnavailableError):
        await passages.find_words("залог", 1)
    with pytest.raises(IndexUnavailableError):
        await fill(passages)


@pytest.mark.parametrize(
    ("language", "floor"), [("ru", (0.905, 0.979, 0.987)), ("en", (0.930, 0.985, 0.990))]
)
async def test_finds_what_plain_bm25_finds(
    passages: PostgresPassages, shared_data: Path, language: str, floor: tuple[float, float, float]
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
