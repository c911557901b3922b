"""Extracted text made fit to be stored and shown: one kind of line end, one kind of space, nothing invisible."""

import re
import unicodedata

_BROKEN_WORD = re.compile("[\u00ad\u0002\ufffe]\r?\n?")
"""A soft hyphen, and the line end where it broke a word; pdfium writes U+0002 or U+FFFE for it."""
_LINE_END = re.compile("\r\n|[\r\v\f\u0085\u2028\u2029]")
_SPACE = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]")
"""PostgreSQL's text takes no NUL, UTF-8 no lone surrogate; the others are seen by nobody and part words."""
_TRAILING = re.compile("[ \t]+(?=\n|$)")
_EMPTY_LINES = re.compile("\n{3,}")


def tidied(text: str) -> str:
    """Return the text in NFC, with line feeds, at most one empty line in a row, no control characters."""
    text = _BROKEN_WORD.sub("", text)
    text = _LINE_END.sub("\n", text)
    text = _SPACE.sub(" ", text)
    text = _INVISIBLE.sub("", text)
    text = _TRAILING.sub("", text)
    return unicodedata.normalize("NFC", _EMPTY_LINES.sub("\n\n", text)).strip()
