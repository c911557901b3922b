"""Colours for code, by Pygments, which is imported once the window is ready, or with the first code block."""

from collections.abc import Iterator
from html import escape
from typing import Any

from titan_desktop.ui.chat.colours import Colours

CHARS_MAX = 10_000
"""Longer code stays in one colour: Pygments takes about a millisecond for 500 characters."""
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

    An unknown language and very long code stay in one colour.
    """
    lexer = _lexer(language) if language and len(code) <= CHARS_MAX else None
    if lexer is None:
        yield code, ""
        return
    colour_of = {"": "", **dict(colours.code_parts)}
    for token, text in lexer.get_tokens(code):
        yield text, colour_of[_part_of(str(token))]


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
            _lexers[language] = get_lexer_by_name(language, stripnl=False, ensurenl=False)
        except ClassNotFound:
            return None
    return _lexers[language]


def _part_of(token: str) -> str:
    return next((part for prefix, part in _PARTS if token.startswith(prefix)), "")
