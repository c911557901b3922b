"""Limits texts from clients that end up in keys, logs and dead letters: short, and on one line.

A line break in a name or a reason would start a log line that looks like the server's own.
"""

import re

NAME_CHARS_MAX = 256
REASON_CHARS_MAX = 2_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def fault_of(name: str) -> str:
    """Return what is wrong with a name, "" when nothing is."""
    if len(name) > NAME_CHARS_MAX:
        return f"has to have {NAME_CHARS_MAX} characters or fewer, not {len(name)}"
    if _CONTROL.search(name) is not None:
        return "has to be without line breaks and other control characters"
    return ""


def one_line(text: str, chars_max: int = REASON_CHARS_MAX) -> str:
    """Return the beginning of a text with control characters escaped."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text[:chars_max])
