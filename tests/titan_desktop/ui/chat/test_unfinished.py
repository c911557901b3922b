"""What may be shown of Markdown that is still being written."""

import pytest

from tests.hostile import assert_linear
from titan_desktop.ui.chat.unfinished import settled


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Это **жир", "Это **жир**"),
        ("Это **жирно*", "Это **жирно**"),
        ("Это **", "Это "),
        ("**a *b", "**a *b***"),
        ("**a `b*", "**a `b*`**"),
        ("a * b", "a * b"),
        ("2*3*4", "2*3*4"),
        ("# ", ""),
        ("# A", "# A"),
        ("текст\n-", "текст\n"),
        ("текст\n- a", "текст\n- a"),
        ("x\n\n| a | b |\n|--", "x\n\n"),
        ("| a |\n|--|\n| 1", "| a |\n|--|\n"),
        ("| a |\n|--|\n| 1 |\n", "| a |\n|--|\n| 1 |\n"),
        ("см. [1", "см. "),
        ("см. [1]", "см. "),
        ("см. [1] и", "см. [1] и"),
        ("[a](http", ""),
        ("[a](http://x) b", "[a](http://x) b"),
        ("![план", ""),
        ("- [", ""),
        ("- [ ] a", "- [ ] a"),
        ("```py", ""),
        ("```py\nx = **1\n``", "```py\nx = **1\n"),
        ("```py\nx\n```\n\nи **", "```py\nx\n```\n\nи "),
        ("> ```sh\n> ls `", "> ```sh\n> ls `"),
        ("> ```sh\n> ls\n> ``", "> ```sh\n> ls\n"),
        ("> ```sh\nи **", "> ```sh\nи "),
        ("- ```s", ""),
        ("- ```sh\n  *", "- ```sh\n  *"),
        ("1. ```sh\n   x\n   ```\n   и **", "1. ```sh\n   x\n   ```\n   и "),
    ],
)
def test_what_is_shown(written: str, shown: str):
    """Open marks are closed; what may become anything waits."""
    found = settled(written)
    assert found.text == shown
    assert found.is_whole == (written == shown)
    assert found.text.startswith(written[: found.chars])


def test_a_bracket_that_stays_open_holds_nothing_back_for_long():
    """A person may write one that has no end."""
    assert settled("a [b\nc").is_whole
    assert settled("a [" + "b " * 200).is_whole


def test_long_text_is_quick():
    """A paragraph of a megabyte is left as it is."""
    assert settled("**a [" * 200_000).is_whole


@pytest.mark.parametrize("before", ["", "a\n\n", "| a |\n", "- "])
def test_looking_for_half_marks_takes_time_in_proportion_to_the_text(before: str) -> None:
    """A last line of many blanks or marks is settled at once, five times a second."""
    assert_linear(lambda text: settled(f"{before}{text.removeprefix('a').removesuffix('b')}x"))
    assert_linear(lambda text: settled(f"{before}{text.removeprefix('a').removesuffix('b')}|x\n"))
