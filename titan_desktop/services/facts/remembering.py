"""Recognises "remember that …" and «запомни, что …» in what a person types. Pure.

Unmistakably: the message is nothing but that, and tells something. A question («ты запомнила, что …?»), a wish
about something else ("remember to …", "remember when …") and a message with more to it are left to the model.
"""

import re

LONGEST = 1_000
"""Characters; a pasted page that begins like this is no fact."""

_ASKED = re.compile(
    r"(?:(?:please|пожалуйста|titan|титан)[\s,:!]+){0,2}"
    r"(?:"
    r"(?:remember|memori[sz]e|keep in mind)(?:\s+(?:please|this|the following))?(?:\s*[:—–]\s*|,?\s+that\s+)"
    r"|(?:don['’]?t|do\s+not)\s+forget(?:\s*[:—–]\s*|,?\s+that\s+)"
    r"|(?:запомни(?:те)?|имей(?:те)?\s+в\s+виду|не\s+забудь(?:те)?|не\s+забывай(?:те)?)"
    r"(?:[\s,]+(?:пожалуйста|на\s+будущее|себе|это|следующее))*(?:\s*[:—–]\s*|\s*,?\s+что\s+)"
    r")"
    r"(?P<told>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_SPACES, _LINES = re.compile(r"[^\S\n]+"), re.compile(r"\n\s*\n")
_PLEASE = re.compile(r"(?<![\s,])[\s,]+(?:please|пожалуйста)[\s.!]*\Z", re.IGNORECASE)


def told_to_remember(text: str) -> str:
    """Return what a message asks to remember, "" when it asks for something else."""
    if len(text) > LONGEST:
        return ""
    # A long run of spaces is read in a time that grows with its square.
    found = _ASKED.fullmatch(_LINES.sub("\n\n", _SPACES.sub(" ", text.strip())))
    if found is None:
        return ""
    told = _PLEASE.sub("", found["told"]).strip().strip('«»"“”').strip()
    if told.endswith("?") or "\n\n" in told or not re.search(r"\w+\W+\w+", told):
        return ""
    return told
