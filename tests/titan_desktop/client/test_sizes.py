"""Sizes as people read them."""

import pytest

from titan_desktop.client.sizes import beside, size


@pytest.mark.parametrize(
    ("count", "english", "russian"),
    [
        (0, "0 B", "0 Б"),
        (999, "999 B", "999 Б"),
        (24_000, "24 KB", "24 КБ"),
        (486_012, "486 KB", "486 КБ"),
        (999_999, "1000 KB", "1000 КБ"),
        (1_540_000, "1.54 MB", "1,54 МБ"),
        (7_000_000_000_000, "7000 GB", "7000 ГБ"),
    ],
)
def test_a_size_has_three_digits_and_a_unit(count: int, english: str, russian: str):
    """In both languages."""
    assert size("en", count) == english
    assert size("ru", count) == russian


def test_a_size_beyond_its_limit_never_reads_like_it():
    """One byte too many is seen."""
    assert beside("en", 486_012, 24_000) == ("486 KB", "24 KB")
    assert beside("en", 24_001, 24_000) == ("24.001 KB", "24 KB")
    assert beside("ru", 24_000, 24_000) == ("24 КБ", "24 КБ")
