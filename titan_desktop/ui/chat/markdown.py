"""Markdown read: CommonMark with tables, tasks and bare addresses, within bounds. No widgets, no network.

Only http, https and mailto addresses become links. Text that would take long to parse is shown as it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from titan_desktop.client import foreign
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat import highlight
from titan_desktop.ui.chat.html_writer import Rendered, plain_html, write

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

CHARS_MAX = 60_000
LINE_CHARS_MAX = 10_000
NESTING_MAX = 40
_BRACKETS_MAX, _BRACKETS_IN_PARAGRAPH_MAX = 2_000, 200
_MARKS_MAX, _MARKS_IN_PARAGRAPH_MAX = 20_000, 2_000

LATE_CODE_CHARS = 1_000
"""In a growing text longer code comes without colours: the widget adds them when the code is complete."""
_SAFE_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
_PARAGRAPHS = re.compile(r"\n[ \t>]*\n")


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
    return Rendered(plain_html(text)) if _is_deep(tokens) else write(tokens, colours, citations)


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
    finished = write(tokens[:first], colours, citations, LATE_CODE_CHARS)
    last_block = write(tokens[first:], colours, citations, LATE_CODE_CHARS)
    return Growing(finished, last_block, chars, in_code, in_table)


def warm_up() -> None:
    """Make parser and colours ready before the first message needs them. For another thread than the window's."""
    _parser()
    highlight.warm_up()


def plain_text(text: str) -> str:
    """What is left of Markdown when its marks are taken away, for the clipboard."""
    if not is_bounded(text):
        return foreign.text(text)
    blocks = []
    for token in _parser().parse(text):
        if token.type == "inline":
            blocks.append("".join(_words(child) for child in token.children or ()))
        elif token.type in ("fence", "code_block"):
            blocks.append(token.content.rstrip("\n"))
    return foreign.text("\n\n".join(blocks))


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
    return sum(text.count(mark) for mark in "*_~`<&\\>|:@")


@lru_cache(1)
def _parser() -> "MarkdownIt":
    # 0.2 s: with the first message, not with the window
    from markdown_it import MarkdownIt
    from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING_MAX, "tasklists": True})
    parser.enable(["table", "strikethrough"])
    parser.use(gfm_autolink_plugin)
    parser.inline.ruler.before("emphasis", "star_in_word", _star_in_word)
    parser.validateLink = lambda url: bool(_SAFE_LINK.match(url))  # type: ignore[method-assign]
    # A reference would let a later block change an earlier one.
    parser.disable(["reference"])
    return parser


def _star_in_word(state: "StateInline", silent: bool) -> bool:  # noqa: FBT001  # the parser's signature
    """Take the star of 2*3*4 and a*b for what it is, unless it ends an emphasis: *word*s."""
    before, after = state.src[state.pos - 1 : state.pos], state.src[state.pos + 1 : state.pos + 2]
    if state.src[state.pos] != "*" or not (before.isalnum() and after.isalnum()):
        return False
    if any(mark.open and mark.marker == ord("*") and mark.length == 1 for mark in state.delimiters):
        return False
    if not silent:
        state.pending += "*"
    state.pos += 1
    return True


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
