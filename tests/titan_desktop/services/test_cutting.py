"""How a text is cut into passages."""

import random

import pytest

from tests import hostile
from titan_desktop.contracts.sources import Cells, Lines, Member, Pages, Place, Slides
from titan_desktop.ports.extractor import Block, BlockKind
from titan_desktop.services.indexing import cutting
from titan_desktop.services.indexing.cutting import LIMIT

SENTENCE = "Арендатор вносит залог в размере двух месячных платежей. "


def cut(text: str) -> list[str]:
    return [passage.text for passage in cutting.cut([Block(text)])]


def places(*blocks: Block) -> list[Place | None]:
    return [passage.place for passage in cutting.cut(blocks)]


def assert_whole(text: str) -> None:
    """Every word of `text`, all different, is in a passage; passages are runs of words that follow or overlap."""
    passages = cut(text)
    words = text.split()
    numbers = {word: number for number, word in enumerate(words)}
    reached = 0
    for passage in passages:
        assert 0 < len(passage) <= LIMIT
        run = passage.split()
        start = numbers[run[0]]
        assert run == words[start : start + len(run)]
        assert start <= reached < start + len(run)
        reached = start + len(run)
    assert reached == len(words)


@pytest.mark.parametrize("pause", [" ", ". ", "\n", "\n\n", "! ", " \n \n "])
@pytest.mark.parametrize("count", [0, 1, 50, 3_000])
def test_nothing_is_lost_and_nothing_is_too_long(pause: str, count: int) -> None:
    """Every word is in a passage, in order; no passage is empty or longer than the limit."""
    assert_whole(pause.join(f"слово{number}" for number in range(count)))


def test_random_texts() -> None:
    """The same holds for texts of any shape."""
    drawn = random.Random(3)
    for _ in range(60):
        pauses = drawn.choices(
            (" ", ". ", "\n", "\n\n", "! ", ".» "), (60, 8, 2, 1, 1, 1), k=drawn.randrange(1500)
        )
        assert_whole(
            "".join(f"{number}{'х' * drawn.randrange(9)}{pause}" for number, pause in enumerate(pauses))
        )


@pytest.mark.parametrize("text", ["x" * 10_000, "。" * 5_000, "\n" * 9_000, " \n\n\t\n"])
def test_texts_without_words(text: str) -> None:
    """What has no pause is cut anyway, and blank is nothing."""
    assert "".join(cut(text)) == text.strip()
    assert max(map(len, cut(text)), default=0) <= LIMIT


def test_short_paragraphs_share_a_passage() -> None:
    """A paragraph is not cut while it fits, and a heading stays with what follows."""
    assert cut("Залог\n\nДва платежа.") == ["Залог\n\nДва платежа."]
    whole = SENTENCE * 27
    assert cut(whole) == [whole.strip()]


def test_a_long_paragraph_is_parted_evenly_with_an_overlap() -> None:
    """No crumb is left at the end, and a part begins with the last sentences of the one before."""
    text = "".join(f"Предложение номер {number} о залоге и о его возврате. " for number in range(34))
    first, second = cut(text)
    assert abs(len(first) - len(second)) < cutting.OVERLAP
    assert second.split(". ")[0] in first
    assert first.endswith(".")
    assert second.startswith("Предложение")


def test_a_quotation_keeps_its_marks() -> None:
    """A cut behind a closing quotation mark loses no character."""
    text = "Он сказал: «Верните залог.» " * 100
    assert all(passage.endswith(".»") for passage in cut(text))


