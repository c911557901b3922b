"""Passages: the question's words are found in their other forms, and what is shown is short."""

from tests import hostile
from titan_desktop.ui.base.passage import excerpt, marked_html, word_pattern


def marked(question: str, text: str) -> str:
    return marked_html(text, word_pattern(question), "#ff0").replace(' style="background-color:#ff0"', "")


def test_words_are_marked_in_other_forms():
    """Endings may differ; short words that mean something are marked too."""
    assert (
        marked("залог и НДС", "Залога нет, НДС 20 %")
        == "<p><span>Залога</span> нет, <span>НДС</span> 20 %</p>"
    )


def test_fillers_are_not_marked():
    """What stands in every question says nothing about the passage."""
    assert marked("What is the deposit?", "The deposit") == "<p>The <span>deposit</span></p>"
    assert marked("что это", "что это") == "<p>что это</p>"


def test_an_excerpt_has_no_blank_lines():
    """A short document is shown whole, line under line."""
    assert excerpt("# Notes\n\none\n \n\ntwo", None) == "# Notes\none\ntwo"


def test_an_excerpt_has_at_most_six_lines():
    """A list of short lines is shown around the first word found, with the line before it."""
    passage = "\n".join(f"строка {number}" for number in range(40))
    assert excerpt(passage, word_pattern("20")).split("\n") == [
        "… строка 19",
        *(f"строка {number}" for number in range(20, 24)),
        "строка 24 …",
    ]
    assert excerpt(passage, None).split("\n")[-1] == "строка 5 …"


def test_a_table_is_shown_as_a_table():
    """Its rows stay whole, at most six of them; empty cells keep their column."""
    rows = "\n".join(f"\tдень {number}\t{number * 100}" for number in range(1, 40))
    few = excerpt(rows, word_pattern("1500"))
    assert few.split("\n") == ["…", *(f"\tдень {number}\t{number * 100}" for number in range(14, 20)), "…"]
    assert marked("500", "\tдень 5\t500\n\tитого") == (
        '<table cellpadding="3"><tr><td></td><td>день 5</td><td><span>500</span></td></tr>'
        "<tr><td></td><td>итого</td><td></td></tr></table>"
    )


def test_a_table_with_long_cells_is_short_too():
    """They are cut around the word found, and the row keeps its cells: a numbered clause is such a row."""
    clause = "слово " * 300 + "депозит " + "слово " * 100
    shown = excerpt(f"1.\t{clause}", word_pattern("депозит"))
    number, text = shown.split("\t")
    assert number == "1."
    assert text.startswith("… слово")
    assert "депозит" in text
    assert len(text) < 200
    assert len(excerpt("\t".join([clause] * 4), None)) < 500
    assert len(excerpt(f"1.\t{clause}\n" * 9, None).split("\n")) == 3


def test_a_text_with_a_tab_is_no_table():
    """A line of a table of contents does not make a table of the page, nor show all of it."""
    page = "Содержание\nВведение\t3\n" + "слово " * 300
    assert len(excerpt(page, None)) < 400
    assert marked("депозит", page).startswith("<p>")


def test_a_table_of_mostly_nothing_is_text():
    """Its rows are filled up to the widest: of a passage's size that may be half a million cells."""
    shown = marked("500", "\ta" * 400 + "\na" * 400)
    assert shown.startswith("<p>")
    assert len(shown) < 10_000


def test_marking_takes_time_in_proportion_to_the_text():
    """A hostile question is looked for in a passage, and a question in a hostile passage, in milliseconds."""
    pattern = word_pattern("залог и НДС")
    hostile.assert_linear(lambda text: excerpt(text, pattern))
    hostile.assert_linear(lambda text: marked_html(text, pattern, "#ff0"))
    hostile.assert_linear(lambda text: marked(text, text[:1_600]))


def test_of_a_pasted_page_the_first_words_are_marked():
    """Thousands of words would be tried at every place of every passage."""
    page = " ".join(f"{number:04}word" for number in range(5_000))
    assert "<span>0001word</span>" in marked(page, "0001word")
    assert marked(page, "4999word") == "<p>4999word</p>"
