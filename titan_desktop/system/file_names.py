"""File names that are not UTF-8, spelled as text that JSON, SQL and a person's screen can hold.

Linux takes any bytes for a name; Python gives those that are not UTF-8 as lone surrogates (PEP 383), which nothing
but the system's own calls takes back. `spelled` is what travels and is shown, `written` what the system knows.
Everywhere but at these two doors a path is spelled. Elsewhere than on POSIX names are text, and stay as they are.
Standard library only.
"""

import os
import re

MARK = "\ufffd"
"""Stands before the two hexadecimal digits of each byte: «счёт �E9.pdf»."""

_ESCAPED = 0xDC00
_BYTE = re.compile("[\udc80-\udcff]")
_SPELLED = re.compile(f"{MARK}([89A-F][0-9A-F])")
_LIKE_SPELLED = re.compile(f"{MARK}(?=[89A-F][0-9A-F])")


def spelled(name: str) -> str:
    """Return a name or path of the system as text, each in a way of its own.

    A name that has the mark before two such digits itself has the mark's own bytes spelled.
    """
    if os.name != "posix" or name.isascii():
        return name
    own = _LIKE_SPELLED.sub("\udcef\udcbf\udcbd", name)
    return _BYTE.sub(lambda found: f"{MARK}{ord(found[0]) - _ESCAPED:02X}", own)


def written(text: str) -> str:
    """Return what `spelled` was given; of any other text, the name that its bytes are.

    Raises:
        UnicodeEncodeError: a lone surrogate that stands for no byte.
    """
    if os.name != "posix" or text.isascii():
        return text
    name = _SPELLED.sub(lambda found: chr(_ESCAPED + int(found[1], 16)), text)
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
