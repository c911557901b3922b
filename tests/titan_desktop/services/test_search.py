"""A search as a client asks for it, over a real PostgreSQL with vectors that are made by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.contracts.search import Filters, Search, SearchResult
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, Passage
from titan_desktop.services.search.searcher import Searcher

MODEL = "by hand"
TODAY = datetime.now(UTC)
LAST_MONTH = (TODAY.replace(day=1) - timedelta(days=5)).replace(hour=12)
LONG_AGO = TODAY - timedelta(days=900)


class ByHand:
    """An embedder whose questions all have the same vector; a passage's cosine to it is given with its text."""

    model = MODEL

    async def open(self) -> None: ...

    async def embed_passages(self, texts: Sequence[str]) -> list[Sequence[float]]:
        raise NotImplementedError

    async def embed_query(self, text: str) -> Sequence[float]:
        return [1.0, 0.0]

    async def close(self) -> None: ...


class Home:
    """An index that a test fills, and the search over it."""

    def __init__(self, database: Database) -> None:
        self.passages = PostgresPassages(database)
        self.vectors = PostgresVectors(database)
        self.embedder: ByHand | None = None
        self.searcher = Searcher(self.passages, self.vectors, lambda: self.embedder)

    async def file(
        self, path: str, *texts: str, changed: datetime = TODAY, cosines: Sequence[float] = ()
    ) -> None:
        stamp = Stamp(1, int(changed.timestamp()) * 10**9)
        await self.passages.store(FileEntry(path=path, stamp=stamp), [Passage(text) for text in texts])
        made = {text: [cosine, (1 - cosine**2) ** 0.5] for text, cosine in zip(texts, cosines, strict=False)}
        await self.vectors.store(MODEL, made)

    async def search(self, query: str, **more: object) -> SearchResult:
        return await self.searcher.answer(Search(query=query, **more))


@pytest.fixture
async def home(database: Database) -> Home:
    return Home(database)


def paths(result: SearchResult) -> list[str]:
    return [hit.path for hit in result.hits]


async def test_a_file_without_vectors_is_not_punished(home: Home) -> None:
    """While vectors are made, the file that the words find stays before a nearer one with fewer of them."""
    home.embedder = ByHand()
    await home.file("/d/asked.txt", "залог по договору аренды")
    await home.file("/d/near.txt", "договор о поставке", cosines=[0.9])
    await home.file("/d/far.txt", "рецепт", cosines=[0.2])
    assert paths(await home.search("залог аренды договор")) == ["/d/asked.txt", "/d/near.txt", "/d/far.txt"]


async def test_words_and_meaning_are_added(home: Home) -> None:
    """What both legs find comes before what either finds alone, also what a leg found only by the other."""
    home.embedder = ByHand()
    await home.file("/d/both.txt", "залог вносят вперёд", cosines=[0.9])
    await home.file("/d/words.txt", "залог, залог и залог", cosines=[0.1])
    await home.file("/d/near.txt", "deposit", cosines=[0.95])
    result = await home.search("залог")
    assert paths(result)[0] == "/d/both.txt"
    assert result.legs == ("keyword", "vector")
    assert not result.nearest_only
    nearest = await home.search("попугай")
    assert (paths(nearest)[0], nearest.nearest_only) == ("/d/near.txt", True)


async def test_filters_hold_in_both_legs(home: Home) -> None:
    """What was said otherwise than in words leaves out the rest, even when nothing is left."""
    home.embedder = ByHand()
    await home.file("/d/a/lease.pdf", "залог", cosines=[0.5])
    await home.file("/d/b/lease.docx", "залог и залог", cosines=[0.9])
    assert paths(await home.search("залог", filters=Filters(kinds=("pdf",)))) == ["/d/a/lease.pdf"]
    assert paths(await home.search("deposit", filters=Filters(folders=("/d/b",)))) == ["/d/b/lease.docx"]
    nothing = await home.search("залог pdf", filters=Filters(kinds=("txt",)))
    assert (nothing.hits, nothing.read) == ((), None)


async def test_the_pdf_of_the_contract_among_many(home: Home) -> None:
    """«покажи договор PDF» puts it first where other files speak of contracts, or are PDFs."""
    for number in range(20):
        await home.file(f"/d/{number}.pdf", f"счёт номер {number} за свет")
        await home.file(f"/d/{number}.txt", f"договор, договор и ещё договор {number} в pdf")
    await home.file("/d/скан 17.pdf", "Квартира сдаётся по договору на год, оплата до пятого числа.")
    result = await home.search("покажи договор PDF")
    assert paths(result)[0] == "/d/скан 17.pdf"
    assert result.read is not None
    assert (result.read.words, result.read.filters.kinds, result.read.dropped) == (("PDF",), ("pdf",), False)


async def test_a_read_filter_that_keeps_the_answer_away_is_dropped(home: Home) -> None:
    """Where what it leaves shares little with the question, all files are searched, and that is said."""
    await home.file("/d/договор.docx", "Залог за квартиру вносят при заселении.")
    for number in range(5):
        await home.file(f"/d/{number}.pdf", f"Квартира 12, счёт {number}.")
    await home.file("/d/счёт.pdf", "Квартира 12, свет.")
    result = await home.search("залог квартиры pdf")
    assert paths(result)[0] == "/d/договор.docx"
    assert result.read is not None
    assert (result.read.filters.kinds, result.read.dropped) == (("pdf",), True)
    held = await home.search("свет в квартире pdf")
    assert (paths(held)[0], held.read and held.read.dropped) == ("/d/счёт.pdf", False)


async def test_a_folder_is_known_by_its_name(home: Home) -> None:
    """In either language of the system's folders, whatever the case, and only where there is one."""
    await home.file("/h/Downloads/a.txt", "залог")
    await home.file("/h/Desktop/Мои Налоги/b.txt", "залог")
    assert paths(await home.search("залог в папке загрузки")) == ["/h/Downloads/a.txt"]
    assert paths(await home.search("залог в папке мои налоги")) == ["/h/Desktop/Мои Налоги/b.txt"]
    anywhere = await home.search("залог в папке тайная")
    assert (len(anywhere.hits), anywhere.read) == (2, None)


async def test_files_of_the_time_that_is_asked_for_come_first(home: Home) -> None:
    """Older ones are left out, later ones come after; beside "files" later ones are left out, too."""
    for name, changed in (("today", TODAY), ("month", LAST_MONTH), ("old", LONG_AGO)):
        await home.file(f"/d/{name}.txt", "договор аренды", changed=changed)
    assert paths(await home.search("договор аренды в прошлом месяце")) == ["/d/month.txt", "/d/today.txt"]
    assert paths(await home.search("файлы с договором аренды за прошлый месяц")) == ["/d/month.txt"]


async def test_sources_of_one_file(home: Home) -> None:
    """A client that asks for passages gets several of a file only where they fit nearly as well as the best."""
    await home.file(
        "/d/lease.txt", "залог и залог", "залог, залог", "залог залог", "о погоде и о дороге, и залог тоже"
    )
    await home.file("/d/other.txt", "кроме прочего и залог, о котором больше ни слова")
    found = await home.search("залог", limit=6, per_file=2)
    assert paths(found) == ["/d/lease.txt", "/d/lease.txt", "/d/other.txt"]
    assert paths(await home.search("залог")) == ["/d/lease.txt", "/d/other.txt"]
