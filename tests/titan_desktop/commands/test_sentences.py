import string

import pytest

from titan_desktop.commands import sentences
from titan_desktop.contracts.sources import Cells, FilePassage, Lines, Pages, Place, Slides, WebSource


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 файлов"),
        (1, "1 файл"),
        (2, "2 файла"),
        (5, "5 файлов"),
        (11, "11 файлов"),
        (14, "14 файлов"),
        (21, "21 файл"),
        (112, "112 файлов"),
        (1003, "1003 файла"),
    ],
)
def test_russian_counts_in_three_forms(count: int, said: str) -> None:
    """By the last digit, but for eleven to nineteen (Unicode CLDR)."""
    assert sentences.counted(sentences.RUSSIAN, "doctor.files", count) == said


def test_english_counts_in_two_forms() -> None:
    """One is one, everything else is many."""
    said = [sentences.counted(sentences.ENGLISH, "doctor.files", count) for count in (0, 1, 21)]
    assert said == ["0 files", "1 file", "21 files"]


def test_both_languages_say_the_same_things() -> None:
    """The same keys, and in each sentence the same blanks."""

    def blanks(sentence: str) -> set[str | None]:
        return {field for _, field, _, _ in string.Formatter().parse(sentence)} - {None}

    assert sentences.ENGLISH.keys() == sentences.RUSSIAN.keys()
    for key, english in sentences.ENGLISH.items():
        assert blanks(english) == blanks(sentences.RUSSIAN[key]), key


@pytest.mark.parametrize(
    ("place", "english", "russian"),
    [
        (Pages(first=3, last=3), "a.pdf, p. 3", "a.pdf, стр. 3"),
        (Pages(first=3, last=4), "a.pdf, pp. 3–4", "a.pdf, стр. 3–4"),
        (Slides(first=2, last=2), "a.pdf, slide 2", "a.pdf, слайд 2"),
        (Slides(first=2, last=7), "a.pdf, slides 2–7", "a.pdf, слайды 2–7"),
        (Lines(first=7, last=7), "a.pdf, line 7", "a.pdf, строка 7"),
        (Lines(first=10, last=24), "a.pdf, lines 10–24", "a.pdf, строки 10–24"),
        (Cells(sheet="Май"), "a.pdf, sheet Май", "a.pdf, лист Май"),
        (Cells(sheet="Май", first="B3", last="B3"), "a.pdf, sheet Май, B3", "a.pdf, лист Май, B3"),
        (Cells(sheet="Май", first="B3", last="C29"), "a.pdf, sheet Май, B3:C29", "a.pdf, лист Май, B3:C29"),
        (None, "a.pdf", "a.pdf"),
    ],
)
def test_a_source_is_named_with_its_place(place: Place | None, english: str, russian: str) -> None:
    """In the form that one or several ask for, and by the title alone where no place is known."""
    source = FilePassage(path="/d/a.pdf", title="a.pdf", score=1, passage="x", kind="pdf", place=place)
    assert sentences.for_source(sentences.ENGLISH, source) == english
    assert sentences.for_source(sentences.RUSSIAN, source) == russian


def test_a_source_that_is_no_file_is_named_by_its_title() -> None:
    """A page on the web has no place in it."""
    source = WebSource(
        url="https://example.org", title="Rent", passage="x", fetched_at="2026-11-23T10:00:00Z"
    )
    assert sentences.for_source(sentences.ENGLISH, source) == "Rent"
