"""Markdown to the HTML that a `QTextDocument` understands. No widgets, no files, no network.

What a model writes is data from a stranger. Raw HTML is shown as text, images become their words and a link,
and only http, https and mailto addresses become links. The one other kind of address, `source:N`, is written
by this module alone, for the citation [N]. Text that would take long to parse is shown as it is.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from titan_desktop.ui.chat import highlight
from titan_desktop.ui.chat.colours import Colours

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

CHARS_MAX = 60_000
LINE_CHARS_MAX = 10_000
COLUMNS_MAX = 40
NESTING_MAX = 40
_BRACKETS_MAX, _BRACKETS_IN_PARAGRAPH_MAX = 2_000, 200
_MARKS_MAX, _MARKS_IN_PARAGRAPH_MAX = 20_000, 2_000
_PLAIN_LINE_CHARS = 2_000

LATE_CODE_CHARS = 1_000
"""In a growing text longer code comes without colours: the widget adds them when the code is complete."""
CODE_INDENT = 13
"""Pixels. No other block has this margin beyond the quotations': by it the text widget knows a line of code."""
QUOTE_INDENT = 16
CODE_TOP, CODE_BOTTOM = 40, 26
"""Pixels above the first and below the last line of code, outside and inside its background together."""

_SAFE_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
_CITATION = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_PARAGRAPHS = re.compile(r"\n[ \t>]*\n")
_PLAIN_TAGS = {
    f"{name}_{side}": f"<{'/' * (side == 'close')}{tag}>"
    for name, tag in {
        "paragraph": "p",
        "bullet_list": "ul",
        "list_item": "li",
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
    "th_close": "</th>",
    "td_close": "</td>",
    "hr": "<hr>",
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


@dataclass(frozen=True)
class Growing:
    """A text that is still being written, cut where its last block begins.

    Attributes:
        finished: blocks that no further text can change.
        last: the block that is being written.
        finished_chars: how many characters of the text `finished` stands for.
        in_code: the last block is code whose fence is open: what comes is to be shown as it is.
        in_table: the last block is a table: what comes has to be parsed before it can be shown.
    """

    finished: Rendered
    last: Rendered
    finished_chars: int
    in_code: bool = False
    in_table: bool = False


def render(text: str, colours: Colours, citations: int = 0) -> Rendered:
    """The whole text. `citations` is the number of sources that [1], [2] … may point to."""
    if not is_bounded(text):
        return Rendered(plain_html(text))
    tokens = _parser().parse(text)
    return Rendered(plain_html(text)) if _is_deep(tokens) else _Writer(colours, citations).write(tokens)


def render_growing(text: str, colours: Colours, citations: int = 0) -> Growing:
    """The text so far, with its unfinished last block apart. Code longer than LATE_CODE_CHARS has no colours."""
    if not is_bounded(text):
        return Growing(Rendered(""), Rendered(plain_html(text)), 0)
    tokens = _parser().parse(text)
    if _is_deep(tokens):
        return Growing(Rendered(""), Rendered(plain_html(text)), 0)
    first = max((i for i, token in enumerate(tokens) if token.level == 0 and token.map), default=0)
    line = tokens[first].map[0] if tokens and tokens[first].map else 0  # type: ignore[index]
    chars = 0
    for _ in range(line):
        chars = text.index("\n", chars) + 1
    last = tokens[first] if tokens else None
    in_code = last is not None and last.type == "fence" and not _is_closed(last, text[chars:])
    in_table = last is not None and last.type == "table_open"
    writer = _Writer(colours, citations, LATE_CODE_CHARS)
    return Growing(writer.write(tokens[:first]), writer.write(tokens[first:]), chars, in_code, in_table)


def warm_up() -> None:
    """Make parser and colours ready before the first message needs them. For another thread than the window's."""
    _parser()
    highlight.warm_up()


def plain_html(text: str) -> str:
    """The text as it is, line by line. Very long lines are broken: Qt lays a line of 1 MB out in seconds."""
    lines = []
    for line in text.split("\n"):
        lines += [line[i : i + _PLAIN_LINE_CHARS] for i in range(0, len(line), _PLAIN_LINE_CHARS)] or [""]
    return "".join(f"<div style='white-space:pre-wrap'>{escape(line) or '&nbsp;'}</div>" for line in lines)


def plain_text(text: str) -> str:
    """What is left of Markdown when its marks are taken away, for the clipboard."""
    if not is_bounded(text):
        return text
    blocks = []
    for token in _parser().parse(text):
        if token.type == "inline":
            blocks.append("".join(_words(child) for child in token.children or ()))
        elif token.type in ("fence", "code_block"):
            blocks.append(token.content.rstrip("\n"))
    return "\n\n".join(blocks)


def is_bounded(text: str) -> bool:
    """Whether the parser is sure to be quick: its worst cases grow with the square of a paragraph's brackets."""
    if len(text) > CHARS_MAX or text.count("[") > _BRACKETS_MAX or _marks(text) > _MARKS_MAX:
        return False
    if len(text) > LINE_CHARS_MAX and max(map(len, text.split("\n"))) > LINE_CHARS_MAX:
        return False
    if text.count("[") <= _BRACKETS_IN_PARAGRAPH_MAX and _marks(text) <= _MARKS_IN_PARAGRAPH_MAX:
        return True
    return all(
        part.count("[") <= _BRACKETS_IN_PARAGRAPH_MAX and _marks(part) <= _MARKS_IN_PARAGRAPH_MAX
        for part in _PARAGRAPHS.split(text)
    )


def _marks(text: str) -> int:
    return sum(text.count(mark) for mark in "*_~`<&\\>|")


@lru_cache(1)
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # 0.15 s: with the first message, not with the window

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING_MAX})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = lambda url: bool(_SAFE_LINK.match(url))  # type: ignore[method-assign]
    # A reference would let a later block change an earlier one.
    parser.disable(["reference"])
    return parser


