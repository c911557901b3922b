"""Markdown's tokens as the HTML that a `QTextDocument` understands. No widgets, no files, no network.

A model's text is untrusted: tags are shown as text, images become their alternative text and a link. The only
addresses that are not the text's own are `source:N`, which this module writes for the citation [N].
"""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from titan_desktop.client import foreign
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat import highlight

if TYPE_CHECKING:
    from markdown_it.token import Token

CODE_INDENT = 13
"""Pixels. No other block has this margin beyond the quotations': by it the text widget knows a line of code."""
QUOTE_INDENT = 16
ITEM_GAP = "\u00a0"
"""Begins the text of a list's item: Qt draws the bullet at the distance of one blank. No part of the text."""
CODE_TOP, CODE_BOTTOM = 48, 26
"""Pixels above the first and below the last line of code, outside and inside its background together. Qt takes the
greater one between two blocks, which is room enough for the foot of one code and the head of the next."""
_RANGE_MAX = 10
"""The most sources that one citation such as [1-3] leads to."""
_PLAIN_LINE_CHARS = 2_000
COLUMNS_MAX = 40

_NUMBERS = r"\d{1,3}(?:\s*[-–,;]\s*\^?\d{1,3}){0,20}"
_CITATION = re.compile(rf"\[\^?({_NUMBERS})\]|【({_NUMBERS})(?:†[^【】\n]{{0,80}})?】")
"""As models write them: [1], [1, 2], [1-3], [^1], 【1】, 【1†source】."""
_SPAN = re.compile(r"(\d+)(?:\s*[-–]\s*\^?(\d+))?")
_BREAK = re.compile(r"&lt;br ?/?&gt;", re.IGNORECASE)
_PLAIN_TAGS = {
    f"{name}_{side}": f"<{'/' * (side == 'close')}{tag}>"
    for name, tag in {
        "paragraph": "p",
        "bullet_list": "ul",
        "em": "i",
        "strong": "b",
        "s": "s",
        "thead": "thead",
        "tbody": "tbody",
        "tr": "tr",
        "blockquote": "blockquote",
    }.items()
    for side in ("open", "close")
} | {
    "ordered_list_close": "</ol>",
    "table_close": "</table>",
    "softbreak": "<br>",
    "hardbreak": "<br>",
}
_TABLE_MARGIN = "margin-top:8px;margin-bottom:14px"


@dataclass(frozen=True)
class Code:
    """A code block: what its copy button copies."""

    language: str
    text: str


@dataclass(frozen=True)
class Rendered:
    """HTML, and its code blocks in reading order."""

    html: str
    codes: tuple[Code, ...] = ()


def _shown(text: str) -> str:
    """A text as HTML, without what would turn around or hide what stands beside it."""
    return html.escape(foreign.text(text))


def plain_html(text: str) -> str:
    """The text as it is, line by line. Very long lines are broken: Qt lays a line of 1 MB out in seconds."""
    lines = []
    for line in text.split("\n"):
        lines += [line[i : i + _PLAIN_LINE_CHARS] for i in range(0, len(line), _PLAIN_LINE_CHARS)] or [""]
    return "".join(f"<div style='white-space:pre-wrap'>{_shown(line) or '&nbsp;'}</div>" for line in lines)


def write(
    tokens: Sequence["Token"], colours: Colours, citations: int, coloured_max: int = highlight.CHARS_MAX
) -> Rendered:
    """Return the HTML of whole blocks.

    Args:
        tokens: the parser's.
        colours: of code and lines.
        citations: the number of sources that [1], [2] … may point to.
        coloured_max: longer code comes without colours.
    """
    if any(token.type == "tr_open" and _columns(tokens, at) > COLUMNS_MAX for at, token in enumerate(tokens)):
        return Rendered(plain_html("\n".join(token.content for token in tokens if token.type == "inline")))
    return _Writer(colours, citations, coloured_max).write(tokens)


