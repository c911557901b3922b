"""Asks the person before something is lost for good. Nobody to ask is not yes."""

import contextlib
import sys

from titan_bus.cli import reading
from titan_bus.cli.output import Output


def can_ask() -> bool:
    """Whether a person is there."""
    return sys.stdin is not None and sys.stdin.isatty()


async def confirmed(question: str, output: Output) -> bool:
    """Ask, and return whether the answer is yes."""
    output.ask(f"{question} [y/N] ")
    async with contextlib.aclosing(reading.lines(reading.open_input("-"))) as answers:
        async for answer in answers:
            return answer[0].strip().lower() in {b"y", b"yes"}
    return False
