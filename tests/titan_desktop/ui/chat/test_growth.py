"""A growing answer ends up looking as if it had come whole, long code and all."""

import pytest
from PySide6.QtGui import QTextCursor, QTextFormat

from titan_desktop.ui.base.colours import Colours
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


PIECES = {
    "rules": "a\n\n---\n\nb\n\n***\n\n```py\nx\n```\n\n---\n\n    old\n    code\n\n- l\n\n---\n",
    "quoted code": "> q\n>\n> ```sh\n> ls `x`\n> ```\n\nlazy\n\n> ~~~\n> y\n\nz",
    "code in items": "1. One:\n   ```py\n   x = 1\n\n   y = 2\n   ```\n- ```sh\n  ls\n  ```\n- b",
    "line ends of Windows": "# H\r\n\r\n| a | b |\r\n|---|---|\r\n| 1 | 2 |\r\n\r\n```py\r\na = 1\r\n```\r\n",
    "line ends of another time": "# H\r\rText\r\r- x\r- y\r\rend",
    "empty items": "-\n\n> \n\n1.\n\n# \n\nend",
}


def looks(view: RichText) -> list[object]:
    """Every block's text and format, and the code."""
    found: list[object] = [*view.codes, len(view.code_areas())]
    block = view.document().begin()
    while block.isValid():
        form = block.blockFormat()
        rule = form.hasProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth)
        margins = form.topMargin(), form.leftMargin(), form.bottomMargin()
        found.append((block.text(), *margins, rule, block.textList() is None))
        block = block.next()
    return found


@pytest.mark.parametrize("step", [1, 7])
@pytest.mark.parametrize("name", PIECES)
def test_what_has_grown_long_looks_as_if_it_had_come_whole(view, name, step):
    """Its finished blocks are kept: a rule stays one, and code within a quotation is no other code."""
    growth, colours = Growth(view), Colours.of(view.palette())
    text = f"{PIECES[name]}\n\n{WORDS * 7}"
    assert len(text) > WHOLE_CHARS_MAX
    growth.begin("", colours, 0)
    for end in range(1, len(PIECES[name]) + 1, step):
        growth.grow(text[:end])
        growth._parse()
        view.fit(500)
    growth.finish(text)
    view.fit(500)
    grown = looks(view)
    view.set_rendered(render(text, colours))
    view.fit(500)
    assert grown == looks(view)


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