class _Writer:
    """Writes tokens as HTML, once."""

    def __init__(self, colours: Colours, citations: int, coloured_max: int) -> None:
        self._colours = colours
        self._coloured_max = coloured_max
        self._citations = citations
        self._codes: list[Code] = []
        self._links = 0
        self._in_cell = False
        self._gap = ""

    def write(self, tokens: Sequence["Token"]) -> Rendered:
        """Return the HTML of whole blocks."""
        html = "".join(self._block(token) for token in tokens)
        return Rendered(html, tuple(self._codes))

    def _block(self, token: "Token") -> str:
        if token.hidden:  # a paragraph in a tight list
            return ""
        write = _BLOCKS.get(token.type)
        return write(self, token) if write else _PLAIN_TAGS.get(token.type, _shown(token.content))

    def runs(self, token: "Token") -> str:
        gap, self._gap = self._gap, ""
        return gap + "".join(self._inline(child) for child in token.children or ())

    def heading(self, token: "Token") -> str:
        end = "/" if token.nesting < 0 else ""
        return f"<{end}h{min(int(token.tag[1]), 4)}>"

    def rule(self, _token: "Token") -> str:
        return f'<hr style="background-color:{self._colours.line}">'  # else Qt draws it in the text's colour

    def ordered_list(self, token: "Token") -> str:
        return f'<ol start="{int(token.attrs.get("start", 1))}">'

    def item(self, token: "Token") -> str:
        """An item of a list; a task's has a box in place of its bullet."""
        self._gap = ITEM_GAP
        if "checked" not in token.meta:
            return "<li>"
        return f'<li class="{"checked" if token.meta["checked"] else "unchecked"}">'

    def item_end(self, _token: "Token") -> str:
        self._gap = ""  # of an empty item
        return "</li>"

    def table(self, _token: "Token") -> str:
        return (
            '<table cellspacing="0" cellpadding="6" border="0" '
            f'style="border-collapse:collapse;{_TABLE_MARGIN}">'
        )

    def cell(self, token: "Token") -> str:
        self._in_cell = True
        align = str(token.attrs.get("style", "")).rpartition(":")[2] or "left"
        border = f"1px;border-bottom-style:solid;border-bottom-color:{self._colours.line}"
        return f'<{token.tag} align="{align}" style="border-bottom-width:{border}">'

    def cell_end(self, token: "Token") -> str:
        self._in_cell = False
        return f"</{token.tag}>"

    def code(self, token: "Token") -> str:
        """A paragraph a line: in a table, each line that is appended would lay all of them out again."""
        code = foreign.text(token.content).rstrip("\n")
        words = token.info.split()
        language = words[0] if words else ""
        self._codes.append(Code(language, code))
        is_late = len(code) > self._coloured_max
        lines = highlight.highlight(code, "" if is_late else language.lower(), self._colours)
        html = []
        for number, line in enumerate(lines):
            top = CODE_TOP if number == 0 else 0
            bottom = CODE_BOTTOM if number == len(lines) - 1 else 0
            html.append(
                f'<pre style="margin-left:{CODE_INDENT}px;margin-right:{CODE_INDENT}px;'
                f'margin-top:{top}px;margin-bottom:{bottom}px">{line or "&nbsp;"}</pre>'
            )
        return "".join(html)

    def _inline(self, token: "Token") -> str:
        write = _INLINES.get(token.type)
        return write(self, token) if write else _PLAIN_TAGS.get(token.type, _shown(token.content))

    def text(self, token: "Token") -> str:
        words = _shown(token.content) if self._links else self._cited(token.content)
        # The only way to begin a line in a cell; everywhere else a tag is text.
        return _BREAK.sub("<br>", words) if self._in_cell else words

    def inline_code(self, token: "Token") -> str:
        return f"<code>{_shown(token.content)}</code>"

    def link(self, token: "Token") -> str:
        self._links += token.nesting
        return f'<a href="{_shown(str(token.attrs.get("href", "")))}">' if token.nesting > 0 else "</a>"

    def image(self, token: "Token") -> str:
        """The words of an image, linked to its address: looking at it is the person's decision."""
        words, address = _shown(token.content or "🖼"), str(token.attrs.get("src", ""))
        return words if self._links else f'<a href="{_shown(address)}">{words}</a>'

    def _cited(self, text: str) -> str:
        return _CITATION.sub(self._citation, _shown(text)) if self._citations else _shown(text)

    def _citation(self, found: re.Match[str]) -> str:
        numbers: list[int] = []
        for span in _SPAN.finditer(found[1] or found[2]):
            first, last = int(span[1]), int(span[2] or span[1])
            numbers += range(first, min(last, first + _RANGE_MAX) + 1) if first <= last else (first, last)
        if not all(1 <= number <= self._citations for number in numbers):
            return found[0]
        return "".join(f'<a href="source:{number}">[{number}]</a>' for number in numbers)


_BLOCKS: dict[str, Callable[[_Writer, "Token"], str]] = {
    "inline": _Writer.runs,
    "fence": _Writer.code,
    "code_block": _Writer.code,
    "heading_open": _Writer.heading,
    "heading_close": _Writer.heading,
    "ordered_list_open": _Writer.ordered_list,
    "list_item_open": _Writer.item,
    "list_item_close": _Writer.item_end,
    "hr": _Writer.rule,
    "table_open": _Writer.table,
    "th_open": _Writer.cell,
    "td_open": _Writer.cell,
    "th_close": _Writer.cell_end,
    "td_close": _Writer.cell_end,
}
_INLINES: dict[str, Callable[[_Writer, "Token"], str]] = {
    "text": _Writer.text,
    "text_special": _Writer.text,
    "code_inline": _Writer.inline_code,
    "link_open": _Writer.link,
    "link_close": _Writer.link,
    "image": _Writer.image,
}


def _columns(tokens: Sequence["Token"], row: int) -> int:
    count = 0
    for token in tokens[row + 1 :]:
        if token.type == "tr_close":
            break
        count += token.type in ("th_open", "td_open")
    return count