def test_an_endless_text_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file gives a bounded number of passages, and one more to say that there are others."""
    monkeypatch.setattr(cutting, "MOST_PASSAGES", 3)
    assert len(cut(SENTENCE * 1_000)) == 4


def test_each_passage_of_a_table_has_its_header() -> None:
    """The first row comes with every passage of rows, once, also behind an empty row; places are those of rows."""
    rows = ["дата\tсумма", *(f"2024-03-{day % 28:02}\t{day}" for day in range(300))]
    rows.insert(150, "")
    text = "\n".join(rows)
    passages = cutting.cut([Block(text, Lines(first=1, last=len(rows)), BlockKind.TABLE)])
    assert len(passages) > 3
    for passage in passages:
        assert len(passage.text) <= LIMIT
        assert passage.text.startswith(rows[0])
        assert passage.text.count(rows[0]) == 1
    assert isinstance(passages[-1].place, Lines)
    assert passages[-1].place.first > 200
    wide = "x" * 400 + "\n" + "залог\n" * 900
    assert sum("xxx" in passage.text for passage in cutting.cut([Block(wide, kind=BlockKind.TABLE)])) == 1


def test_a_passage_knows_its_lines() -> None:
    """Counted as an editor does, with blank ones in front and between; the words stand on the lines it names."""
    drawn = random.Random(7)
    for _ in range(60):
        pauses = drawn.choices(
            (" ", ". ", "\n", "\n\n", "\n \n\n"), (60, 8, 4, 1, 1), k=drawn.randrange(1, 1500)
        )
        text = "\n" * drawn.randrange(3) + "".join(f"{number}{pause}" for number, pause in enumerate(pauses))
        lines = text.split("\n")
        for passage in cutting.cut([Block(text, Lines(first=1, last=len(lines)))]):
            assert isinstance(passage.place, Lines)
            named = lines[passage.place.first - 1 : passage.place.last]
            words = passage.text.split()
            assert named[0].split().index(words[0]) >= 0
            assert named[-1].split().index(words[-1]) >= 0
            assert set(words) <= set(" ".join(named).split())


def test_short_pages_and_slides_share_a_passage_that_names_all_of_them() -> None:
    """From the first to the last that it holds; one that holds a single one names it."""
    deck = [Block(f"Слайд {number}", Slides(first=number, last=number)) for number in (1, 2, 5)]
    assert places(*deck) == [Slides(first=1, last=5)]
    pages = [
        Block(SENTENCE * size, Pages(first=number, last=number))
        for number, size in enumerate((20, 2, 20, 3), 3)
    ]
    assert places(*pages) == [Pages(first=3, last=4), Pages(first=5, last=6)]
    assert places(Block("Залог", Pages(first=7, last=7))) == [Pages(first=7, last=7)]


def test_a_part_of_a_long_page_is_on_that_page() -> None:
    """Pages are not parted."""
    assert places(Block(SENTENCE * 80, Pages(first=2, last=2))) == [Pages(first=2, last=2)] * 4


def test_a_passage_knows_its_rows() -> None:
    """A long table is cut between rows, each part names those that it holds, with what it repeats."""
    rows = [f"Статья расходов номер {number} за месяц май и сумма" for number in range(60)]
    passages = cutting.cut([Block("\n".join(rows), Cells(sheet="Май", first="AA10", last="AC69"))])
    assert len(passages) > 1
    for passage in passages:
        assert isinstance(passage.place, Cells)
        first, last = int(passage.place.first.removeprefix("AA")), int(passage.place.last.removeprefix("AC"))
        assert passage.text.split("\n") == rows[first - 10 : last - 9]


def test_a_sheet_is_not_mixed_with_the_next() -> None:
    """Its name belongs to it, however short both are, and blank rows part no passage."""
    book = [
        Block("Май", Cells(sheet="Май")),
        Block("аренда 60000", Cells(sheet="Май", first="B2", last="C2")),
        Block("свет 900", Cells(sheet="Май", first="B5", last="C5")),
        Block("Июнь", Cells(sheet="Июнь")),
    ]
    assert [(passage.text, passage.place) for passage in cutting.cut(book)] == [
        ("Май\n\nаренда 60000\n\nсвет 900", Cells(sheet="Май", first="B2", last="C5")),
        ("Июнь", Cells(sheet="Июнь")),
    ]


def test_a_member_is_not_mixed_with_the_next() -> None:
    """Of an archive: its name and its text are one passage, with the lines where it stands."""
    first, second = Member(path="а.txt"), Member(path="б.docx")
    lines = Member(path="а.txt", place=Lines(first=1, last=3))
    archive = [Block("а.txt", first), Block("залог\n\nплата", lines), Block("б.docx", second), Block("в.jpg")]
    assert [(passage.text, passage.place) for passage in cutting.cut(archive)] == [
        ("а.txt\n\nзалог\n\nплата", lines),
        ("б.docx", second),
        ("в.jpg", None),
    ]


def test_where_nothing_is_known_nothing_is_named() -> None:
    """Neither for a document without places, nor for a passage that begins in or reaches to a part without one."""
    assert places(Block("Залог")) == [None]
    assert places(Block("Залог"), Block("Плата", Pages(first=2, last=2))) == [None]


def test_cutting_takes_time_in_proportion_to_the_text() -> None:
    """Of many blanks, marks or letters each passage is cut once."""
    hostile.assert_linear(lambda text: cutting.cut([Block(text, Lines(first=1, last=1 + text.count("\n")))]))