def _is_deep(tokens: Sequence["Token"]) -> bool:
    """Whether the parser may have left something out: it drops what is nested deeper than its limit."""
    return any(token.level >= NESTING_MAX - 2 for token in tokens)


def _is_closed(fence: "Token", source: str) -> bool:
    lines = source.rstrip("\n").split("\n")
    last = lines[-1].strip()
    return len(lines) > 1 and last.startswith(fence.markup) and not last.strip(fence.markup)


def _words(token: "Token") -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    return token.content if token.type in ("text", "code_inline", "image", "text_special") else ""


class _Writer:
    """Writes tokens as HTML; one `write` after another begins anew."""

    def __init__(self, colours: Colours, citations: int, coloured_max: int = highlight.CHARS_MAX) -> None:
        self._colours = colours
        self._coloured_max = coloured_max
        self._citations = citations
        self._codes: list[Code] = []
        self._links = 0

    def write(self, tokens: Sequence["Token"]) -> Rendered:
        self._codes = []
        if any(t.type == "tr_open" and _columns(tokens, i) > COLUMNS_MAX for i, t in enumerate(tokens)):
            return Rendered(plain_html("\n".join(t.content for t in tokens if t.type == "inline")))
        html = "".join(self._block(token) for token in tokens)
        return Rendered(html, tuple(self._codes))

    def _block(self, token: "Token") -> str:
        if token.hidden:  # a paragraph in a tight list
            return ""
        write = _BLOCKS.get(token.type)
        return write(self, token) if write else _PLAIN_TAGS.get(token.type, escape(token.content))

    def runs(self, token: "Token") -> str:
        return "".join(self._inline(child) for child in token.children or ())

    def heading(self, token: "Token") -> str:
        end = "/" if token.nesting < 0 else ""
        return f"<{end}h{min(int(token.tag[1]), 4)}>"

    def ordered_list(self, token: "Token") -> str:
        return f'<ol start="{int(token.attrs.get("start", 1))}">'

    def table(self, _token: "Token") -> str:
        return (
            '<table cellspacing="0" cellpadding="6" border="0" '
            f'style="border-collapse:collapse;{_TABLE_MARGIN}">'
        )

    def cell(self, token: "Token") -> str:
        align = str(token.attrs.get("style", "")).rpartition(":")[2] or "left"
        border = f"1px;border-bottom-style:solid;border-bottom-color:{self._colours.line}"
        return f'<{token.tag} align="{align}" style="border-bottom-width:{border}">'

    def code(self, token: "Token") -> str:
        """A paragraph a line: in a table, each line that is appended would lay all of them out again."""
        code = token.content.rstrip("\n")
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
        return write(self, token) if write else _PLAIN_TAGS.get(token.type, escape(token.content))

    def text(self, token: "Token") -> str:
        return escape(token.content) if self._links else self._cited(token.content)

    def inline_code(self, token: "Token") -> str:
        return f"<code>{escape(token.content)}</code>"

    def link(self, token: "Token") -> str:
        self._links += token.nesting
        return f'<a href="{escape(str(token.attrs.get("href", "")))}">' if token.nesting > 0 else "</a>"

    def image(self, token: "Token") -> str:
        """The words of an image, linked to its address: looking at it is the person's decision."""
        words, address = escape(token.content or "🖼"), str(token.attrs.get("src", ""))
        return words if self._links else f'<a href="{escape(address)}">{words}</a>'

    def _cited(self, text: str) -> str:
        return _CITATION.sub(self._citation, escape(text)) if self._citations else escape(text)

    def _citation(self, found: re.Match[str]) -> str:
        numbers = [int(number) for number in found[1].split(",")]
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
    "table_open": _Writer.table,
    "th_open": _Writer.cell,
    "td_open": _Writer.cell,
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
