import string

import pytest

from titan_desktop.commands import sentences


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
