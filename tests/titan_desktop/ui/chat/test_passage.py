"""Passages: the question's words are found in their other forms, and what is shown is short."""

from titan_desktop.ui.chat.passage import excerpt, marked_html, word_pattern


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
