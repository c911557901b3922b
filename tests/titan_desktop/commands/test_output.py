"""What a terminal is given: it executes nothing of it, and shows it in the order in which it is written."""

import json

import pytest

from titan_desktop.commands import output

HOSTILE = "a\x1b]8;;http://x\x07b\x9b31mc\u202ed\u2066e\u200bf\U000e0041"


def test_nothing_that_is_printed_reaches_the_terminals_controls(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither on standard output nor on standard error, whoever prints it."""
    output.say(f"{HOSTILE}\n\tnext")
    output.complain(HOSTILE)
    out, err = capsys.readouterr()
    assert out == "a�]8;;http://x�b�31mcdef\n\tnext\n"
    assert err == "a�]8;;http://x�b�31mcdef\n"


def test_a_line_marks_what_hides_in_a_name() -> None:
    """An isolate that the window needs is no part of the name."""
    assert output.line("x\u202efdp.exe\nnext") == "x�fdp.exe next"
    assert output.line("\u2068חוזה\u2069, p. 3") == "חוזה, p. 3"


def test_json_has_the_same_value_in_letters_that_a_terminal_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not seen is escaped; a program reads what was there."""
    output.say_json([HOSTILE, "обычный текст 👍"])
    out = capsys.readouterr().out
    assert out.rstrip("\n").isprintable()
    assert "обычный текст 👍" in out
    assert json.loads(out) == [HOSTILE, "обычный текст 👍"]
