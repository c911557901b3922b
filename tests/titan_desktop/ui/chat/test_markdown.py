import re
import time

import pytest
from PySide6.QtGui import QPalette, QTextDocument

from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat.html_writer import Code
from titan_desktop.ui.chat.markdown import is_bounded, plain_text, render, render_growing


@pytest.fixture
def colours(qapp) -> Colours:
    return Colours.of(QPalette())


def test_the_usual_marks_become_html(colours: Colours):
    """Headings, emphasis, lists, quotations and tables are understood."""
    html = render("# A\n\n**b** *c* ~~d~~ `e`\n\n- f\n\n> g\n\n| h |\n|--:|\n| i |\n", colours).html
    for piece in (
        "<h1>A</h1>",
        "<b>b</b>",
        "<i>c</i>",
        "<s>d</s>",
        "<code>e</code>",
        "<li>\u00a0f</li>",
        "<blockquote>",
    ):
        assert piece in html
    assert '<td align="right"' in html


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](file:///etc/passwd)",
        "[x](data:text/html;base64,xx)",
        "[x](source:1)",
        "[x](titan:settings)",
        "[x](//example.org)",
        "<javascript:alert(1)>",
        "![x](file:///etc/passwd)",
        "<a href='https://example.org'>x</a>",
        "[x]: file:///x\n[x]",
    ],
)
def test_only_web_and_mail_addresses_become_links(colours: Colours, text: str):
    """Everything else, our own kinds of address too, is shown as it was written."""
    assert "<a " not in render(text, colours, citations=3).html


def test_raw_html_is_text(colours: Colours):
    """Tags are shown and do nothing."""
    html = render("<img src=x onerror=y> <script>z</script>\n\n<div>block</div>", colours).html
    assert "<img" not in html
    assert "<script" not in html
    assert "&lt;div&gt;" in html


def test_an_image_becomes_its_words_and_a_link(colours: Colours):
    """Nothing is loaded for looking at a message."""
    html = render("![план дома](https://example.org/p.png)", colours).html
    assert '<a href="https://example.org/p.png">план дома</a>' in html
    assert "<img" not in html


def test_an_address_cannot_leave_its_attribute(colours: Colours):
    """Quotes in an address are escaped."""
    html = render('[x](https://example.org/"onclick="y)', colours).html
    assert html.count('"') == 2


def test_citations_are_links_to_existing_sources_only(colours: Colours):
    """[1] leads to source 1; [9] of three sources, and brackets in code, are text."""
    html = render("a [1][2] b [1, 3] c [9] `x[1]` [0]", colours, citations=3).html
    assert html.count('href="source:1"') == 2
    assert 'href="source:3"' in html
    assert "[9]" in html
    assert "<code>x[1]</code>" in html
    assert "[0]" in html


def test_citations_as_models_write_them(colours: Colours):
    """Ranges, footnotes and other families' brackets lead to the sources, too, also right behind a word."""
    for written, expected in {
        "[1-3]": [1, 2, 3], "[1–2, 3]": [1, 2, 3], "[^2]": [2], "【1】": [1], "【3†a.pdf】": [3], "слово[2]": [2],
        "[2-9]": [], "【9】": [], "[^a]": [],
    }.items():  # fmt: skip
        html = render(written, colours, citations=3).html
        assert [int(number) for number in re.findall('href="source:([0-9]+)"', html)] == expected, written


def test_stars_between_words_stay(colours: Colours):
    """2*3*4 is a product; an emphasis inside of a word is one all the same."""
    assert render("2*3*4, a*b*c", colours).html == "<p>2*3*4, a*b*c</p>"
    assert render("*слово*м и **жирн**ый", colours).html == "<p><i>слово</i>м и <b>жирн</b>ый</p>"


def test_bare_addresses_are_links(colours: Colours):
    """Without the dot at the sentence's end; a file's name is none."""
    html = render("https://example.org/a_(b). www.example.org, anna@example.org; план.md", colours).html
    assert re.findall('href="([^"]*)"', html) == [
        "https://example.org/a_(b)",
        "http://www.example.org",
        "mailto:anna@example.org",
    ]


