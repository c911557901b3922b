"""What the server says when a test has not put words into its mouth."""

import math
import re
import zlib
from collections.abc import Sequence
from typing import Any

DIMENSIONS = 256
FENCED = re.compile(r"^\[(\d+)\]\n<<<(\w+)\n([^\n]*)\n\n(.*?)\n\2>>>$", re.DOTALL | re.MULTILINE)
"""How `services/chat/prompt.py` fences a source: number, token, file name, text."""


def embedding(text: str) -> list[float]:
    """A unit vector of DIMENSIONS from the text's character trigrams: alike texts lie near each other."""
    padded = f"  {text.lower()} "
    vector = [0.0] * DIMENSIONS
    for start in range(len(padded) - 2):
        digest = zlib.crc32(padded[start : start + 3].encode())
        vector[digest % DIMENSIONS] += 1.0 if digest & 0x8000_0000 else -1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def derived_answer(messages: Sequence[dict[str, Any]]) -> str:
    """Repeat the first 120 characters of each fenced source of the last message, with its number and file name."""
    prompt = str(messages[-1]["content"])
    found = FENCED.findall(prompt)
    if not found:
        return "None of the files says anything about this."
    return "\n".join(
        f"{title} says: {' '.join(text.split())[:120]} [{number}]" for number, _, title, text in found
    )
