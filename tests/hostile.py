"""Texts that make careless patterns slow, and the check that a function takes time in proportion to its text.

What grows with the square of a text needs many seconds for these, what grows with the text some milliseconds.
So the check asks for the processor's time of this thread, with a limit a hundred times above the one and far
below the other: neither a busy nor a slow machine makes a difference to its answer.
"""

import time
from collections.abc import Callable, Iterator

LIMIT_S = 2.0
_UNITS = (
    *(" ", "\t", "\n", "\r", "\v", "\u2028", "\u00a0", " \n", "\n\n", "\u00ad", "\u00ad\n", "\u200b"),
    *("a", "1", "Ж", "aA1", "a-", "-", "a ", "a.", ".", "—", "a,", "1,", "x\n"),
    *(
        "*",
        "_",
        "`",
        "~",
        "[",
        "]",
        "(",
        "![",
        "[a](",
        "[1,",
        "【1",
        "<",
        "<a ",
        "&",
        "&#1",
        "|",
        "|a",
        "> ",
        "- ",
    ),
    *(
        "<think>",
        "</think>",
        "<!--",
        "\\",
        "$",
        "${",
        "{",
        '"',
        "'",
        "/*",
        "#",
        "=",
        "http://",
        "https://a.",
        "sk-",
    ),
    *("\u0301\u0316", "\uff9e\u0301", "\u0f73\u0301", "\u3099\u0300", "\ufdfa", "\u202e"),
)


def texts(length: int) -> Iterator[tuple[str, str]]:
    """Yield texts of about this length with a name for each: one thing repeated, between two letters."""
    for unit in _UNITS:
        yield repr(unit), f"a{unit * (length // len(unit))}b"
    for opening, closing in ("[]", "()", "**", "``", "{}", "<>"):
        yield opening + closing, opening * (length // 2) + closing * (length // 2)


def assert_linear(work: Callable[[str], object], length: int = 30_000, *, why: str = "") -> None:
    """Call `work` with each of the texts; fail at the first that takes long, and say `why` it was called.

    Choose a length whose square would take much longer than `LIMIT_S`: patterns look at 50 million characters a
    second, the sorting of marks at a billion.
    """
    for name, text in texts(length):
        began_s = time.thread_time()
        work(text)
        took_s = time.thread_time() - began_s
        assert took_s < LIMIT_S, f"{why} {length} characters of {name} took {took_s:.1f} s of the processor"
