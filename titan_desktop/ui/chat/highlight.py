"""Colours for code, by Pygments, which is imported with the first code block and not with the window."""

from html import escape
from typing import Any

from titan_desktop.ui.chat.colours import Colours

CHARS_MAX = 10_000
"""Longer code stays in one colour: Pygments takes about a millisecond for 500 characters."""

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
    """HTML for each line of code; an unknown language and very long code stay in one colour."""
    lexer = _lexer(language) if language and len(code) <= CHARS_MAX else None
    if lexer is None:
        return [escape(line) for line in code.split("\n")]
    colour_of = dict(colours.code_parts)
    lines = [""]
    for token, text in lexer.get_tokens(code):
        part = _part_of(str(token))
        for number, piece in enumerate(text.split("\n")):
            if number:
                lines.append("")
            if piece:
                html = escape(piece)
                lines[-1] += f'<span style="color:{colour_of[part]}">{html}</span>' if part else html
    return lines


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
