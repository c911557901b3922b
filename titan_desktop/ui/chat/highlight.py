"""Colours for code, by Pygments, which is imported once the window is ready, or with the first code block.

Its lexers are not made for hostile text: some take quadratic time on it, a few exponential time. So only languages
that were tried are coloured, only code of ordinary shape, and only for a bounded time.
"""

import re
from collections.abc import Iterator
from html import escape
from time import thread_time
from typing import Any

from titan_desktop.ui.base.colours import Colours

CHARS_MAX = 10_000
"""Longer code stays in one colour: Pygments takes about a millisecond for 500 characters."""
LINE_CHARS_MAX = 500
_BLANKS = re.compile(r"\s{100}")
BUDGET_S = 0.2
"""Of the processor for one block of code: ten times what the longest one takes. The rest stays in one colour."""
_TRIED = frozenset(
    (  # noqa: SIM905 - so many quoted words are no better to read
        "python pycon pytb javascript typescript jsx tsx css scss less html xml json yaml toml ini sql postgres "
        "mysql sqlite3 bash console powershell bat docker make cmake nginx terraform diff markdown rst "
        "c cpp csharp java kotlin swift objective-c go rust ruby php perl lua r julia matlab haskell ocaml fsharp "
        "tex graphql protobuf elixir erlang clojure common-lisp dart groovy pascal vb.net fortran zig octave"
    ).split()
)
"""By one of Pygments' names each. With texts of tests/hostile.py no single step of theirs takes long."""
_USUAL = ("python", "bash", "json", "sql", "javascript")

_PARTS = (
    ("Token.Comment", "comment"),
    ("Token.Keyword", "keyword"),
    ("Token.Operator.Word", "keyword"),
    ("Token.Literal.String", "string"),
    ("Token.Literal.Number", "number"),
    ("Token.Name.Function", "name"),
    ("Token.Name.Class", "name"),
    ("Token.Name.Decorator", "name"),
    ("Token.Name.Tag", "keyword"),
    ("Token.Name.Attribute", "name"),
    ("Token.Name.Builtin", "builtin"),
    ("Token.Generic.Deleted", "error"),
    ("Token.Generic.Inserted", "string"),
)


def highlight(code: str, language: str, colours: Colours) -> list[str]:
    """HTML for each line of code."""
    lines = [""]
    for text, colour in coloured(code, language, colours):
        for number, piece in enumerate(text.split("\n")):
            if number:
                lines.append("")
            if piece:
                html = escape(piece)
                lines[-1] += f'<span style="color:{colour}">{html}</span>' if colour else html
    return lines


def coloured(code: str, language: str, colours: Colours) -> Iterator[tuple[str, str]]:
    """The code piece by piece, each with its colour or "": found as the pieces are asked for.

    An unknown language, very long and very odd code stay in one colour.
    """
    lexer = _lexer(language) if language and _is_ordinary(code) else None
    position = 0
    if lexer is not None:
        colour_of = {"": "", **dict(colours.code_parts)}
        for token, text in _within_budget(lexer.get_tokens(code)):
            position += len(text)
            yield text, colour_of[_part_of(str(token))]
    if position < len(code):
        yield code[position:], ""


def _is_ordinary(code: str) -> bool:
    return (
        len(code) <= CHARS_MAX
        and max(map(len, code.split("\n"))) <= LINE_CHARS_MAX
        and _BLANKS.search(code) is None
        and not code.startswith(
            "\ufeff"
        )  # what a lexer leaves out or changes, so that no rest would be found
        and "\r" not in code
    )


def _within_budget(steps: Iterator[tuple[Any, str]]) -> Iterator[tuple[Any, str]]:
    """Yield the steps until they have taken `BUDGET_S`; what happens between them does not count."""
    spent_s = 0.0
    while spent_s < BUDGET_S:
        began_s = thread_time()
        step = next(steps, None)
        spent_s += thread_time() - began_s
        if step is None:
            return
        yield step


def warm_up() -> None:
    """Import what the first code block needs, which takes 0.2 s. For another thread than the window's."""
    for language in _USUAL:
        if lexer := _lexer(language):
            list(lexer.get_tokens("x = 1"))


_lexers: dict[str, Any] = {}


def _lexer(language: str) -> Any | None:
    if language not in _lexers:
        from pygments.lexers import get_lexer_by_name
        from pygments.util import ClassNotFound

        try:
            lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
        except ClassNotFound:
            return None
        if _TRIED.isdisjoint(lexer.aliases):
            return None
        _lexers[language] = lexer
    return _lexers[language]


def _part_of(token: str) -> str:
    return next((part for prefix, part in _PARTS if token.startswith(prefix)), "")
