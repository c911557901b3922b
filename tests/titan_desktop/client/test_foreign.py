"""What comes from files, models and servers turns nothing around and hides nothing."""

import unicodedata

import pytest

from titan_desktop.client import foreign, problems
from titan_desktop.contracts.problem import Code, Problem

TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
HIDDEN = "\u200b\u2060\u2063\ufeff\u180e\u034f\U000e0041\u206e"
CONTROLS = "\x00\x07\x08\x1b\x7f\x9b\x90"


@pytest.mark.parametrize("odd", [*TURNING, *HIDDEN, *CONTROLS, "\u00ad", "\u3164"])
def test_a_name_shows_what_hides_in_it(odd: str):
    """Beside Latin and Cyrillic letters, and at its ends."""
    assert foreign.name(f"invoice{odd}fdp.exe") == "invoice�fdp.exe"
    assert foreign.name(f"{odd}счёт{odd}") == "�счёт�"
    assert foreign.name("\u200cinvoice\u200d.pdf") == "�invoice�.pdf"


def test_a_name_is_one_line():
    """Whatever ends a line in it."""
    assert foreign.name("a\nb\r\nc\u2028d\x0be\tf  g") == "a b c d e f g"


@pytest.mark.parametrize(
    "said",
    ["plain.pdf", "Договор №1 — итог.pdf", "می‌خواهم", "क्‍ष", "👨‍👩‍👧.png", "❤️", "שלום", "日本語.txt", "Ø", ""],
)
def test_names_in_every_script_stay_as_they_are(said: str):
    """Persian and Hindi joiners and emoji as well."""
    assert foreign.name(said) == said
    assert foreign.text(said) == said


def test_a_text_keeps_its_lines_and_nothing_that_is_not_seen():
    """A control character leaves a mark; joiners are part of words."""
    assert foreign.text(f"one{TURNING}{HIDDEN}\r\ntwo\u2028three\tfour") == "one\ntwo\nthree\tfour"
    assert foreign.text("\x1b[2Jgone \x9b31mred") == "�[2Jgone �31mred"
    assert foreign.text("می‌خواهم") == "می‌خواهم"


def test_every_formatting_character_is_dealt_with():
    """Of all that Unicode knows, joiners and signs that are seen may be in a name that is shown."""
    seen = {
        chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in {"Cf", "Cc", "Zl", "Zp"}
    }
    left = {char for char in seen if char in foreign.name(f"а{char}а")}
    joiners, arabic_signs = (
        "\u200c\u200d",
        "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2",
    )
    hieroglyphs = "".join(map(chr, range(0x13430, 0x13460)))
    assert left <= set(f"{joiners}{arabic_signs}\U000110bd\U000110cd{hieroglyphs}")


def test_a_name_that_is_written_to_the_left_moves_no_other_word():
    """It is isolated; others stay as they are."""
    assert foreign.isolated("חוזה.pdf") == "\u2068חוזה.pdf\u2069"
    assert foreign.isolated("a\u202eb\u2069.pdf") == "a�b�.pdf"
    assert foreign.isolated("договор.pdf") == "договор.pdf"
    sentence = f"Nothing in {foreign.isolated('חוזה')}\u202e."
    assert foreign.sentence(sentence) == "Nothing in \u2068חוזה\u2069."
    assert foreign.without_isolates(foreign.sentence(sentence)) == "Nothing in חוזה."


def test_a_problem_says_its_fields_so():
    """A folder's name and a server's own words come from outside."""
    problem = Problem(
        code=Code.NOT_WRITABLE, fields={"store": "redis", "path": "/d/a\u202eb"}, detail="x\x1by"
    )
    said = problems.say("en", problem)
    assert "/d/a�b" in said
    assert said.endswith("\nx�y")
