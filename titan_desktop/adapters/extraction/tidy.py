"""Extracted text made fit to be stored and shown: one kind of line end, one kind of space, nothing invisible.

Everything here takes time in proportion to the text, whatever the text.
"""

import html
import re

from titan_desktop.system.unicode import normalized

_BROKEN_WORD = re.compile("[\u00ad\u0002\ufffe]\r?\n?")
"""A soft hyphen, and the line end where it broke a word; pdfium writes U+0002 or U+FFFE for it."""
_LINE_END = re.compile("\r\n|[\r\v\f\u0085\u2028\u2029]")
_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]")
"""PostgreSQL's text takes no NUL, UTF-8 no lone surrogate; the others are seen by nobody and part words."""
_FILE_LINE_END = re.compile("\r\n?")
"""Where an editor begins a new line, besides the line feed."""
_WORD_OVER_LINES = re.compile("\u00ad\n(\\S+) ?")
_WITHIN_LINE = re.compile("[\v\f\u0085\u2028\u2029]")
_EMPTY_LINES = re.compile("\n{3,}")
_NAMELESS = frozenset({"untitled", "(anonymous)", "без имени", "без названия"})
_TITLE_CHARACTERS_MAX = 300
_TITLE_SOURCE_MAX = 3_000
"""Before references such as &#1046; are resolved; Python reads no number of more than 4,300 digits."""


def tidied_lines(text: str) -> str:
    """Return the text as `tidied` does, but with each line of it where it was: line n stays line n.

    A word that a soft hyphen breaks is joined on its first line. Nothing is cut off but spaces
    and what `unicode.normalized` takes for no writing.
    """
    text = _FILE_LINE_END.sub("\n", text)
    text = _WORD_OVER_LINES.sub(r"\1\n", text)
    text = text.replace("\u00ad", "")
    text = _SPACE.sub(" ", _WITHIN_LINE.sub(" ", text))
    text = _INVISIBLE.sub("", text)
    return normalized("NFC", _without_trailing(text))


def tidied(text: str) -> str:
    """Return the text in NFC, with line feeds, at most one empty line in a row, no control characters."""
    text = _BROKEN_WORD.sub("", text)
    text = _LINE_END.sub("\n", text)
    text = _SPACE.sub(" ", text)
    text = _INVISIBLE.sub("", text)
    text = _without_trailing(text)
    return normalized("NFC", _EMPTY_LINES.sub("\n\n", text)).strip()


def title(found: object) -> str:
    """Return a title fit to be shown, "" for one that programs write where nobody gave one."""
    words = " ".join(html.unescape(found[:_TITLE_SOURCE_MAX]).split()) if isinstance(found, str) else ""
    return "" if words.lower() in _NAMELESS else words[:_TITLE_CHARACTERS_MAX]


def _without_trailing(text: str) -> str:
    """Return the text without blanks at lines' ends. A pattern for them would be tried at each blank anew."""
    return "\n".join(line.rstrip(" \t") for line in text.split("\n"))
