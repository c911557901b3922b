"""Makes texts from files, models and servers safe to show: nothing in them reorders other text or is hidden.

A name with U+202E in it reads "invoice_exe.pdf" and is a program; a passage with an escape sequence overwrites
the terminal. The window and the commands show every foreign text through this module (Unicode Technical Report
36, 2.10, and Standard Annex 9, 6.1). What is stored, and the values that `--json` prints, stay as they were.
"""

import re
import unicodedata

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = (
    "\u034f\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
_BLANK_LETTERS = "\u00ad\u115f\u1160\u3164\uffa0"

_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_NEVER_SHOWN = re.compile(f"[{_BIDI}{_INVISIBLE}]")
_CONTROLS = re.compile(f"[{_CONTROL}]")
_ODD_IN_NAMES = re.compile(
    f"[{_BIDI}{_INVISIBLE}{_CONTROL}{_BLANK_LETTERS}]"
    # Joiners belong into Persian, Hindi and emoji; beside an ASCII letter they only hide.
    "|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def text(foreign: str) -> str:
    """Return a text of several lines without what is not seen; a control character is shown as "�"."""
    if foreign.isascii() and foreign.isprintable():
        return foreign
    return _CONTROLS.sub("�", _NEVER_SHOWN.sub("", _LINE_ENDS.sub("\n", foreign)))


def sentence(ours: str) -> str:
    """Return a sentence of ours as `text` does, but with the isolates around the names in it."""
    if ours.isascii() and ours.isprintable():
        return ours
    pieces = re.split(f"([{_FIRST_STRONG_ISOLATE}{_POP_ISOLATE}])", ours)
    return "".join(piece if number % 2 else text(piece) for number, piece in enumerate(pieces))


def without_isolates(ours: str) -> str:
    """Return a sentence without them, for a place that shows letters in the order in which they are stored."""
    return ours.replace(_FIRST_STRONG_ISOLATE, "").replace(_POP_ISOLATE, "")


def name(foreign: str) -> str:
    """Return a name, a path or a title as one line. What hides in it is shown as "�": it is to look odd."""
    if foreign.isascii() and foreign.isprintable():
        return foreign
    return _ODD_IN_NAMES.sub("�", " ".join(foreign.split()))


def isolated(foreign: str) -> str:
    """Return a name for a place within other words: one that is written to the left moves none of them."""
    shown = name(foreign)
    if shown.isascii() or not any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in shown):
        return shown
    return f"{_FIRST_STRONG_ISOLATE}{shown}{_POP_ISOLATE}"
