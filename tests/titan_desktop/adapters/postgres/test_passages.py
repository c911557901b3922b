"""The keyword leg in PostgreSQL: its scores, its statistics, and what it cannot hold."""

import math
import random
from collections import Counter
from pathlib import Path

import pytest

from tests import hostile
from tests.contract.corpus import CORPUS, entry, fill, of
from titan_desktop.adapters.postgres import keyword
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.adapters.postgres.terms import LITTLE
from titan_desktop.adapters.postgres.text import asking, words
from titan_desktop.adapters.postgres.text.function_words import FUNCTION_WORDS
from titan_desktop.ports.passages import IndexUnavailableError


@pytest.fixture
async def passages(database: Database) -> PostgresPassages:
    return PostgresPassages(database)


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
        bag = await stems(database, f"{words.indexed(row['body'])} {words.name_words(row['title'])}")
        frequencies.update(bag.keys())
        lengths.append(bag.total())
        postings += len(bag)
    return dict(frequencies), (len(lengths), sum(lengths)), postings


@pytest.mark.parametrize(
    "query", ["залог арендатора", "when is the deposit returned", "краска", "договор pdf"]
)
@pytest.mark.by_url
async def test_ranks_as_bm25(passages: PostgresPassages, database: Database, query: str) -> None:
    """Scores are Okapi BM25 (k1 1.2, b 0.75) over the stems of text and name, function words little.

    To the sixth digit.
    """
    await fill(passages)
    bags = [
        (text, await stems(database, f"{words.indexed(text)} {words.name_words(Path(path).name)}"))
        for path, texts in CORPUS.items()
        for text in texts
    ]
    number, mean = len(bags), sum(bag.total() for _, bag in bags) / len(bags)
    frequencies = Counter(term for _, bag in bags for term in bag)
    expected = {}
    for text, bag in bags:
        score = 0.0
        for term in await stems(database, words.indexed(query)):
            df, tf = frequencies[term], bag[term]
            idf = math.log(1 + (number - df + 0.5) / (df + 0.5))
            if term in FUNCTION_WORDS:
                idf = min(idf, LITTLE)
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
    vocabulary = "залог аренда договор paint rent ремонт 2024 ёлка e-mail краска".split()
    for step in range(60):
        path = f"/d/{drawn.choice('abc')}/{drawn.choice('xyz')}.txt"
        match drawn.randrange(6):
            case 0:
                await passages.remove(path)
            case 1 if step % 3 == 0:
                await passages.remove(f"/d/{drawn.choice('abc')}", folder=True)
            case _:
                texts = [
                    " ".join(drawn.choices(vocabulary, k=drawn.randrange(12)))
                    for _ in range(drawn.randrange(4))
                ]
                await passages.store(entry(path), of(*texts))
    frequencies, (number, length), postings = await recount(database)
    pool = database.pool
    assert {row["term"]: row["df"] for row in await pool.fetch("SELECT term, df FROM terms")} == frequencies
    assert tuple(await pool.fetchrow("SELECT passages, length FROM statistics")) == (number, length)
    assert await pool.fetchval("SELECT count(*) FROM all_postings") == postings
    assert await pool.fetchval("SELECT count(*) FROM passages") == number


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Договор аренды.pdf", "договор аренды pdf"),
        ("rentalAgreement_v2.docx", "rentalagreement v2 v 2 rentalagreementv2 docx rental agreement"),
        ("Счёт2024.PDF", "счет2024 счет 2024 pdf"),
        ("...", ""),
    ],
)
def test_name_words(name: str, expected: str) -> None:
    """A name is parted at punctuation, camelCase and digits, and its whole words stay."""
    assert words.name_words(name) == expected


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


def test_words_are_found_in_time_in_proportion_to_the_text() -> None:
    """A long word without a hyphen is looked at once, not from each of its letters; marks likewise."""
    hostile.assert_linear(words.indexed)
    hostile.assert_linear(words.name_words)
    hostile.assert_linear(asking.read)
    assert words.indexed("e-mail-адрес а-") == "e mail адрес а emailадрес"