def test_a_tag_begins_a_line_in_a_cell_alone(colours: Colours):
    """Tables have no other way to do it; everywhere else `<br>` is text."""
    html = render("a<br>b\n\n| h |\n|--|\n| x<br>y<br/>z |\n", colours).html
    assert "a&lt;br&gt;b" in html
    assert "x<br>y<br>z</td>" in html


def test_tasks_have_boxes(colours: Colours):
    """In place of brackets, and of their bullets."""
    html = render("- [ ] a\n- [x] b\n- c [x]", colours).html
    assert '<li class="unchecked">\u00a0a</li><li class="checked">\u00a0b</li><li>\u00a0c [x]</li>' in html


def test_code_keeps_its_text_and_language(colours: Colours):
    """The copy button gets exactly the code; an unknown language is shown without colours."""
    rendered = render("```python\nx = '<b>'\n```\n\n| a |\n|--|\n| b |\n\n```nonsense\ny\n```\n", colours)
    assert rendered.codes == (Code("python", "x = '<b>'"), Code("nonsense", "y"))
    assert "color:" in rendered.html


def test_very_long_code_is_not_coloured(colours: Colours):
    """Colouring 40,000 characters would make the window stand still."""
    assert "<span" not in render("```python\n" + "x = 1\n" * 7000 + "```", colours).html


HOSTILE = {
    "brackets": "[" * 10_000,
    "brackets in paragraphs": "\n\n".join(["[" * 199] * 10),
    "links": "[a](" * 190,
    "images": "![a](" * 190,
    "quotations": ">" * 50_000,
    "lists": "\n".join("  " * depth + "- a" for depth in range(300)),
    "emphasis": "*a " * 600 + "_b" * 600,
    "strong": "**a" * 600,
    "backticks": " ".join("`" * count for count in range(1, 60)),
    "a line of a megabyte": "a" * 1_000_000,
    "columns": "|a" * 3000 + "|\n" + "|-" * 3000 + "|\n",
    "sixty columns": "|a" * 60 + "|\n" + "|-" * 60 + "|\n" + "|b" * 60 + "|\n",
    "references": "[a]: x\n" * 190,
    "entities": "&" * 1900,
    "tags": "<a" * 1900,
    "backslashes": "\\" * 9000,
    "colons": ":" * 9000,
    "at signs": "a@" * 9000,
    "addresses": "http://a" * 1200,
    "tasks": "- [ ] " * 300,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_quick(colours: Colours, text: str):
    """Parsed and laid out in a second at most; what would take longer is shown as it is."""
    began = time.thread_time()
    document = QTextDocument()
    document.setHtml(render(text, colours).html)
    document.setTextWidth(700)
    document.size()
    assert time.thread_time() - began < 1.0


def test_nothing_is_lost_in_deep_nesting(colours: Colours):
    """Deeper than the parser goes, the text is shown as it is."""
    assert "the core" in render("> " * 60 + "the core", colours).html


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_a_growing_text_is_cut_where_blocks_end(colours: Colours, cut: int):
    """However much has come, the finished part and the rest together are the whole."""
    text = (
        "Eins\n\n- a\n- b\n\n```py\nx = 1\n\ny = 2\n```\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n> q\n\nEnde *gut*.\n"
        * 2
    )
    text = text[:cut]
    growing = render_growing(text, colours)
    whole = render(text, colours)
    assert growing.finished.html + growing.last.html == whole.html
    assert growing.finished.codes + growing.last.codes == whole.codes
    assert render(text[: growing.finished_chars], colours).html == growing.finished.html


def test_open_code_is_known(colours: Colours):
    """Until its fence is closed, what comes is code."""
    assert render_growing("a\n\n```py\nx = 1\n", colours).in_code
    assert not render_growing("a\n\n```py\nx = 1\n```", colours).in_code
    assert not render_growing("a\n\nb", colours).in_code


def test_the_clipboard_gets_words(colours: Colours):
    """Without Markdown's marks."""
    assert plain_text("# A\n\n**b** [c](https://example.org)\n\n```\nd\n```") == "A\n\nb c\n\nd"


def test_usual_answers_are_bounded():
    """A long answer with many citations is not taken for an attack."""
    assert is_bounded(("Text with a source [1] and *marks*. " * 10 + "\n\n") * 50)
