"""Follow-up questions: "and for how long?" has no words of its own to search for."""

import re
from collections.abc import Sequence

from titan_desktop.contracts.chat import Message, Role

FEW_WORDS = 5
_WORD = re.compile(r"\w+")


def in_full(question: Message, recent: Sequence[Message]) -> str:
    """Return a second query: a short question joined with the last long one before it, or "".

    Args:
        question: the current question.
        recent: the conversation's newest messages, oldest first; may contain the question and later ones.
    """
    if not _is_short(question):
        return ""
    position = next((at for at, message in enumerate(recent) if message.id == question.id), len(recent))
    earlier = (message for message in reversed(recent[:position]) if message.role is Role.USER)
    leant_on = next((message for message in earlier if not _is_short(message)), None)
    return f"{question.text}\n{leant_on.text}" if leant_on is not None else ""


def _is_short(question: Message) -> bool:
    return len(_WORD.findall(question.text)) <= FEW_WORDS
