"""Colours for code: of code they are complete, of whatever else they take no time."""

import pytest
from PySide6.QtGui import QPalette

from tests.hostile import assert_linear
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat import highlight

CODE = 'def f(x):\n    """Text."""\n    return "a" + 1  # why\n'


@pytest.fixture
def colours(qapp) -> Colours:
    return Colours.of(QPalette())


def in_one_colour(code: str, language: str, colours: Colours) -> bool:
    return not [colour for _, colour in highlight.coloured(code, language, colours) if colour]


@pytest.mark.parametrize("language", ["python", "py", "js", "sh", "c++", "c#", "java", "json", "sql"])
def test_usual_languages_are_coloured(colours: Colours, language: str):
    """By whichever of its names a model calls it; what is said is what was written."""
    assert not in_one_colour(CODE, language, colours)
    assert "".join(text for text, _ in highlight.coloured(CODE, language, colours)) == CODE


@pytest.mark.parametrize("language", ["c", "java"])
def test_hostile_code_takes_no_time(colours: Colours, language: str):
    """Pygments' lexers need minutes for some of these; the window would stand still."""
    assert_linear(lambda text: highlight.highlight(text, language, colours), highlight.CHARS_MAX)


def test_a_lexer_without_end_is_not_asked(colours: Colours):
    """An open string of escapes doubles the time with each; so does that of other languages nobody tried."""
    assert in_one_colour('"' + r"\a" * 60, "scala", colours)


@pytest.mark.parametrize("code", ["x = 1\r\n" * 9, "\ufeffx = 1", "x = 1;" * 200, "x" + " " * 100 + "= 1"])
def test_odd_code_is_shown_as_it_is(colours: Colours, code: str):
    """Carriage returns, a byte order mark, long lines and runs of blanks."""
    assert list(highlight.coloured(code, "python", colours)) == [(code, "")]


def test_what_takes_too_long_goes_on_in_one_colour(colours: Colours, monkeypatch: pytest.MonkeyPatch):
    """Nothing is lost where the colours stop."""
    monkeypatch.setattr(highlight, "BUDGET_S", 1e-9)
    pieces = list(highlight.coloured(CODE, "python", colours))
    assert len(pieces) == 2
    assert "".join(text for text, _ in pieces) == CODE
