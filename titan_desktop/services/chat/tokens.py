"""Estimates how many tokens a text has, and how many of a model's context a prompt may have.

Every model counts with a table of its own, which nobody tells. The estimate is on the safe side for the usual
ones: 3.3 characters a token for ASCII (English has 4 to 5, code and numbers 2 to 3), 2 for other alphabets
(Russian has 2 to 4), one for scripts without an alphabet.
"""

from titan_desktop.ports.model import Turn

TURN_TOKENS = 10
"""What a model's template puts around a turn."""
ANSWER_TOKENS_MAX = 2_000
ANSWER_SHARE = 0.25
"""So much of a context, but not more than ANSWER_TOKENS_MAX, is kept for the answer."""

_FIRST_WIDE = "\u2e80"
"""Behind it stand the scripts of East Asia, and symbols."""


def tokens_of(text: str) -> int:
    """Return about how many tokens a text has."""
    plain = text.encode("ascii", "ignore")
    if len(plain) == len(text):
        return int(len(text) * 0.3) + 1
    wide = sum(character >= _FIRST_WIDE for character in text)
    return int(len(plain) * 0.3 + (len(text) - len(plain) - wide) * 0.5 + wide) + 1


def tokens_of_prompt(turns: tuple[Turn, ...]) -> int:
    """Return about how many tokens a prompt has."""
    return sum(tokens_of(turn.text) + TURN_TOKENS for turn in turns)


def room_for_prompt(context_tokens: int) -> int:
    """Return how many tokens of a context are for the prompt."""
    return context_tokens - min(ANSWER_TOKENS_MAX, int(context_tokens * ANSWER_SHARE))
