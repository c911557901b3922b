"""Claims about normal forms of hostile text."""

import unicodedata

import pytest

from tests import hostile
from titan_desktop.system.unicode import MARKS_MAX, normalized

ZALGO = "e" + "\u0301\u0316" * 10
"""More marks than any language writes, and fewer than are left out."""


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_a_normal_form_takes_time_in_proportion_to_the_text(form: str) -> None:
    """A hundred thousand combining marks on one letter cost milliseconds."""
    hostile.assert_linear(lambda text: normalized(form, text), 100_000)


@pytest.mark.parametrize(
    "text",
    [
        "и\u0306 е\u0308",
        "ﬁ ﾊﾞ ½ ①",
        "ก้ำ",
        "\u1100\u1161\u11a8",
        "שָׁלוֹם",
        ZALGO,
        "—" * 99,
        "👩🏽‍🚀" * 40,
        "a\u0f73b",
        "",
    ],
)
def test_writing_is_what_unicode_says(text: str) -> None:
    """What a person may have written has its normal form, whole."""
    for form in ("NFC", "NFKC"):
        assert normalized(form, text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("mark", ["\u0316", "\u0f73", "\uff9e"])
def test_more_marks_than_anybody_writes_are_left_out(mark: str) -> None:
    """Of a thousand marks the first thirty stay, and so does what follows."""
    found = normalized("NFKC", f"a{mark * 1_000}b")
    kept = unicodedata.normalize("NFKC", f"a{mark * MARKS_MAX}b")
    assert found == kept
