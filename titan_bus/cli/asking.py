"""Asks for confirmation before data is removed for good. Without a terminal nothing is confirmed."""

import contextlib
import sys

from titan_bus.cli import reading
from titan_bus.cli.output import Output


def can_ask() -> bool:
    """Whether there is a terminal to ask at."""
    return sys.stdin is not None and sys.stdin.isatty()


async def confirmed(question: str, output: Output) -> bool:
    """Ask, and return whether the answer is yes."""
    output.ask(f"{question} [y/N] ")
    async with contextlib.aclosing(reading.lines(reading.open_input("-"))) as answers:
        async for answer in answers:
            return answer[0].strip().lower() in {b"y", b"yes"}
    return False
