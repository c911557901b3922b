"""A growing answer ends up looking as if it had come whole, long code and all."""

import pytest
from PySide6.QtGui import QTextCursor

from titan_desktop.ui.chat.colours import Colours
from titan_desktop.ui.chat.growth import WHOLE_CHARS_MAX, Growth
from titan_desktop.ui.chat.markdown import LATE_CODE_CHARS, render
from titan_desktop.ui.chat.rich_text import RichText

CODE = "\n".join(f"def f_{i}(a: int) -> str:\n    return '🖼 {i}'  # why\n" for i in range(80))
WORDS = "Залог составляет 45 000 рублей. " * 20
TEXT = f"# Ответ\n\n> {WORDS}\n\n```python\n{CODE}\n```\n\n{WORDS}\n\n```js\nlet a = 1\n```\n\n{WORDS}"


@pytest.fixture
def view(qtbot):
    made = RichText()
    qtbot.addWidget(made)
    made.set_colours(Colours.of(made.palette()))
    return made


def inks(view: RichText) -> list[tuple[str, str]]:
    """Every piece of text with its colour."""
    found = []
    block = view.document().begin()
    while block.isValid():
        pieces = [part.fragment() for part in block]
        found += [(piece.text(), piece.charFormat().foreground().color().name()) for piece in pieces]
        block = block.next()
    return [(text, ink) for text, ink in found if text.strip()]


@pytest.mark.parametrize("tail", [f"\n\n{WORDS}", "", "\n"])
def test_long_code_is_coloured_when_it_is_complete(view, qtbot, tail):
    """Each word has the colour that it has in the answer rendered whole, also behind an emoji."""
    text = f"{WORDS}\n\n```python\n{CODE}```{tail}"
    assert len(CODE) > LATE_CODE_CHARS
    assert len(text) > WHOLE_CHARS_MAX
    growth, colours = Growth(view), Colours.of(view.palette())
    growth.begin("", colours, 0)
    for end in range(0, len(text), 97):
        growth.grow(text[:end])
    growth.finish(text)
    qtbot.waitUntil(lambda: not view.deferred_highlight.is_busy)
    grown = [piece for piece in inks(view) if piece[1] != "#000000"]
    view.set_rendered(render(text, colours))
    assert grown
    assert grown == [piece for piece in inks(view) if piece[1] != "#000000"]


def test_grounds_are_found_as_in_a_whole_answer(view):
    """What is settled is not looked up again, and still every ground stands where it belongs, at any width."""
    growth, colours = Growth(view), Colours.of(view.palette())
    growth.begin("", colours, 0)
    for end in range(0, len(TEXT), 61):
        growth.grow(TEXT[:end])
        growth._parse()
        view.fit(500)
    growth.finish(TEXT)
    for width in (500, 300):
        view.fit(width)
        areas, bars = list(view.code_areas()), list(view._quote_bars)
        view.note(view.codes, quotes=True)
        view.fit(width)
        assert (areas, bars) == (view.code_areas(), view._quote_bars)
    assert len(areas) == 2


def test_another_text_is_not_coloured(view, qtbot):
    """Colours that wait are forgotten when the widget shows another message."""
    growth = Growth(view)
    growth.begin(f"```python\n{CODE}```\n\n{WORDS}", Colours.of(view.palette()), 0)
    assert view.deferred_highlight.is_busy
    view.set_plain("other")
    assert not view.deferred_highlight.is_busy
    cursor = QTextCursor(view.document())
    assert cursor.charFormat().foreground().color().name() == "#000000"


MARKED = """## Итог

Залог **45 000 рублей**, см. [1] и [договор](https://example.org/a), `код`, ~~нет~~.

| Срок | Сумма |
|------|------:|
| май  | 900   |

- **Первое:** да
- *второе*

1. раз

```python
x = 1
```
"""


def test_no_half_mark_is_ever_seen(view):
    """However the text is cut, what is shown has no star, hash, bar, fence or bracket that goes again."""
    growth, colours = Growth(view), Colours.of(view.palette())
    growth.begin("", colours, 1)
    for end in range(1, len(MARKED)):
        growth.grow(MARKED[:end])
        if end % 3 == 0:
            growth._parse()
        shown = view.plain_text().replace("[1]", "")
        assert not set(shown) & set("*#|`~[]"), (MARKED[:end], shown)


def test_what_is_held_back_comes_in_the_end(view):
    """A text that ends with a mark loses nothing."""
    growth, colours = Growth(view), Colours.of(view.palette())
    for text in ("2 * 3 = *", "# ", "| a |", "[не конец", f"{WORDS * 9}\n\n**x"):
        growth.begin("", colours, 0)
        growth.grow(text)
        growth.finish(text)
        view_text = view.plain_text()
        view.set_rendered(render(text, colours))
        assert view_text == view.plain_text()
