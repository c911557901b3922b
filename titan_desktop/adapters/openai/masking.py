"""What is kept of an endpoint's words: the first line, of bounded length, without the key in any form.

Endpoints repeat a key in their errors, whole or in part, as it was sent or encoded. Such a line is stored with the
answer, archived and shown.
"""

import base64
import contextlib
import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

from titan_desktop.ports.model import Endpoint

CHARS_MAX = 300
PART_CHARS = 6
"""So many letters and digits of a key in a row are taken for a part of it."""

_MASK = "…"
_READ_MAX = 2_000
_KEY_LIKE = re.compile(r"(?i)\b(?:(?:sk|pk|rk|key|gsk|xai|hf)[-_][\w*.-]{6,}|(?:bearer|basic) \S+)")
_ESCAPED = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4}))")
_OPAQUE = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}")
"""Letters and digits that no word or name of a model has so many of in a row."""
_WORD = re.compile(r"""[^\s"'`<>(){},]+""")
_ENCODED = re.compile(r"[0-9A-Za-z+/_-]{8,}")
_NO_LETTER = re.compile(r"[^0-9a-z]+")


def masked(said: str, endpoint: Endpoint) -> str:
    """Return the first line of what an endpoint said, at most CHARS_MAX characters, with "…" for every key in it.

    That is the endpoint's key in any case, percent-encoded, escaped, in base64 or hexadecimal, twice over, too; a
    part of it; and whatever looks like somebody's key, or like one that was changed in a way not thought of here.
    """
    line = _KEY_LIKE.sub(_MASK, next(iter(said.strip()[:_READ_MAX].splitlines()), ""))
    if key := _plain(endpoint.key):
        line = _WORD.sub(lambda word: _MASK if _repeats(word[0], key) else word[0], line)
    return _OPAQUE.sub(_MASK, line)[:CHARS_MAX]


def _repeats(word: str, key: str) -> bool:
    if len(key) < PART_CHARS:  # as people write for a server that asks for none: "x", "none"
        return _plain(word) == key
    parts = {key[start : start + PART_CHARS] for start in range(len(key) - PART_CHARS + 1)}
    return any(part in form for form in map(_plain, _forms(word)) for part in parts)


def _plain(text: str) -> str:
    return _NO_LETTER.sub("", text.lower())


def _forms(word: str, depth: int = 2) -> Iterator[str]:
    """Yield the word, and what it may stand for."""
    yield word
    if depth:
        for decoded in _decoded(word):
            yield from _forms(decoded, depth - 1)


def _decoded(word: str) -> Iterator[str]:
    if "%" in word:
        yield unquote(word)
    if "&" in word:
        yield html.unescape(word)
    if "\\" in word:
        yield _ESCAPED.sub(lambda escape: chr(int(escape[1] or escape[2], 16)), word)
    for run in _ENCODED.findall(word):
        letters = run.replace("-", "+").replace("_", "/")
        for start in range(4):  # something may stand before it
            piece = letters[start:]
            whole = piece[: len(piece) - (len(piece) % 4 == 1)]
            yield base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("latin-1")
        with contextlib.suppress(ValueError):
            yield bytes.fromhex(run).decode("latin-1")
