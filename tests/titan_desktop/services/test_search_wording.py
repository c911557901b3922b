"""Filters that are read out of the words of a question, in both languages."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from titan_desktop.contracts.search import Filters
from titan_desktop.services.search import wording
from titan_desktop.services.search.wording import read

MONDAY = date(2026, 11, 30)
SHEETS = ("xlsx", "xls", "xlsm", "xlsb", "ods", "csv", "tsv")
FOLDERS = {"Налоги": ("/d/Налоги",), "Загрузки": ("/h/Загрузки",), "Tax 2024": ("/d/Tax 2024", "/e/Tax 2024")}


@pytest.mark.parametrize(
    ("question", "rest", "kinds"),
    [
        ("покажи договор PDF", "покажи договор", ("pdf",)),
        ("lease pdf?", "lease ?", ("pdf",)),
        ("что в pdf-файле про залог", "что про залог", ("pdf",)),
        ("find the PDF about the rent", "find the about the rent", ("pdf",)),
        ("расходы из таблицы", "расходы", SHEETS),
        ("rent from the budget spreadsheet", "rent from the budget", SHEETS),
        ("сроки в презентации", "сроки", ("pptx", "ppt", "pptm", "ppsx", "odp")),
        ("документ Word об отпуске", "документ Word об отпуске", ()),
        ("Word document about leave", "about leave", ("docx", "doc", "docm", "odt", "rtf")),
        ("how to merge PDF files", "how to merge PDF files", ()),
        ("сохранить договор в PDF", "сохранить договор в PDF", ()),
        ("таблица умножения", "таблица умножения", ()),
        ("lease.pdf", "lease.pdf", ()),
        ("PDF", "PDF", ()),
        ("in other words", "in other words", ()),
    ],
)
def test_kinds(question: str, rest: str, kinds: tuple[str, ...]) -> None:
    """What asks for a kind of file is a filter; what is about one, or is all that was said, is not."""
    reading = read(question, MONDAY, {})
    assert (reading.rest, reading.filters) == (rest, Filters(kinds=kinds))


def days(first: date | None, after: date | None) -> Filters:
    return Filters(since=first and moment(first), until=after and moment(after))


def moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day).astimezone()


@pytest.mark.parametrize(
    ("question", "rest", "first", "after"),
    [
        ("договор в прошлом месяце", "договор", date(2026, 10, 1), date(2026, 11, 1)),
        ("notes from last week", "notes", date(2026, 11, 23), date(2026, 11, 30)),
        ("вчерашний отчёт", "отчёт", date(2026, 11, 29), date(2026, 11, 30)),
        ("the report of the day before yesterday", "the report", date(2026, 11, 28), date(2026, 11, 29)),
        ("заметки за последние 3 дня", "заметки", date(2026, 11, 27), date(2026, 12, 1)),
        ("notes 2 months ago", "notes", date(2026, 9, 1), date(2026, 10, 1)),
        ("отчёт год назад", "отчёт", date(2025, 1, 1), date(2026, 1, 1)),
        ("отчёт за март", "отчёт за март", date(2026, 3, 1), date(2026, 4, 1)),
        ("отчёт за декабрь", "отчёт за декабрь", date(2025, 12, 1), date(2026, 1, 1)),
        ("report for May 2024", "report for May 2024", date(2024, 5, 1), date(2024, 6, 1)),
    ],
)
def test_days(question: str, rest: str, first: date, after: date) -> None:
    """What was written before the days that are named is left out; what was written in them comes first."""
    reading = read(question, MONDAY, {})
    assert (reading.rest, reading.filters) == (rest, days(first, None))
    assert reading.preferred == days(first, after)


@pytest.mark.parametrize(
    ("question", "first", "after"),
    [
        ("что я скачал вчера", date(2026, 11, 29), date(2026, 11, 30)),
        ("файлы за март", date(2026, 3, 1), date(2026, 4, 1)),
        ("files about the rent from this week", date(2026, 11, 30), date(2026, 12, 7)),
        ("the plan I edited today", date(2026, 11, 30), date(2026, 12, 1)),
        ("план, изменённый в 2024 году", date(2024, 1, 1), date(2025, 1, 1)),
    ],
)
def test_days_of_files(question: str, first: date, after: date) -> None:
    """Beside a word for what is done to files alone, the days are the time of the file by both ends."""
    reading = read(question, MONDAY, {})
    assert reading.filters == days(first, after)
    assert not reading.preferred


@pytest.mark.parametrize(
    "question",
    [
        "what is it called today", "сколько стоит в этом году", "who won in March 2010", "в мае", "завтра",
        "in the last year of the war", "with march from may", "между январём и мартом", "за март и за май",
        "вчера",
        "9999999999999999 weeks ago x" * 20,
    ],
)  # fmt: skip
def test_what_may_mean_the_world_is_no_filter(question: str) -> None:
    """What is about a time of the world, of more than one, or of nothing but a time is left as it is."""
    assert read(question, MONDAY, {}) == wording.Reading(question)


@pytest.mark.parametrize(
    ("question", "rest", "folders"),
    [
        ("сумма в папке Налоги за дом", "сумма за дом", FOLDERS["Налоги"]),
        ("в папке «Налоги» сумма", "сумма", FOLDERS["Налоги"]),
        ("the sum in the Tax 2024 folder", "the sum", FOLDERS["Tax 2024"]),
        ("in folder Tax 2024 the sum", "the sum", FOLDERS["Tax 2024"]),
        ("договор в папке Загрузки", "договор", FOLDERS["Загрузки"]),
        ("the lease in my downloads", "the lease", FOLDERS["Загрузки"]),
        ("договор в папке Никакая", "договор в папке Никакая", ()),
        ("в папке", "в папке", ()),
    ],
)
def test_folders(question: str, rest: str, folders: tuple[str, ...]) -> None:
    """A folder that there is; its name is as long as the longest that there is."""
    assert set(wording.folder_names(question)) >= {
        name for name, paths in FOLDERS.items() if paths == folders
    }
    reading = read(question, MONDAY, FOLDERS)
    assert (reading.rest, reading.filters) == (rest, Filters(folders=folders))


def test_what_is_given_is_not_read() -> None:
    """Words say nothing about what was said otherwise, and stay what is searched for."""
    question = "PDF с договором за март в папке Налоги PDF"
    given = Filters(kinds=("txt",), folders=("/d",), until=moment(MONDAY))
    assert read(question, MONDAY, FOLDERS, given) == wording.Reading(question)
    assert read(question, MONDAY, FOLDERS).words == ("за март", "в папке Налоги", "PDF")


def test_public_questions_have_no_filter(shared_data: Path) -> None:
    """None of 1,224 questions about the world is taken for one about files."""
    for language in ("ru", "en"):
        data = json.loads((shared_data / "retrieval" / f"xquad-{language}-dev.json").read_text("utf-8"))
        questions = [question["question"] for question in data["questions"]]
        assert [question for question in questions if read(question, MONDAY, {}).words] == []
